"""A hub on a real Asterisk: on SQLite as one process, on PostgreSQL as two that share nothing but the database."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import ClientSession

from hub.access.tokens import make_token
from hub.app import open_hub
from storage import models
from tests.flows.house import OFFICE, House, bring, settings_at
from tests.peers.asterisk import Asterisk
from tests.peers.asterisk_conf import SECRET
from tests.peers.missing import PeerMissing, do_without
from tests.peers.sipp import Phones

Row = dict[str, Any]


def set_up(pbx: Asterisk, *more: str) -> str:
    """The line `pbx` of a real exchange; the first telephones of its first desks are operators `op1`, `op2`, …"""
    operators = "".join(
        f'[operator.op{desk.number}]\nname = "Operator {desk.number}"\nteams = ["support"]\n'
        f'extension = "{desk.phones[0]}"\n'
        for desk in pbx.desks[:8]
    )
    queues = ", ".join(f'"{desk.queue}"' for desk in pbx.desks[:8])
    line = (
        f'[line.pbx]\nchannel = "asterisk"\nteam = "support"\nhost = "127.0.0.1"\nport = {pbx.ami}\n'
        f'username = "hub"\nsecret = "{SECRET}"\ninterface = "{pbx.interface}"\n'
        f'queues = [{queues}, "{pbx.names.empty}"]\nroute_agi = "127.0.0.1:{pbx.agi}"\nping_s = 1.0\nring_s = 4.0\n'
    )
    back = '[regulation.call-back]\ntitle = "Call back"\nkind = "follow_up"\nafter = { event = "call.missed" }\n'
    back += 'within = "1 working hours"\n'
    return "\n".join((line, *more, operators, back))


@dataclass(slots=True)
class Exchange:
    """`house` is the process that serves the web, `listener` the one that listens (the same on SQLite)."""

    pbx: Asterisk
    phones: Phones
    house: House
    listener: House
    token: str

    async def api(self, method: str, path: str, body: Any = None) -> tuple[int, Row]:
        """Status and body."""
        headers = {"Authorization": f"Bearer {self.token}"}
        address = f"{self.house.address}/api/v1{path}"
        async with self.house.http.request(method, address, json=body, headers=headers) as answer:
            return answer.status, await answer.json()

    async def ok(self, method: str, path: str, body: Any = None) -> Row:
        """The body of what must succeed."""
        status, found = await self.api(method, path, body)
        assert status in (200, 201), (status, found)
        return found

    async def phone(self, number: int) -> Row:
        """One operator's telephone, as the API shows it."""
        found = await self.ok("GET", "/phones")
        return next(one for one in found["operators"] if one["operator"] == f"op{number}")

    async def until(self, what: str, seen: Callable[[], Awaitable[Any]], seconds: float = 60.0) -> Any:
        """Wait until something is so; what it is."""
        end = time.monotonic() + seconds
        while not (found := await seen()):
            assert time.monotonic() < end, f"not within {seconds} s: {what}; {await self.ok('GET', '/phones')}"
            await asyncio.sleep(0.05)
        return found

    async def shows(self, number: int, state: str, **more: Any) -> Row:
        """Wait until a telephone is shown like this."""

        async def seen() -> Row | None:
            found = await self.phone(number)
            return found if found["state"] == state and more.items() <= found.items() else None

        shown: Row = await self.until(f"op{number} {state} {more}", seen)
        return shown

    async def call_to(self, number: str, **where: Any) -> Row:
        """Wait for the end of the newest call from or to a number; its row."""

        async def seen() -> Row | None:
            rows = await self.house.rows(models.interaction, line="pbx", kind="call", **where)
            mine = [row for row in rows if number in (row["call"].get("to"), row["call"].get("from"))]
            return mine[-1] if mine and mine[-1]["ended_at"] is not None else None

        found: Row = await self.until(f"end of the call with {number}", seen)
        return found


@asynccontextmanager
async def open_exchange(home: Path, url: str, pbx: Asterisk, *more: str) -> AsyncIterator[Exchange]:
    """The whole of it."""
    settings = settings_at(home, url)
    await asyncio.to_thread(bring, settings, "\n".join((OFFICE, set_up(pbx, *more))))
    try:
        phones = Phones(pbx)
    except PeerMissing as problem:
        do_without(problem)
    split = not url.startswith("sqlite")
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(ClientSession())
        await stack.enter_async_context(phones)
        roles = frozenset({"web", "work"} if split else {"web", "work", "listen"})
        hub, address = await stack.enter_async_context(open_hub(settings, roles))
        house = listener = House(hub, address, http)
        if split:
            other, _ = await stack.enter_async_context(open_hub(settings, frozenset({"listen"})))
            listener = House(other, "", http)
        await house.line_runs("pbx")
        token = await house.store.write(lambda unit: make_token(unit, "flow", "admin"))
        found = Exchange(pbx, phones, house, listener, token)
        await found.shows(0, "free")
        pbx.ask_hub_at(f"{address}/route/pbx")
        yield found
