"""One's own telephone: how it is, pauses, queues, calls that one makes; and how the colleagues' are."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web
from sqlalchemy import Connection

from hub.actions import calling
from hub.actor import Actor
from hub.composition import HUB, Hub
from hub.desk.body import read_body
from hub.desk.doing import back, see
from hub.desk.pages import show
from hub.desk.shield import wants_json
from hub.desk.visitor import who
from hub.errors import BadInput
from hub.telephony.exchanges import exchanges, rules_of
from hub.telephony.picture import read_picture

PARTS = {"strip": "_phone_strip.html", "colleagues": "_phone_colleagues.html"}


async def show_phone(request: web.Request) -> web.StreamResponse:
    """GET /desk/phone"""
    hub, visitor = request.app[HUB], who(request)

    def read(connection: Connection) -> Mapping[str, Any]:
        picture = read_picture(connection, hub.setup.current, hub.store.now())
        return {"phone": picture.of(visitor.key), "picture": picture}

    return await show(request, "phone.html", read, parts=PARTS, queues=queues_of(hub))


def queues_of(hub: Hub) -> list[str]:
    """The queues that an operator may be a member of, as the exchanges call them."""
    names = (name for _, line in exchanges(hub.setup.current) for name in rules_of(line).queues)
    return sorted(dict.fromkeys(names))


async def call(request: web.Request) -> web.StreamResponse:
    """POST /desk/phone/call {number}: rings here first, then dials"""
    number = (await read_body(request)).text("number")
    if not number:
        raise BadInput("Which number?", field="number")
    return await _do(request, lambda hub, actor, me: calling.call(hub, actor, me, number), "calling")


async def pause(request: web.Request) -> web.StreamResponse:
    """POST /desk/phone/pause {reason}"""
    reason = (await read_body(request)).text("reason")
    return await _do(request, lambda hub, actor, me: calling.pause(hub, actor, me, reason), "paused")


async def unpause(request: web.Request) -> web.StreamResponse:
    """POST /desk/phone/unpause"""
    return await _do(request, calling.unpause, "unpaused")


async def log_in(request: web.Request) -> web.StreamResponse:
    """POST /desk/phone/log-in {queue}"""
    queue = (await read_body(request)).text("queue")
    return await _do(request, lambda hub, actor, me: calling.log_in(hub, actor, me, queue), "saved")


async def log_out(request: web.Request) -> web.StreamResponse:
    """POST /desk/phone/log-out {queue}"""
    queue = (await read_body(request)).text("queue")
    return await _do(request, lambda hub, actor, me: calling.log_out(hub, actor, me, queue), "saved")


async def end_wrap_up(request: web.Request) -> web.StreamResponse:
    """POST /desk/phone/ready: free again, whatever is still to be written"""
    return await _do(request, calling.finish_wrap_up, "unpaused")


async def _do(request: web.Request, work: Callable[[Hub, Actor, str], Awaitable[Any]], said: str) -> web.Response:
    visitor = who(request)
    await work(request.app[HUB], visitor.actor, visitor.key)
    if wants_json(request):
        return web.json_response({"done": True})
    return see(back(await read_body(request), "/desk/phone"), said)
