"""What follows from the set-up, the calendar and from who is here, without any touch.

Open promises are judged by the regulations and calendars in force, and by the newest tables of zones and holidays;
whom they concern without a touch is enrolled; what belongs to people on leave goes to their deputies and comes back
with them, what belonged to operators who are no more to their teams; what waits is given to who becomes free;
recordings are let go of when their time is over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import structlog
from sqlalchemy import Connection, select

from hub import presence
from hub.actions.assigning import drain
from hub.actions.call_notes import find_forgotten, settle_forgotten
from hub.actions.leave import find_lenders, give_back, relieve
from hub.actions.leaving import find_owners, release
from hub.actor import SYSTEM
from hub.recordings.retention import Retention
from hub.setup.live import LiveSetUp
from hub.setup.snapshot import SetUp
from routing.calendar.holiday_table import HOLIDAYS_VERSION
from routing.calendar.zones import TZDATA_VERSION
from routing.enrolment import enrol
from routing.revision import refresh, revise
from storage.events import Event
from storage.models import conversation
from storage.repositories import bookmarks
from storage.store import Store
from storage.unit import Unit

log = structlog.get_logger(__name__)

T = TypeVar("T")

_EVERY_S = 30.0
_DRAIN_S = 3.0
_GATHER_S = 0.05
_CLOCK = "touchline:clock"
_TABLES = f"tzdata {TZDATA_VERSION}, holidays {HOLIDAYS_VERSION}"
_FREES = {"operator", "conversation"}


class Housekeeping:
    """One per process that works; doing the same twice harms nothing."""

    def __init__(self, store: Store, setup: LiveSetUp, retention: Retention | None = None) -> None:
        self._store = store
        self._setup = setup
        self._retention = retention
        self._bell = asyncio.Event()
        self._due = True
        self._waits = True
        setup.subscribe(self._hear)

    def ring(self, event: Event) -> None:
        """Somebody has come, hung up, or closed something: he may take what waits."""
        if event.subject in _FREES and event.what != "assigned" and self._setup.current.ways:
            self._waits = True
            self._bell.set()

    async def _hear(self, old: SetUp, new: SetUp) -> None:
        self._due = self._waits = True
        self._bell.set()

    async def run(self) -> None:
        """Look until cancelled: through the whole house now and then, and between whiles at what is to be given."""
        while True:
            self._due = False
            await self._see_to(self.look)
            until = asyncio.get_running_loop().time() + _EVERY_S
            while await self._is_rung(until):
                await self._see_to(self._give)

    async def _see_to(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except Exception as error:  # the database is away for a while: all of it is found again
            log.warning("house_not_kept", error=repr(error))

    async def _is_rung(self, until: float) -> bool:
        """Rest; False when it is time for the whole house."""
        now = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout_at(min(until, now + _DRAIN_S) if self._setup.current.ways else until):
                await self._bell.wait()
                await asyncio.sleep(_GATHER_S)  # what comes together is looked at together
        except TimeoutError:
            self._waits = True
        self._bell.clear()
        return not self._due and asyncio.get_running_loop().time() < until

    async def look(self) -> None:
        """Once through the house."""
        setup = self._setup.current
        await self._once("revised", str(setup.revision), lambda: self._walk(lambda u, n: revise(u, setup.book, n)))
        await self._once("tables", _TABLES, lambda: self._walk(lambda u, n: refresh(u, setup.book, n)))
        day = self._store.now().date()
        await self._once(
            "enrolled", f"{setup.revision}:{day}", lambda: self._walk(lambda u, n: enrol(u, setup.book, n))
        )
        await self._once("released", str(setup.revision), lambda: self._release(setup))
        await self._once("tidied", str(day), lambda: self._write(presence.tidy))
        await self._relieve(setup)
        await self._return(setup)
        await self._let_go_of_recordings(setup)
        if await self._store.read(lambda connection: find_forgotten(connection, self._store.now())):
            await self._write(lambda unit: settle_forgotten(unit, setup))
        await self._give()

    async def _give(self) -> None:
        if self._setup.current.ways and self._waits:
            self._waits = False
            await self.drain()

    async def drain(self) -> int:
        """Give what waits to who is free."""
        if not await self._store.read(_anything_waits):
            return 0
        setup = self._setup.current
        return await self._store.write(lambda unit: drain(unit, setup))

    async def _once(self, key: str, wanted: str, work: Callable[[], Any]) -> None:
        """Do it unless it was done for this state of things already, by whichever process."""
        if await self._store.read(lambda connection: bookmarks.read(connection, _CLOCK, key)) == wanted:
            return
        await work()
        await self._write(lambda unit: bookmarks.keep(unit, _CLOCK, key, wanted))

    async def _walk(self, portion: Callable[[Unit, int], int | None]) -> None:
        after: int | None = 0
        while after is not None:
            last = after
            after = await self._write(lambda unit, last=last: portion(unit, last))  # type: ignore[misc]

    async def _let_go_of_recordings(self, setup: SetUp) -> None:
        if self._retention is None:
            return
        retention, hour = self._retention, self._store.now().strftime("%Y-%m-%dT%H")
        await self._once("recordings", f"{setup.revision}:{hour}", lambda: retention.look(sorted(setup.lines)))

    async def _release(self, setup: SetUp) -> None:
        for operator in sorted(await self._store.read(find_owners) - set(setup.operators)):
            moved = await self._write(lambda unit, key=operator: release(unit, setup, key, SYSTEM))  # type: ignore[misc]
            log.info("released", operator=operator, **moved.as_json())

    async def _relieve(self, setup: SetUp) -> None:
        now = self._store.now()
        away = {key: setup.stand_in(key, now) for key in setup.operators if setup.is_away(key, now)}
        if not away:
            return
        owners = await self._store.read(find_owners)
        for operator, deputy in away.items():
            if operator in owners:
                await self._write(
                    lambda unit, key=operator, to=deputy: relieve(unit, setup, key, to, SYSTEM)  # type: ignore[misc]
                )

    async def _return(self, setup: SetUp) -> None:
        now = self._store.now()
        for operator in sorted(await self._store.read(find_lenders)):
            if not setup.is_away(operator, now):
                given = await self._write(lambda unit, key=operator: give_back(unit, setup, key, SYSTEM))  # type: ignore[misc]
                log.info("given_back", operator=operator, **given.as_json())

    async def _write(self, work: Callable[[Unit], T]) -> T:
        return await self._store.write(work)


def _anything_waits(connection: Connection) -> bool:
    columns = conversation.c
    query = select(columns.id).where(
        columns.owner.is_(None), columns.state == "open", columns.waiting_since.is_not(None)
    )
    return connection.execute(query.limit(1)).first() is not None
