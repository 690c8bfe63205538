"""Asks an HTTP server as fast as it can, from another process: `… load PORT COUNT CALLERS FIRST WHAT`.

Kept connections and ready-made bytes, so that the asking costs little beside the answering. Prints one JSON object:
seconds taken, answers by status, and latency percentiles in milliseconds.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from functools import partial


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run."""

    seconds: float
    statuses: dict[str, int]
    p50_ms: float
    p99_ms: float

    @property
    def per_second(self) -> float:
        """Answers in a second."""
        return sum(self.statuses.values()) / self.seconds


def ask(port: int, count: int, callers: int = 64, first: int = 0, what: str = "lead") -> Outcome:
    """Run the load in another process and wait for it; `first` is the number of the first visitor."""
    command = [sys.executable, "-m", "tests.bench.load", *map(str, (port, count, callers, first, what))]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return Outcome(**json.loads(told))


def lead(number: int) -> bytes:
    """One lead as a site engine posts it; every one another person with another text."""
    body = (
        f"name=Visitor+{number}&phone=%2B7916{number:07d}&email=visitor{number}%40example.org"
        f"&message=Please+call+me+about+order+{number}&consent=on&utm_source=bench&utm_campaign=c{number % 7}"
    ).encode()
    head = (
        "POST /forms/contact HTTP/1.1\r\nHost: bench\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode()
    return head + body


def route(number: int) -> bytes:
    """A dialplan asks where a call goes."""
    asked = f"caller=%2B7916{number % 10_000:07d}&did=84951112233&uid=pbx-{number}.0&linkedid=pbx-{number}.0"
    return f"GET /route/pbx?{asked} HTTP/1.1\r\nHost: bench\r\n\r\n".encode()


ASKED = {"lead": lead, "route": route}


class _Caller(asyncio.Protocol):
    """One connection: asks, waits for the whole answer, asks again. Answers of our servers tell their length."""

    def __init__(self, numbers: range, statuses: Counter[str], took: list[float], what: str) -> None:
        self._requests = [ASKED[what](number) for number in reversed(numbers)]
        self._statuses, self._took = statuses, took
        self._heard = b""
        self._began = 0.0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def ask(self) -> None:
        """The next request, or the end."""
        if not self._requests:
            self._transport.close()
            self.done.set_result(None)
            return
        self._began = time.perf_counter()
        self._transport.write(self._requests.pop())

    def data_received(self, data: bytes) -> None:
        self._heard = heard = self._heard + data if self._heard else data
        end = heard.find(b"\r\n\r\n")
        if end < 0 or len(heard) < end + 4 + _length_of(heard, end):
            return
        self._took.append(time.perf_counter() - self._began)
        self._statuses[heard[9:12].decode()] += 1
        self._heard = b""
        self.ask()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(ConnectionResetError("the server hung up"))


def _length_of(heard: bytes, end: int) -> int:
    at = heard.find(b"Content-Length:", 0, end)
    return int(heard[at + 15 : heard.index(b"\r\n", at)])


def _as_it_is(caller: _Caller) -> _Caller:
    return caller


async def _main(port: int, count: int, callers: int, first: int, what: str) -> None:
    statuses: Counter[str] = Counter()
    took: list[float] = []
    every = [_Caller(range(first + start, first + count, callers), statuses, took, what) for start in range(callers)]
    for one in every:
        await asyncio.get_running_loop().create_connection(partial(_as_it_is, one), "127.0.0.1", port)
    began = time.perf_counter()
    for one in every:
        one.ask()
    await asyncio.gather(*(one.done for one in every))
    seconds = time.perf_counter() - began
    took.sort()
    told = {
        "seconds": seconds,
        "statuses": statuses,
        "p50_ms": took[len(took) // 2] * 1000,
        "p99_ms": took[len(took) * 99 // 100] * 1000,
    }
    print(json.dumps(told))


if __name__ == "__main__":
    _port, _count, _callers, _first = (int(one) for one in sys.argv[1:5])
    asyncio.run(_main(_port, _count, _callers, _first, sys.argv[5]))
