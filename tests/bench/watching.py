"""Desks that are watched while telephones ring: two of ten in Chromium, where a MutationObserver notes when the
caller's number is in the page, the others as plain streams."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sqlite3
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from statistics import quantiles

from aiohttp import ClientSession, CookieJar
from playwright.async_api import Page

from hub import clock
from hub.access.tickets import make_ticket
from storage.store import Store
from storage.unit import Unit
from tests.flows.house import OFFICE, bring, settings_at
from tests.flows.processes import HubProcess
from tests.peers.chromium import open_browser, open_page

OPERATORS, PAGES = 10, 2
EXTENSIONS = [str(500 + number) for number in range(OPERATORS)]
_NUMBER = re.compile(r"\+7926\d{7}")

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
Instants = Mapping[str, float]
"""A caller's number -> seconds since 1970."""


def number_of(call: int) -> str:
    """Who calls; the last digit says whose telephone rings."""
    return f"+7926{call:07}"


async def open_house(home: Path, line: str) -> tuple[HubProcess, dict[str, str]]:
    """A hub on SQLite with ten operators and this PBX line; their sign-in tickets by extension."""
    people = "".join(
        f'[operator.op{number}]\nname = "Operator {number}"\nteams = ["support"]\nextension = "{number}"\n'
        for number in EXTENSIONS
    )
    gate = '[regulation.source]\ntitle = "Ask for the source"\nkind = "gate"\nrequire = ["source"]\n'
    address = f"sqlite:///{home / 'touchline.db'}"
    settings = settings_at(home, address)
    await asyncio.to_thread(bring, settings, OFFICE + line + people + gate)
    tickets = await asyncio.to_thread(_make_tickets, address, settings.files)
    return await asyncio.to_thread(HubProcess("run", home, database_url=address).start), tickets


def _make_tickets(address: str, files: Path) -> dict[str, str]:
    def make(unit: Unit) -> dict[str, str]:
        return {one: make_ticket(unit, "sign_in", f"op{one}") for one in EXTENSIONS}

    store = Store.open(address, files, clock.now)
    try:
        return store.write_now(make)
    finally:
        store.engines.dispose()


class Desks:
    """The open desks of one house; `page_seen` and `stream_seen` are when a number was there."""

    def __init__(self, hub: HubProcess, tickets: Mapping[str, str]) -> None:
        self._hub, self._tickets = hub, tickets
        self._pages: list[Page] = []
        self._open = AsyncExitStack()
        self._listening: list[asyncio.Task[None]] = []
        self.stream_seen: dict[str, float] = {}

    async def __aenter__(self) -> Desks:
        browser = await self._open.enter_async_context(open_browser())
        self._pages = [await self._show(await open_page(browser), one) for one in EXTENSIONS[:PAGES]]
        self._listening = [asyncio.create_task(self._listen(one)) for one in EXTENSIONS[PAGES:]]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._listening:
            task.cancel()
        await asyncio.gather(*self._listening, return_exceptions=True)
        await self._open.aclose()

    async def page_seen(self) -> dict[str, float]:
        """When numbers were in the DOM."""
        seen: dict[str, float] = {}
        for page in self._pages:
            seen |= await page.evaluate("window.seen")
        return seen

    async def _show(self, page: Page, extension: str) -> Page:
        await page.goto(f"{self._hub.address}/sign-in/once/{self._tickets[extension]}")
        await page.wait_for_selector("html[data-live=on]", state="attached")
        await page.evaluate(_WATCH)
        return page

    async def _listen(self, extension: str) -> None:
        async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as http:
            async with http.get(f"{self._hub.address}/sign-in/once/{self._tickets[extension]}") as answer:
                assert answer.status == 200
            async with http.get(f"{self._hub.address}/desk/events", timeout=None) as stream:
                buffer = b""
                async for data in stream.content.iter_any():
                    buffer += data
                    while (end := buffer.find(b"\n\n")) >= 0:
                        event, buffer = buffer[:end], buffer[end + 2 :]
                        if event.startswith(b"event: calls"):
                            self._note(event)

    def _note(self, event: bytes) -> None:
        for call in json.loads(event.partition(b"data: ")[2])["calls"]:
            found = _NUMBER.search(call.get("info", ""))
            if call["state"] == "ringing" and found:
                self.stream_seen.setdefault(found[0], time.time())


Play = Callable[[float, float, int], Awaitable[Instants]]
"""Calls a second, for so many seconds, from this caller on (its last digit is 0); answers when each one's telephone was
told to ring."""


async def measure_pops(
    hub: HubProcess, home: Path, tickets: Mapping[str, str], play: Play, per_second: float, seconds: float
) -> Rows:
    """How soon who calls is on the ten desks, and what it costs the hub."""
    calls = round(per_second * seconds)
    async with Desks(hub, tickets) as desks:
        before = ended(home)
        await play(10, 3, 1_000_000)
        await wait_for_the_end_of(home, before + 30)
        spent, began = cpu_seconds(hub.pid), time.monotonic()
        rang = await play(per_second, seconds, 10)
        share = (cpu_seconds(hub.pid) - spent) / (time.monotonic() - began)
        await wait_for_the_end_of(home, before + 30 + calls)
        each = (cpu_seconds(hub.pid) - spent) / calls
        await asyncio.sleep(1)
        seen = await desks.page_seen()
    pages = [number for number in rang if int(number[-1]) < PAGES]
    streams = [number for number in rang if number not in pages]
    return [
        (f"AMI event to the page's DOM at {per_second:g} calls/s", _figure(rang, seen, pages)),
        ("AMI event to the last byte of the stream", _figure(rang, desks.stream_seen, streams)),
        ("the hub's share of a core meanwhile", f"{share:.0%} (load {os.getloadavg()[0]:.1f})"),
        ("the hub's CPU time for one call, desks and all", f"{each * 1000:.1f} ms"),
    ]


def _figure(rang: Instants, seen: Instants, wanted: Sequence[str]) -> str:
    late = sorted((seen[number] - rang[number]) * 1000 for number in wanted if number in seen)
    if len(late) < 20:
        raise RuntimeError(f"only {len(late)} of {len(wanted)} calls were seen")
    cuts = quantiles(late, n=100)
    return f"p50 {cuts[49]:.0f} ms, p99 {cuts[98]:.0f} ms, worst {late[-1]:.0f} ms ({len(late)} of {len(wanted)} calls)"


def cpu_seconds(pid: int) -> float:
    """Seconds of processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def wait_for_the_end_of(home: Path, calls: int) -> None:
    """Until the log has so many calls that have ended."""
    began = time.perf_counter()
    while (found := ended(home)) < calls:
        await asyncio.sleep(0.1)
        if time.perf_counter() - began > 300:
            raise RuntimeError(f"{found} of {calls} calls have ended")


def ended(home: Path) -> int:
    """How many calls of the log have ended."""
    query = "SELECT count(*) FROM interaction WHERE ended_at IS NOT NULL"
    with sqlite3.connect(f"file:{home / 'touchline.db'}?mode=ro", uri=True, timeout=30) as connection:
        return int(connection.execute(query).fetchone()[0])
