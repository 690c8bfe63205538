"""From the PBX's event to the browser's page: how soon who calls is on the operator's screen, at 50 calls a second.

A PBX of recorded streams, the hub (SQLite), and Chromium each run in processes of their own on one machine, so that one
clock measures. Ten operators have their desks open: two of them in Chromium, where a MutationObserver notes when
the caller's number is in the page; the others hold the plain stream. Calls to the first five ring and are given up,
the others are answered. Then the same PBX pours out calls as fast as they are taken, into the hub until all of them
have ended in the log, and into our bare parser and panoramisk, which only read them.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sqlite3
import tempfile
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from statistics import quantiles

from aiohttp import ClientSession, CookieJar
from panoramisk.manager import Manager
from playwright.async_api import Page

from channels.asterisk.settings import Settings as LineSettings
from channels.asterisk.wire import Wire
from hub import clock
from hub.access.tickets import make_ticket
from storage.store import Store
from storage.unit import Unit
from tests.bench.exchange import Exchange, run_exchange
from tests.flows.house import bring, settings_at
from tests.flows.processes import HubProcess
from tests.peers.chromium import open_browser, open_page

OPERATORS, PAGES = 10, 2
PER_SECOND, SECONDS = 50, 20
POURED = 1_000
_NUMBER = re.compile(r"\+7926\d{7}")
_EXTENSIONS = [str(100 + number) for number in range(OPERATORS)]

_WATCH = """() => {
  window.seen = {};
  const look = () => {
    const now = Date.now() / 1000;
    for (const call of document.querySelectorAll("#calls .call[data-state=ringing] .call-head")) {
      const number = call.textContent.match(/\\+7926\\d{7}/)?.[0];
      if (number) window.seen[number] ??= now;
    }
  };
  new MutationObserver(look).observe(document.getElementById("calls"), { childList: true, subtree: true });
}"""

Rows = list[tuple[str, str]]


def run(say: Callable[[str], None]) -> Rows:
    """Rows of name and figure."""
    with tempfile.TemporaryDirectory() as folder, run_exchange() as exchange:
        return asyncio.run(_measure(Path(folder), exchange, say))


def _setup(port: int) -> str:
    people = "".join(
        f'[operator.op{number}]\nname = "Operator {number}"\nteams = ["support"]\nextension = "{number}"\n'
        for number in _EXTENSIONS
    )
    gate = '[regulation.source]\ntitle = "Ask for the source"\nkind = "gate"\nrequire = ["source"]\n'
    return (
        f'[line.pbx]\nchannel = "asterisk"\nteam = "support"\nhost = "127.0.0.1"\nport = {port}\n'
        f'username = "hub"\nsecret = "demo"\nqueues = {{ support = "support" }}\n{people}{gate}'
    )


async def _measure(home: Path, exchange: Exchange, say: Callable[[str], None]) -> Rows:
    from tests.flows.house import OFFICE

    database = f"sqlite:///{home / 'touchline.db'}"
    settings = settings_at(home, database)
    await asyncio.to_thread(bring, settings, OFFICE + _setup(exchange.port))
    tickets = await asyncio.to_thread(_tickets, database, settings.files)
    hub = await asyncio.to_thread(HubProcess("run", home, database_url=database).start)
    try:
        rows = await _watch(hub, home, exchange, tickets, say)
        say(f"as fast as it goes; until now: {rows[0][1]}")
        rows += await _race(hub, home, exchange)
    finally:
        await asyncio.to_thread(hub.stop)
    return rows


def _tickets(database: str, files: Path) -> dict[str, str]:
    def make(unit: Unit) -> dict[str, str]:
        return {one: make_ticket(unit, "sign_in", f"op{one}") for one in _EXTENSIONS}

    store = Store.open(database, files, clock.now)
    try:
        return store.write_now(make)
    finally:
        store.engines.dispose()


async def _watch(
    hub: HubProcess, home: Path, exchange: Exchange, tickets: dict[str, str], say: Callable[[str], None]
) -> Rows:
    async with open_browser() as browser:
        pages = [await _open(await open_page(browser), hub, tickets[one]) for one in _EXTENSIONS[:PAGES]]
        told: dict[str, float] = {}
        listening = [asyncio.create_task(_listen(hub, tickets[one], told)) for one in _EXTENSIONS[PAGES:]]
        try:
            say("warming up")
            await asyncio.to_thread(exchange.play, _EXTENSIONS, 10, 3, 1_000_000)
            await _wait_for_the_end_of(home, 30)
            say(f"{PER_SECOND} calls/s")
            spent, began = _cpu(hub.pid), time.monotonic()
            rang = await asyncio.to_thread(exchange.play, _EXTENSIONS, PER_SECOND, SECONDS, 1)
            share = (_cpu(hub.pid) - spent) / (time.monotonic() - began)
            await _wait_for_the_end_of(home, 30 + PER_SECOND * SECONDS)
            each = (_cpu(hub.pid) - spent) / (PER_SECOND * SECONDS)
            await asyncio.sleep(1)
            seen: dict[str, float] = {}
            for page in pages:
                seen |= await page.evaluate("window.seen")
        finally:
            for task in listening:
                task.cancel()
            await asyncio.gather(*listening, return_exceptions=True)
    wanted = [number for number in rang if int(number[5:]) % OPERATORS in range(1, PAGES + 1)]
    return [
        (f"AMI event to the page's DOM at {PER_SECOND} calls/s", _figure(rang, seen, wanted)),
        ("AMI event to the last byte of the stream", _figure(rang, told, [one for one in rang if one not in wanted])),
        ("the hub's share of a core meanwhile", f"{share:.0%} (load {os.getloadavg()[0]:.1f})"),
        ("the hub's CPU time for one call, desks and all", f"{each * 1000:.1f} ms"),
    ]


def _figure(rang: dict[str, float], seen: dict[str, float], wanted: list[str]) -> str:
    late = sorted((seen[number] - rang[number]) * 1000 for number in wanted if number in seen)
    if len(late) < 20:
        raise RuntimeError(f"only {len(late)} of {len(wanted)} calls were seen")
    cuts = quantiles(late, n=100)
    return f"p50 {cuts[49]:.0f} ms, p99 {cuts[98]:.0f} ms, worst {late[-1]:.0f} ms ({len(late)} of {len(wanted)} calls)"


async def _open(page: Page, hub: HubProcess, ticket: str) -> Page:
    await page.goto(f"{hub.address}/sign-in/once/{ticket}")
    await page.wait_for_selector("html[data-live=on]", state="attached")
    await page.evaluate(_WATCH)
    return page


async def _listen(hub: HubProcess, ticket: str, told: dict[str, float]) -> None:
    async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as http:
        async with http.get(f"{hub.address}/sign-in/once/{ticket}") as answer:
            assert answer.status == 200
        async with http.get(f"{hub.address}/desk/events", timeout=None) as stream:
            event = b""
            buffer = b""
            async for data in stream.content.iter_any():
                buffer += data
                while (end := buffer.find(b"\n\n")) >= 0:
                    event, buffer = buffer[:end], buffer[end + 2 :]
                    if event.startswith(b"event: calls"):
                        _note(event, told)


def _note(event: bytes, told: dict[str, float]) -> None:
    for call in json.loads(event.partition(b"data: ")[2])["calls"]:
        found = _NUMBER.search(call.get("info", ""))
        if call["state"] == "ringing" and found:
            told.setdefault(found[0], time.time())


def _cpu(pid: int) -> float:
    """Seconds of processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def _race(hub: HubProcess, home: Path, exchange: Exchange) -> Rows:
    before = _ended(home)
    began, spent = time.perf_counter(), _cpu(hub.pid)
    events = await asyncio.to_thread(exchange.pour, POURED, 2_000_000)
    await _wait_for_the_end_of(home, before + POURED)
    road = events / (time.perf_counter() - began)
    share, each = (_cpu(hub.pid) - spent) / (time.perf_counter() - began), (_cpu(hub.pid) - spent) / POURED
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


async def _wait_for_the_end_of(home: Path, calls: int) -> None:
    """Until the log has so many calls that have ended."""
    began = time.perf_counter()
    while (ended := _ended(home)) < calls:
        await asyncio.sleep(0.02)
        if time.perf_counter() - began > 300:
            raise RuntimeError(f"{ended} of {calls} calls have ended")


def _ended(home: Path) -> int:
    with sqlite3.connect(f"file:{home / 'touchline.db'}?mode=ro", uri=True, timeout=30) as connection:
        query = "SELECT count(*) FROM interaction WHERE ended_at IS NOT NULL"
        return int(connection.execute(query).fetchone()[0])


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
