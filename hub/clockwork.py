"""Lets the clock look at what is due: obligations, steps, reminders, postponed conversations."""

from __future__ import annotations

import asyncio

import structlog

from hub.setup.live import LiveSetUp
from routing.timers import next_wake, sweep
from storage.events import Event
from storage.store import Store

log = structlog.get_logger(__name__)

_AT_ONCE = 500
_LONGEST_S = 5.0
_GATHER_S = 0.1
"""Under load every commit rings; one look serves the rings of this long."""


class Clockwork:
    """One per process that works. It sleeps until the next promise is due, or until something changes."""

    def __init__(self, store: Store, setup: LiveSetUp) -> None:
        self._store = store
        self._setup = setup
        self._bell = asyncio.Event()

    def ring(self, event: Event) -> None:
        """A promise or a task has changed: the next instant may be another one."""
        if event.subject in {"obligation", "task", "conversation", "setup"}:
            self._bell.set()

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            self._bell.clear()
            try:
                pause = await self.look()
            except Exception as error:  # the database is away for a while: what is due then is marked late
                log.warning("clock_not_read", error=repr(error))
                pause = _LONGEST_S
            try:
                async with asyncio.timeout(pause):
                    await self._bell.wait()
            except TimeoutError:
                continue
            await asyncio.sleep(_GATHER_S)

    async def look(self) -> float:
        """Do everything that is due; answers how many seconds nothing else is."""
        while True:
            wake = await self._store.read(next_wake)
            wait = (wake - self._store.now()).total_seconds() if wake else _LONGEST_S
            if wait > 0:
                return min(wait, _LONGEST_S)
            if not await self._sweep():
                return 0.5

    async def _sweep(self) -> int:
        setup = self._setup.current
        return await self._store.write(lambda unit: sweep(unit, setup.book, setup.book.roster, _AT_ONCE))
