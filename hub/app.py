"""The composition root: puts the parts of one process together, starts them in order, and stops them in reverse."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any

import structlog
from aiohttp import web

import webforms
from hub import api, calendar_feed, clock, desk, webhooks
from hub.api import probes
from hub.bus import Bus, choose_bus
from hub.clockwork import Clockwork
from hub.composition import HUB, Hub
from hub.doorbell import Doorbell, answer_bell
from hub.forms_door import open_forms_door
from hub.home_lock import hold_home
from hub.housekeeping import Housekeeping
from hub.intake import Intake
from hub.jobs.acknowledge import Acknowledge
from hub.jobs.announce import Announce
from hub.jobs.deliver import Deliver
from hub.jobs.notify import Notify
from hub.jobs.pass_on import PassOn
from hub.jobs.rate import Rate
from hub.jobs.recount import Recount
from hub.jobs.worker import Worker
from hub.listeners import Listeners
from hub.live import Live
from hub.mailings import unsubscribe_path
from hub.recordings.finding import telephone_of
from hub.recordings.retention import Retention
from hub.settings import Settings, split_address
from hub.setup.live import LiveSetUp
from hub.telephony.door import RouteDoor
from hub.telephony.orders import OrderTaker, listening
from hub.telephony.wrapping import WrapUps
from storage.store import Store

log = structlog.get_logger(__name__)

Ready = Callable[[str], None]
_MOST_BODY = 32 * 1024 * 1024
_SHUTDOWN_S = 3.0


def run(settings: Settings, roles: frozenset[str], ready: Ready = lambda address: None) -> None:
    """Run until Ctrl-C or SIGTERM. `ready` gets the web address once everything listens ("" without the web role)."""
    asyncio.run(_run(settings, roles, ready))


async def _run(settings: Settings, roles: frozenset[str], ready: Ready) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with open_hub(settings, roles) as (hub, address):
        await asyncio.to_thread(ready, address)
        _settle_memory()
        log.info("running", roles=sorted(roles), address=address or None)
        await stop.wait()
        log.info("stopping")
        del hub


def _settle_memory() -> None:
    """What was made so far stays for good: the collector need not look through it again (200 ms each time, with
    everything standing still), and may come less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@asynccontextmanager
async def open_hub(settings: Settings, roles: frozenset[str]) -> AsyncIterator[tuple[Hub, str]]:
    """A running hub and its web address; everything is stopped, in reverse order, at the end."""
    async with AsyncExitStack() as stack:
        hub, bus = await _open_core(settings, stack)
        tasks: list[Coroutine[Any, Any, None]] = [hub.setup.watch(), bus.run()]
        if settings.redis_url:
            doorbell = Doorbell(settings.redis_url)
            hub.live.on_event(doorbell.ring)
            stack.push_async_callback(doorbell.close)
        if "work" in roles:
            tasks += _work(hub)
        if "listen" in roles:
            tasks += _follow_telephones(hub, stack)
        for task in tasks:
            stack.push_async_callback(_cancel, asyncio.create_task(task))
        stack.push_async_callback(hub.listeners.close)
        if "listen" in roles:
            hub.listeners.start()
        address = await _serve_roles(hub, roles, stack)
        yield hub, address


async def _open_core(settings: Settings, stack: AsyncExitStack) -> tuple[Hub, Bus]:
    stack.enter_context(hold_home(settings.database))
    live = Live()
    live.bind(asyncio.get_running_loop())
    bus = choose_bus(settings, live)
    settings.home.mkdir(parents=True, exist_ok=True)
    store = await asyncio.to_thread(
        lambda: Store.open(settings.database, settings.files, clock.now, told=bus.told, before_commit=bus.before_commit)
    )
    store.lane.start()
    stack.push_async_callback(store.close)
    setup = await asyncio.to_thread(LiveSetUp.open, store)
    intake = Intake(store, lambda: setup.current)
    listeners = Listeners(settings, store, setup, intake.deliver, live)
    return Hub(settings, store, setup, live, intake, listeners), bus


def _follow_telephones(hub: Hub, stack: AsyncExitStack) -> list[Coroutine[Any, Any, None]]:
    """What other processes order is done, and wrap-ups end."""
    taker = OrderTaker(hub.store, hub.listeners.name, lambda line: listening(hub, line))
    hub.live.on_event(taker.hear)
    stack.push_async_callback(taker.close)
    return [WrapUps(hub).run()]


def _work(hub: Hub) -> list[Coroutine[Any, Any, None]]:
    """Jobs and the clock; whatever rings, they look at their rows."""
    store, listeners = hub.store, hub.listeners

    def setup_now() -> Any:
        return hub.setup.current

    worker = Worker(
        store,
        {
            "deliver": Deliver(store, setup_now, listeners.channel_of, partial(_way_out, hub)),
            "notify": Notify(store, setup_now, listeners.channel_of, hub.settings.address),
            "acknowledge": Acknowledge(store, setup_now),
            "pass_on": PassOn(store, setup_now),
            "announce": Announce(store, setup_now),
            "recount": Recount(store, setup_now),
            "rate": Rate(store, setup_now),
        },
    )
    clockwork = Clockwork(store, hub.setup)
    housekeeping = Housekeeping(store, hub.setup, Retention(store, partial(telephone_of, hub)))
    for part in (worker, clockwork, housekeeping):
        hub.live.on_event(part.ring)
    tasks = [worker.run(), clockwork.run(), housekeeping.run()]
    if hub.settings.redis_url:

        async def wake() -> None:
            worker.ring()

        tasks.append(answer_bell(hub.settings.redis_url, wake))
    return tasks


def _way_out(hub: Hub, reference: str) -> str:
    """Where whoever gets a mailing stops them."""
    public = hub.setup.current.company.public_url or hub.settings.public_url or hub.settings.address
    return public.rstrip("/") + unsubscribe_path(hub.settings.secret, reference)


def build_web(hub: Hub) -> web.Application:
    """The web application: desk, API, forms and webhooks over one hub."""
    app = web.Application(client_max_size=_MOST_BODY, middlewares=[*api.middlewares(), *desk.middlewares()])
    app[HUB] = hub
    desk.setup_desk(app)
    app.add_routes(
        [
            *api.routes(),
            *desk.routes(),
            *webhooks.routes(),
            *calendar_feed.routes(),
            *RouteDoor().routes(),
            *webforms.routes(open_forms_door(hub)),
        ]
    )
    return app


def build_probes(hub: Hub) -> web.Application:
    """What a process without a web part shows to monitoring."""
    app = web.Application()
    app[HUB] = hub
    app.add_routes(probes.routes())
    return app


async def _serve_roles(hub: Hub, roles: frozenset[str], stack: AsyncExitStack) -> str:
    """The web part, or the probes alone; answers the address of the web part."""
    settings = hub.settings
    if "web" not in roles:
        if settings.probes:
            await _serve(build_probes(hub), *split_address(settings.probes), stack)
        return ""
    host, port = await _serve(build_web(hub), settings.host, settings.port, stack)
    return settings.address if settings.port else f"http://{host}:{port}"


async def _serve(app: web.Application, host: str, port: int, stack: AsyncExitStack) -> tuple[str, int]:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_S, handle_signals=False)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, host, port).start()
    found: tuple[str, int] = runner.addresses[0][:2]
    return found


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
