"""`/hooks/{line}`: hands HTTP requests of the outside world to the channel that they are for."""

from __future__ import annotations

import structlog
from aiohttp import web

from channels.errors import BadSettings, ChannelError
from channels.touch import Webhook
from hub.composition import HUB

log = structlog.get_logger(__name__)

MOST_BYTES = 25 * 1024 * 1024


def routes() -> list[web.RouteDef]:
    """One address for every line of every channel."""
    return [web.route("*", "/hooks/{line}", receive), web.route("*", "/hooks/{line}/{rest:.*}", receive)]


async def receive(request: web.Request) -> web.Response:
    """Answers after everything in the request is committed: whoever calls again after an error repeats nothing."""
    hub, line = request.app[HUB], request.match_info["line"]
    known = hub.setup.current.lines.get(line)
    if known is None or not known.listens:
        return web.Response(status=404, text="there is no such line")
    try:
        channel = hub.listeners.channel_of(line)
    except BadSettings as error:
        log.warning("webhook_refused", line=line, reason=error.reason)
        return web.Response(status=503, text="this line is not ready")
    body = await _read(request)
    if body is None:
        return web.Response(status=413, text="too large")
    webhook = Webhook(
        method=request.method,
        path=request.match_info.get("rest", ""),
        query=dict(request.query),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=body,
        remote=request.remote or "",
    )
    try:
        answer = await channel.receive(webhook)
    except ChannelError as error:
        log.warning("webhook_refused", line=line, reason=error.reason)
        return web.Response(status=503 if error.retryable else 400, text=error.reason)
    return web.Response(status=answer.status, body=answer.body, content_type=answer.media_type)


async def _read(request: web.Request) -> bytes | None:
    """The whole body, however many pieces it comes in; None when it is too large."""
    body = bytearray()
    async for piece in request.content.iter_any():
        body += piece
        if len(body) > MOST_BYTES:
            return None
    return bytes(body)
