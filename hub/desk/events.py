"""The live stream: tells an open page what has changed, so that it fetches only that part again; calls come whole."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from aiohttp import web

from hub import presence
from hub.composition import HUB
from hub.desk.gate import let_in
from hub.desk.phone.pops import POPS
from hub.desk.phone.stream import CallStream
from hub.desk.visitor import WHO
from hub.live import Inbox
from storage.events import Event
from storage.lane import LaneClosed

_HEARTBEAT_S = 20.0

ENDING: web.AppKey[asyncio.Event] = web.AppKey("desk_ending")


async def stream_events(request: web.Request) -> web.StreamResponse:
    """GET /desk/events as `text/event-stream`: `changes` brings a list of events, `again` means: events were lost, read
    everything again"""
    headers = {"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    response = web.StreamResponse(headers=headers)
    with contextlib.suppress(ConnectionResetError):  # the page is gone, perhaps before its stream began
        await response.prepare(request)
        await _tell(request, response, request.app[ENDING])
    return response


async def _tell(request: web.Request, response: web.StreamResponse, ending: asyncio.Event) -> None:
    calls = CallStream(request)
    live, pops, me = request.app[HUB].live, request.app[POPS], request[WHO].key
    async with live.gather(calls.concerns) as inbox, _present(request) as still_here:
        with pops.open_for(me):
            await response.write(b"retry: 2000\nevent: hello\ndata: {}\n\n" + await calls.begin())
            while not ending.is_set() and await _tell_next(request, response, inbox, ending, calls):
                await still_here()


@contextlib.asynccontextmanager
async def _present(request: web.Request) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Whoever has the desk open is here, and can be given work; yields what says so again."""
    store, operator, desk = request.app[HUB].store, request[WHO].key, secrets.token_hex(6)
    said = 0.0

    async def say() -> None:
        nonlocal said
        if time.monotonic() - said >= _HEARTBEAT_S:
            said = time.monotonic()
            await store.write(lambda unit: presence.come(unit, operator, desk))

    await say()
    try:
        yield say
    finally:
        with contextlib.suppress(LaneClosed):
            await asyncio.shield(store.write(lambda unit: presence.leave(unit, operator, desk)))


async def _tell_next(
    request: web.Request, response: web.StreamResponse, inbox: Inbox, ending: asyncio.Event, calls: CallStream
) -> bool:
    """Write what comes next, or that we are still here; False when the visitor has been signed out meanwhile."""
    events = await _take(inbox)
    if None in events:
        await response.write(b"event: again\ndata: {}\n\n" + await calls.begin())
    elif events:
        told = [event for event in events if event is not None]
        async for message in calls.hear(told):
            await response.write(message)
        await response.write(_written(told))
    elif ending.is_set() or not await let_in(request):
        return False
    else:
        await response.write(b": still here\n\n")
    return True


async def _take(inbox: Inbox) -> list[Event | None]:
    """What has been told; nothing after a while of silence, or when the server stops."""
    try:
        async with asyncio.timeout(_HEARTBEAT_S):
            return await inbox.take()
    except TimeoutError:
        return []


def _written(events: Sequence[Event]) -> bytes:
    """All of them in one message: each one costs the page more than what is in it."""
    return f"event: changes\ndata: [{','.join([event.as_json() for event in events])}]\n\n".encode()


async def end_streams(app: web.Application) -> None:
    """On shutdown: an open stream would hold the server up for its whole grace period."""
    app[ENDING].set()
    app[HUB].live.wake()
