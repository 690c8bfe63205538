"""Puts the demonstration together: a home of its own, a small exchange and a small Bot API, the hub, and a day."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.resources import files
from pathlib import Path
from string import Template

from aiohttp import ClientSession
from sqlalchemy import Connection, select

from channels.asterisk.emulator import Emulator
from channels.contract import LineState
from hub import clock
from hub.app import open_hub
from hub.composition import Hub
from hub.sample.bot_api import BotApi
from hub.sample.day import PHONES, QUEUES, Day, times
from hub.settings import Settings
from hub.setup.importing import take
from hub.setup.reading import Reading, read_setup
from storage import models
from storage.store import Store

FILE_NAME = "demo.toml"
_LINES = ("pbx", "bot")
_PATIENCE_S = 20.0
_EVERYTHING = frozenset({"web", "listen", "work"})

Ready = Callable[[Store, str], None]


def is_empty(home: Path) -> bool:
    """Whether a folder may become the home of the demonstration: it is not there, or nothing is in it."""
    return not home.exists() or (home.is_dir() and not any(home.iterdir()))


def read_company(*, pbx_port: int, bot_port: int, language: str, speed: float) -> Reading:
    """The sample company, with what is known only when it runs."""
    text = files(__package__).joinpath(FILE_NAME).read_text(encoding="utf-8")
    known = {"pbx_port": str(pbx_port), "bot_port": str(bot_port), "language": language, **dict(times(speed))}
    return read_setup([(f"sample/{FILE_NAME}", Template(text).substitute(known))])


def run(settings: Settings, *, language: str, speed: float, told: Callable[[str], None], ready: Ready) -> None:
    """Run until Ctrl-C or SIGTERM. `ready` gets the store and the web address when the desk is worth a look."""
    asyncio.run(_run(settings, language, speed, told, ready))


async def _run(settings: Settings, language: str, speed: float, told: Callable[[str], None], ready: Ready) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with open_day(settings, language, speed, told) as day:
        await day.tell_the_morning()
        ready(day.hub.store, day.address)
        going = asyncio.create_task(day.go_on())
        ending = asyncio.create_task(stop.wait())
        await asyncio.wait({going, ending}, return_when=asyncio.FIRST_COMPLETED)
        for task in (going, ending):
            task.cancel()
        results = await asyncio.gather(going, ending, return_exceptions=True)
    if failure := next((one for one in results if isinstance(one, Exception)), None):
        raise failure


@asynccontextmanager
async def open_day(settings: Settings, language: str, speed: float, told: Callable[[str], None]) -> AsyncIterator[Day]:
    """A running hub of the sample company, with everything outside it, before anything has happened."""
    members = tuple(f"PJSIP/{extension}" for extension in PHONES)
    async with (
        Emulator(clock.now, queues=dict.fromkeys(QUEUES, members)) as pbx,
        BotApi(clock.now) as bot,
        AsyncExitStack() as stack,
    ):
        company = read_company(pbx_port=pbx.port, bot_port=bot.port, language=language, speed=speed)
        await asyncio.to_thread(_bring, settings, company)
        hub, address = await _open(settings, stack)
        http = await stack.enter_async_context(ClientSession())
        await _wait_for_lines(hub)
        yield Day(hub, address, http, pbx, bot, told, speed)


async def _open(settings: Settings, stack: AsyncExitStack) -> tuple[Hub, str]:
    """The hub; on any free port when its own is taken."""
    try:
        return await stack.enter_async_context(open_hub(settings, _EVERYTHING))
    except OSError as error:
        if "address" not in str(error).lower():
            raise
    elsewhere = settings.model_copy(update={"listen": f"{settings.host}:0"})
    return await stack.enter_async_context(open_hub(elsewhere, _EVERYTHING))


def _bring(settings: Settings, company: Reading) -> None:
    store = Store.open(settings.database, settings.files, clock.now)
    try:
        store.write_now(lambda unit: take(unit, company, "demo"))
    finally:
        store.engines.dispose()


async def _wait_for_lines(hub: Hub) -> None:
    """What an exchange tells before we listen to it would be lost."""
    async with asyncio.timeout(_PATIENCE_S), hub.live.listen() as changes:
        while not await hub.store.read(_lines_run):
            await changes.get()


def _lines_run(connection: Connection) -> bool:
    running = select(models.line_health.c.line).where(models.line_health.c.state == LineState.RUNNING.value)
    return set(connection.execute(running).scalars()).issuperset(_LINES)
