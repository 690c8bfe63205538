"""`GET /route/{line}?caller=&did=&uid=&linkedid=`: the dialplan asks where a call goes (CURL) and reads plain text.

With `&with=priority` the answer is `support,10`: the caller's QUEUE_PRIO after a comma.

Nothing but an answer is ever in the body: Asterisk takes whatever stands there. Refusals and failures are empty. Who
may ask is limited, because the answer tells who looks after a client: this machine and the PBX's host, or the networks
of `route_from`, or whoever knows `route_token`.
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import socket
import time
from typing import Any

import structlog
from aiohttp import web

from channels.contract import Question
from channels.errors import BadSettings
from channels.exchange import ExchangeSettings
from hub.composition import HUB, Hub
from hub.errors import Refused
from hub.setup.lines import Line, settings_of
from hub.telephony.answering import answer
from hub.telephony.deciding import BLOCKED, CLOSED
from hub.telephony.exchanges import is_exchange, rules_of
from hub.telephony.orders import listening, order
from webforms.sender import client_address

log = structlog.get_logger(__name__)

_LONGEST = 200
_LOOK_UP_S = 0.2
_KEPT_S = 60.0
_FORWARDED = ("X-Forwarded-For", "Forwarded", "X-Real-IP")


class RouteDoor:
    """One per web server."""

    def __init__(self) -> None:
        self._hosts: dict[str, tuple[float, frozenset[str]]] = {}
        self._telling: set[asyncio.Task[None]] = set()

    def routes(self) -> list[web.RouteDef]:
        """Whatever is asked for below /route, the answer is one that a dialplan can live with."""
        return [
            web.get("/route/{line}", self.receive),
            web.route("*", "/route", self.refuse),
            web.route("*", "/route/{rest:.*}", self.refuse),
        ]

    async def refuse(self, request: web.Request) -> web.Response:
        """Nothing is here to be asked for."""
        return _text("", 404)

    async def receive(self, request: web.Request) -> web.Response:
        """200 with an answer (empty: as the dialplan would have it), 403 and 404 with an empty body."""
        hub, key = request.app[HUB], request.match_info["line"]
        line = hub.setup.current.lines.get(key)
        if line is None or not line.listens or not is_exchange(line) or not (rules := rules_of(line)).route_http:
            return _text("", 404)
        try:
            if not await self._may_ask(hub, line, rules, request):
                log.warning("route_refused", line=key, remote=request.remote)
                return _text("", 403)
            question = _read_question(request)
            found = await answer(hub.store, hub.setup, key, question)
            where = found.partition(",")[0]
            if where in (CLOSED, BLOCKED):
                self._tell(hub, key, question.linkedid, where)
        except Exception:
            log.exception("route_failed", line=key)
            found = ""
        return _text(found)

    def _tell(self, hub: Hub, key: str, linkedid: str, found: str) -> None:
        """The exchange knows then why the call went nowhere."""
        telephone = listening(hub, key)
        if telephone is not None:
            telephone.routed(linkedid, found)
            return
        task = asyncio.create_task(_tell_far(hub, key, linkedid, found))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _may_ask(self, hub: Hub, line: Line, rules: ExchangeSettings, request: web.Request) -> bool:
        if "route_token" in line.own and _knows(_token_of(hub, line), request):
            return True
        proxies = [ipaddress.ip_network(one, strict=False) for one in hub.settings.trusted_proxies]
        try:
            address = ipaddress.ip_address(client_address(request, proxies))
        except ValueError:
            return False
        address = getattr(address, "ipv4_mapped", None) or address
        if rules.route_from:
            return any(address in ipaddress.ip_network(one, strict=False) for one in rules.route_from)
        if "route_token" in line.own or (not proxies and any(name in request.headers for name in _FORWARDED)):
            return False  # somebody else's request, handed on by a proxy of which we know nothing
        return address.is_loopback or str(address) in await self._addresses_of(str(line.own.get("host", "")))

    async def _addresses_of(self, host: str) -> frozenset[str]:
        """Where the PBX may ask from; looked up now and then, and never for long."""
        known = self._hosts.get(host)
        if known is not None and time.monotonic() - known[0] < _KEPT_S:
            return known[1]
        try:
            async with asyncio.timeout(_LOOK_UP_S):
                found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
            addresses = frozenset(str(one[4][0]) for one in found)
        except (OSError, TimeoutError, UnicodeError):
            addresses = known[1] if known is not None else frozenset()
        self._hosts[host] = (time.monotonic(), addresses)
        return addresses


async def _tell_far(hub: Hub, key: str, linkedid: str, found: str) -> None:
    try:
        await order(hub, key, "routed", linkedid=linkedid, answer=found)
    except Refused as error:
        log.info("route_not_told", line=key, reason=error.message)


def _token_of(hub: Hub, line: Line) -> str:
    try:
        settings: Any = settings_of(line, hub.settings)
    except BadSettings:
        return ""
    return settings.route_token.get_secret_value() if settings.route_token else ""


def _knows(token: str, request: web.Request) -> bool:
    scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
    given = bearer.strip() if scheme.lower() == "bearer" else request.query.get("token", "")
    return bool(token) and hmac.compare_digest(given.encode(), token.encode())


def _read_question(request: web.Request) -> Question:
    """In a query a bare plus is a space; numbers begin with one or the other."""
    asked = {name: request.query.get(name, "")[:_LONGEST] for name in ("caller", "did", "uid", "linkedid")}
    for name in ("caller", "did"):
        value = asked[name]
        asked[name] = f"+{value[1:].strip()}" if value.startswith(" ") else value.strip()
    wanted = request.query.get("with", "") == "priority"
    return Question(asked["caller"], asked["did"], asked["uid"], asked["linkedid"] or asked["uid"], wanted)


def _text(body: str, status: int = 200) -> web.Response:
    return web.Response(text=body, status=status, content_type="text/plain", headers={"Cache-Control": "no-store"})
