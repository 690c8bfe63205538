"""A PBX in a process of its own, for benchmarks: recorded calls under new names, at a pace or as fast as they go."""

from __future__ import annotations

import asyncio
import heapq
import multiprocessing
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from channels.asterisk.emulator import Emulator, read_stream, retime
from tests.bench.watching import EXTENSIONS, number_of

STREAMS = Path(__file__).parents[1] / "channels/asterisk/streams"
ANSWERED, ABANDONED = "queue_answered_caller_hangup", "queue_abandoned"
_CHANNEL = re.compile(r"(PJSIP/\w+)-([0-9a-f]{8})\b")
_BRIDGE = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-([0-9a-f]{12})\b")
_CALLER, _RING_S, _SHORTER = "79161234567", 0.45, 5.0
"""What comes after the ringing has begun is played faster, so that calls do not pile up."""


@dataclass(frozen=True, slots=True)
class Story:
    """The events of one call: seconds after its beginning, bytes, and whether a telephone begins to ring with it."""

    parts: tuple[tuple[float, bytes, bool], ...]

    @property
    def events(self) -> int:
        return len(self.parts)


def tell(name: str, call: int, extension: str, at: float) -> Story:
    """A recorded call that begins at `at`, rings this telephone, and shares no name with any other."""
    parts, first = [], None
    for event in retime(_read(name), at, call):
        stamp = float(event.get("Timestamp", at))
        first = stamp if first is None else first
        after = stamp - first
        after = after if after < _RING_S else _RING_S + (after - _RING_S) / _SHORTER
        rings = event["Event"] == "DialBegin"
        parts.append((after, _bytes(event, call, extension), rings))
    return Story(tuple(parts))


@cache
def _read(name: str) -> Sequence[Mapping[str, str]]:
    return read_stream(STREAMS / f"{name}.txt")


def _bytes(event: Mapping[str, str], call: int, extension: str) -> bytes:
    text = "".join(f"{key}: {value}\r\n" for key, value in event.items()) + "\r\n"
    text = text.replace("PJSIP/101", f"PJSIP/{extension}").replace(_CALLER, number_of(call)[1:])
    text = _CHANNEL.sub(lambda found: f"{found[1]}-{call:06x}{found[2][-2:]}", text)
    return _BRIDGE.sub(lambda found: f"{found[0][:-12]}{call:012x}", text).encode()


@dataclass
class Exchange:
    """What the other process does when it is asked."""

    pipe: Connection
    port: int

    def play(self, extensions: Sequence[str], per_second: float, seconds: float, first: int) -> dict[str, float]:
        """Calls at a pace, in turn for each telephone; answers when each number's telephone was told to ring.

        The first half of the telephones only ring (their callers give up), the others pick up.
        """
        return self._ask("play", list(extensions), per_second, seconds, first)  # type: ignore[no-any-return]

    def pour(self, calls: int, first: int) -> int:
        """As many answered calls as fast as they are taken; answers how many events that was. Does not wait for the
        other side to have read them."""
        return int(self._ask("pour", calls, first))

    def _ask(self, *what: Any) -> Any:
        self.pipe.send(what)
        return self.pipe.recv()


@contextmanager
def run_exchange() -> Iterator[Exchange]:
    """Start it; it ends with the block."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    theirs.close()  # a process that fails is noticed, not waited for
    try:
        yield Exchange(ours, ours.recv())
    finally:
        ours.send(("end",))
        process.join(10)


def _serve(pipe: Connection) -> None:
    asyncio.run(_obey(pipe))


async def _obey(pipe: Connection) -> None:
    async with Emulator(lambda: datetime.now(UTC)) as pbx:
        pipe.send(pbx.port)
        while True:
            what, *given = await asyncio.to_thread(pipe.recv)
            if what == "end":
                return
            pipe.send(await (_play(pbx, *given) if what == "play" else _pour(pbx, *given)))


async def _play(
    pbx: Emulator, extensions: Sequence[str], per_second: float, seconds: float, first: int
) -> dict[str, float]:
    rang: dict[str, float] = {}
    began = time.time() + 0.5
    waiting: list[tuple[float, int, bytes, str]] = []
    calls = iter(range(round(per_second * seconds)))
    count = 0
    following = next(calls, None)
    while waiting or following is not None:
        now = time.time()
        while following is not None and began + following / per_second <= now + 0.2:
            at, place = began + following / per_second, following % len(extensions)
            name = ABANDONED if place < len(extensions) / 2 else ANSWERED
            for after, data, rings in tell(name, first + following, extensions[place], at).parts:
                count += 1
                heapq.heappush(waiting, (at + after, count, data, number_of(first + following) if rings else ""))
            following = next(calls, None)
        while waiting and waiting[0][0] <= time.time():
            _, _, data, number = heapq.heappop(waiting)
            if number:
                rang[number] = time.time()
            await pbx.send(data)
        await asyncio.sleep(min(0.02, max(0.0, waiting[0][0] - time.time())) if waiting else 0.02)
    return rang


async def _pour(pbx: Emulator, calls: int, first: int) -> int:
    stories = await asyncio.to_thread(_write_all, calls, first)  # pings are answered meanwhile
    for story in stories:
        await pbx.send(b"".join(data for _, data, _ in story.parts))
    return sum(story.events for story in stories)


def _write_all(calls: int, first: int) -> list[Story]:
    now = time.time()
    return [tell(ANSWERED, first + number, EXTENSIONS[number % len(EXTENSIONS)], now) for number in range(calls)]
