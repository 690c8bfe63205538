"""`/hooks/{line}`: hands HTTP requests of the outside world to the channel that they are for.

What a channel's scripts on other people's pages need besides: `/{channel}/{line}.js`, and answers that are streams.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from functools import cache
from ipaddress import IPv4Network, IPv6Network, ip_network

import structlog
from aiohttp import web

from channels.errors import BadSettings, ChannelError
from channels.touch import Webhook, WebhookAnswer
from hub.composition import HUB
from hub.desk.events import ENDING
from hub.setup.lines import find_channel
from webforms import client_address

log = structlog.get_logger(__name__)

MOST_BYTES = 25 * 1024 * 1024
_SMALL = 1024
_LOOK_S = 2.0
"""How soon a caller who went without a word is missed."""


def routes() -> list[web.RouteDef]:
    """One address for every line of every channel, and the scripts that other people's pages load."""
    return [
        web.route("*", "/hooks/{line}", receive),
        web.route("*", "/hooks/{line}/{rest:.*}", receive),
        web.get("/{channel}/{line}.js", give_script),
    ]


async def receive(request: web.Request) -> web.StreamResponse:
    """Answers after everything in the request is committed: whoever calls again after an error repeats nothing."""
    hub, line = request.app[HUB], request.match_info["line"]
    known = hub.setup.current.lines.get(line)
    if known is None or not known.listens:
        return web.Response(status=404, text="there is no such line")
    return await _ask(request, line, request.match_info.get("rest", ""))


async def give_script(request: web.Request) -> web.StreamResponse:
    """GET /{channel}/{line}.js, of channels that have one."""
    line = request.match_info["line"]
    known = request.app[HUB].setup.current.lines.get(line)
    wanted = request.match_info["channel"]
    if known is None or known.channel != wanted or not known.listens or not has_script(wanted):
        return web.Response(status=404, text="there is no such line")
    return await _ask(request, line, "script.js")


def has_script(channel: str) -> bool:
    """Do other people's pages load a script of this channel?"""
    return bool(getattr(find_channel(channel), "SCRIPT", False))


async def _ask(request: web.Request, line: str, path: str) -> web.StreamResponse:
    hub = request.app[HUB]
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
        path=path,
        query=dict(request.query),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=body,
        remote=client_address(request, proxies_of(hub.settings.trusted_proxies)),
    )
    try:
        answer = await channel.receive(webhook)
    except ChannelError as error:
        log.warning("webhook_refused", line=line, reason=error.reason)
        return web.Response(status=503 if error.retryable else 400, text=error.reason)
    if answer.stream is not None:
        return await _stream(request, answer, answer.stream)
    response = web.Response(
        status=answer.status, body=answer.body, content_type=answer.media_type, headers=answer.headers
    )
    if len(answer.body) > _SMALL:
        response.enable_compression()
    return response


async def _stream(request: web.Request, answer: WebhookAnswer, pieces: AsyncGenerator[bytes]) -> web.StreamResponse:
    """Write until it ends, the caller goes, or the server stops (an open stream would hold that up)."""
    response = web.StreamResponse(status=answer.status, headers=answer.headers)
    response.content_type = answer.media_type

    async def write() -> None:
        with contextlib.suppress(ConnectionError):
            await response.prepare(request)
            await response.write(answer.body)
            async with contextlib.aclosing(pieces) as open_pieces:
                async for piece in open_pieces:
                    await response.write(piece)

    writing = asyncio.create_task(write())
    stopping = asyncio.create_task(request.app[ENDING].wait())
    try:
        while not writing.done() and not stopping.done() and request.transport is not None:
            await asyncio.wait({writing, stopping}, timeout=_LOOK_S, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
        writing.cancel()
        (failed,) = await asyncio.gather(writing, return_exceptions=True)
        if isinstance(failed, Exception):
            log.error("stream_failed", line=request.match_info["line"], error=repr(failed))
    return response


@cache
def proxies_of(written: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    """The networks whose `X-Forwarded-For` is believed."""
    return tuple(ip_network(one, strict=False) for one in written)


async def _read(request: web.Request) -> bytes | None:
    """The whole body, however many pieces it comes in; None when it is too large."""
    body = bytearray()
    async for piece in request.content.iter_any():
        body += piece
        if len(body) > MOST_BYTES:
            return None
    return bytes(body)
