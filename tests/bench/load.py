"""Asks an HTTP server as fast as it can, from another process: `python -m tests.bench.load PORT COUNT CALLERS FIRST`.

Plain sockets and ready-made bytes, so that the asking costs little beside the answering. Prints one JSON object:
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


def ask(port: int, count: int, callers: int = 64, first: int = 0) -> Outcome:
    """Run the load in another process and wait for it; `first` is the number of the first visitor."""
    command = [sys.executable, "-m", "tests.bench.load", *map(str, (port, count, callers, first))]
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


async def _caller(port: int, numbers: range, statuses: Counter[str], took: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for number in numbers:
        began = time.perf_counter()
        writer.write(lead(number))
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        await reader.readexactly(length)
        took.append(time.perf_counter() - began)
        statuses[head[9:12].decode()] += 1
    writer.close()


async def _main(port: int, count: int, callers: int, first: int = 0) -> None:
    statuses: Counter[str] = Counter()
    took: list[float] = []
    began = time.perf_counter()
    await asyncio.gather(
        *(_caller(port, range(first + one, first + count, callers), statuses, took) for one in range(callers))
    )
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
    asyncio.run(_main(*(int(one) for one in sys.argv[1:])))
