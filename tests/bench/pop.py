"""From the PBX's event to the browser's page: how soon who calls is on the operator's screen, at 50 calls a second.

A PBX of recorded streams, the hub (SQLite), and Chromium each run in processes of their own on one machine, so that one
clock measures. Calls to the first five of ten operators ring and are given up, the others are answered. Then the same
PBX pours out calls as fast as they are taken, into the hub until all of them have ended in the log, and into our bare
parser and panoramisk, which only read them. `pop_living` does the first part with a living PBX.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path

from panoramisk.manager import Manager

from channels.asterisk.settings import Settings as LineSettings
from channels.asterisk.wire import Wire
from tests.bench.exchange import Exchange, run_exchange
from tests.bench.watching import (
    EXTENSIONS,
    Instants,
    Rows,
    cpu_seconds,
    ended,
    measure_pops,
    open_house,
    wait_for_the_end_of,
)
from tests.flows.processes import HubProcess

PER_SECOND, SECONDS = 50, 20
POURED = 1_000


def run(say: Callable[[str], None]) -> Rows:
    """Rows of name and figure."""
    with tempfile.TemporaryDirectory() as folder, run_exchange() as exchange:
        return asyncio.run(_measure(Path(folder), exchange, say))


def _line(port: int) -> str:
    return (
        f'[line.pbx]\nchannel = "asterisk"\nteam = "support"\nhost = "127.0.0.1"\nport = {port}\n'
        'username = "hub"\nsecret = "demo"\nqueues = { support = "support" }\n'
    )


async def _measure(home: Path, exchange: Exchange, say: Callable[[str], None]) -> Rows:
    hub, tickets = await open_house(home, _line(exchange.port))
    try:
        say(f"{PER_SECOND} calls/s")
        rows = await measure_pops(hub, home, tickets, partial(_play, exchange), PER_SECOND, SECONDS)
        say(f"as fast as it goes; until now: {rows[0][1]}")
        rows += await _race(hub, home, exchange)
    finally:
        await asyncio.to_thread(hub.stop)
    return rows


async def _play(exchange: Exchange, per_second: float, seconds: float, first: int) -> Instants:
    return await asyncio.to_thread(exchange.play, EXTENSIONS, per_second, seconds, first)


async def _race(hub: HubProcess, home: Path, exchange: Exchange) -> Rows:
    before = ended(home)
    began, spent = time.perf_counter(), cpu_seconds(hub.pid)
    events = await asyncio.to_thread(exchange.pour, POURED, 2_000_000)
    await wait_for_the_end_of(home, before + POURED)
    road = events / (time.perf_counter() - began)
    share, each = (
        (cpu_seconds(hub.pid) - spent) / (time.perf_counter() - began),
        (cpu_seconds(hub.pid) - spent) / POURED,
    )
    await asyncio.to_thread(hub.stop)
    ours = await _read(exchange, _by_us, 3_000_000)
    theirs = await _read(exchange, _by_panoramisk, 4_000_000)
    return [
        (
            "events through the whole road into the log",
            f"{road:,.0f}/s ({POURED / events * road:.0f} calls/s), {share:.0%} of a core, {each * 1000:.1f} ms each",
        ),
        ("our parser alone, the same stream", f"{ours:,.0f}/s; the road is {road / ours:.0%} of it"),
        ("panoramisk alone, the same stream", f"{theirs:,.0f}/s; the road is {road / theirs:.0%} of it"),
    ]


Reader = Callable[[int, asyncio.Event, list[int]], Coroutine[None, None, None]]


async def _read(exchange: Exchange, reader: Reader, first: int) -> float:
    """Events a second until the last call has hung up."""
    ready, ended = asyncio.Event(), [0]
    reading = asyncio.create_task(reader(exchange.port, ready, ended))
    await ready.wait()
    began = time.perf_counter()
    events = await asyncio.to_thread(exchange.pour, POURED, first)
    while ended[0] < 2 * POURED:
        await asyncio.sleep(0.005)
    rate = events / (time.perf_counter() - began)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    return rate


async def _by_us(port: int, ready: asyncio.Event, ended: list[int]) -> None:
    wire = Wire(LineSettings(host="127.0.0.1", port=port, username="hub", secret="demo"))
    await wire.open()
    ready.set()
    try:
        async for event in wire.events():
            ended[0] += event["Event"] == "Hangup"
    finally:
        await wire.close()


async def _by_panoramisk(port: int, ready: asyncio.Event, ended: list[int]) -> None:
    manager = Manager(host="127.0.0.1", port=port, username="hub", secret="demo", loop=asyncio.get_running_loop())
    manager.register_event("*", lambda _, message: _count(message, ended))
    await manager.connect(run_forever=False)
    ready.set()
    try:
        await asyncio.Event().wait()
    finally:
        manager.close()


def _count(message: dict[str, str], ended: list[int]) -> None:
    ended[0] += message["Event"] == "Hangup"


if __name__ == "__main__":
    for name, figure in run(lambda text: print(text, flush=True)):
        print(f"{name}: {figure}")
