"""Messages a second through a bot, in and out, beside python-telegram-bot doing the same alone.

Our Bot API runs in another process. In: the library's `get_updates` makes its objects and forgets them; ours parses,
hands in and keeps the offset. Out: `send_message`, by us with its notes in the line's memory. Telegram's own limits
(30 a second) are far below, so they are off here.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from multiprocessing.connection import Connection

from telegram import Bot
from telegram.request import HTTPXRequest

from channels.contract import Accepted
from channels.telegram import Settings, create
from channels.telegram.limits import Limits
from channels.telegram.outbox import Sender
from channels.telegram.wire import make_bot, make_requests
from channels.touch import Identity, Message, Touch
from tests.channels.door import FakeDoor
from tests.peers.telegram import TOKEN, BotApi

UPDATES = 3_000
MESSAGES = 600
AT_ONCE = 16
ROUNDS = 3


class _CountingDoor(FakeDoor):
    """Accepts and forgets."""

    async def _deliver(self, touch: Touch) -> Accepted:
        self.touches.append(touch)
        return Accepted(1)


class _NoLimits(Limits):
    """Telegram would not take so many."""

    async def wait(self, chat: int) -> None:
        """At once."""


def _serve(pipe: Connection) -> None:
    async def serve() -> None:
        async with BotApi() as api:
            for number in range(UPDATES):
                sender = {"id": 10_000 + number, "is_bot": False, "first_name": "Иван", "language_code": "ru"}
                api.say(f"Здравствуйте! Сколько стоит доставка? Заказ {number}", sender=sender)
            pipe.send(api.base_url)
            await asyncio.to_thread(pipe.recv)

    asyncio.run(serve())


@contextmanager
def _server() -> Iterator[str]:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        ours.send("enough")
        process.join(10)


async def _in_by_us(base_url: str) -> float:
    door = _CountingDoor()
    channel = create("bot", Settings.model_validate({"token": TOKEN, "base_url": base_url}), door.door())
    began = time.perf_counter()
    listening = asyncio.create_task(channel.listen())
    while len(door.touches) < UPDATES:
        await asyncio.sleep(0.002)
    spent = time.perf_counter() - began
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    await channel.close()
    return UPDATES / spent


async def _in_by_the_library(base_url: str) -> float:
    bot = _bare_bot(base_url)
    began = time.perf_counter()
    await bot.initialize()
    seen, offset = 0, None
    while seen < UPDATES:
        updates = await bot.get_updates(offset=offset, timeout=10)
        seen, offset = seen + len(updates), updates[-1].update_id + 1
    spent = time.perf_counter() - began
    await bot.shutdown()
    return UPDATES / spent


async def _out_by_us(base_url: str) -> float:
    settings = Settings.model_validate({"token": TOKEN, "base_url": base_url})
    requests = make_requests(settings)
    sender = Sender(make_bot(settings, requests), FakeDoor().memory, _NoLimits())
    at = datetime(2026, 11, 21, tzinfo=UTC)

    async def send(number: int) -> None:
        to = (Identity("telegram", str(10_000 + number)),)
        await sender.send(Message(f"ref-{number}", to, "Он уже едет к вам.", at))

    rate = await _rate(send)
    await requests.shutdown()
    return rate


async def _out_by_the_library(base_url: str) -> float:
    bot = _bare_bot(base_url)
    await bot.initialize()

    async def send(number: int) -> None:
        await bot.send_message(10_000 + number, "Он уже едет к вам.")

    rate = await _rate(send)
    await bot.shutdown()
    return rate


def _bare_bot(base_url: str) -> Bot:
    request = HTTPXRequest(connection_pool_size=64, pool_timeout=30, read_timeout=30)
    return Bot(TOKEN, base_url=base_url, request=request, get_updates_request=HTTPXRequest(read_timeout=30))


async def _rate(send: Callable[[int], Awaitable[None]]) -> float:
    numbers = iter(range(MESSAGES))

    async def work() -> None:
        for number in numbers:
            await send(number)

    began = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    return MESSAGES / (time.perf_counter() - began)


def _once(measure: Callable[[str], Awaitable[float]]) -> float:
    with _server() as base_url:
        return asyncio.run(_measured(measure, base_url))


async def _measured(measure: Callable[[str], Awaitable[float]], base_url: str) -> float:
    return await measure(base_url)


def run() -> list[tuple[str, str]]:
    """Rows of name and figure."""
    rows = []
    pairs = (
        ("messages in by long polling", _in_by_us, _in_by_the_library),
        ("messages out", _out_by_us, _out_by_the_library),
    )
    for name, ours, theirs in pairs:
        mine = bare = 0.0
        for _ in range(ROUNDS):  # in turns, the best of each: the machine is never quite quiet
            mine, bare = max(mine, _once(ours)), max(bare, _once(theirs))
        rows.append((name, f"{mine:.0f}/s, {mine / bare:.0%} of the library alone"))
    return rows


if __name__ == "__main__":
    for name, figure in run():
        print(f"{name}: {figure}")
