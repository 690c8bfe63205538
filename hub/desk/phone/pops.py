"""What pages are shown of calls, read once for all of them; of a call that begins to ring, before any of them is told.

A page that is told waits for its turn, and a thread that reads for it waits for the interpreter's: under load each turn
costs more than the reading. So the thread that has just committed the call goes on to read what will be asked for.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web
from sqlalchemy import Connection

from hub.call_parts import RINGING
from hub.composition import Hub
from hub.desk.phone.pop import Pop, Row, go_on, read_pop
from storage.events import Event

PICKED = frozenset({"answered", "transferred"})
_PHASES = PICKED | {RINGING, "unanswered", "held", "resumed", "asking", "left", "ended", "completed"}
"""Steps of the call itself, which change nothing about whose it is; what people do (choose, rename) is read anew."""
_MOST_KEPT = 500
_Read = asyncio.Future[Pop | None]


class Pops:
    """One per process that shows desks."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._reading: dict[int, tuple[Event, _Read]] = {}
        self._desks: Counter[str] = Counter()
        self._ahead: dict[int, tuple[Event, Pop | None]] = {}
        hub.live.before_telling(self._read_ahead)

    @contextmanager
    def open_for(self, operator: str) -> Iterator[None]:
        """He has a desk open: what rings at his telephone will be asked for."""
        self._desks[operator] += 1
        try:
            yield
        finally:
            self._desks[operator] -= 1

    async def read(self, number: int, cause: Event | None = None) -> Pop | None:
        """A call as it is now, or was when `cause` was told."""
        if cause is None:
            return await self._read(number)
        known = self._reading.get(number)
        if known is None or known[0] is not cause:
            known = (cause, self._begin(number, cause, known))
            self._reading.pop(number, None)
            self._reading[number] = known
            if len(self._reading) > _MOST_KEPT:
                self._reading.pop(next(iter(self._reading)))
        return await asyncio.shield(known[1])

    def _begin(self, number: int, cause: Event, known: tuple[Event, _Read] | None) -> _Read:
        """Read it in a thread, unless all of it is known."""
        ahead = self._ahead.pop(number, None)
        if ahead is not None and ahead[0] is cause:
            return _done(ahead[1])
        before = _recent(known) if cause.what in _PHASES else None
        if before is not None and cause.row is not None and cause.what not in PICKED:
            pop = go_on(self._hub.setup.current, before, cause.row)
            if pop is not None:
                return _done(pop)
        return asyncio.create_task(self._read(number, before, cause.row))

    async def _read(self, number: int, before: Pop | None = None, row: Row | None = None) -> Pop | None:
        return await self._hub.store.read_at_once(lambda connection: self._look(connection, number, before, row))

    def _look(self, connection: Connection, number: int, before: Pop | None, row: Row | None) -> Pop | None:
        return read_pop(connection, self._hub.setup.current, number, self._hub.store.now(), before, row)

    def _read_ahead(self, events: tuple[Event, ...]) -> None:
        """In the lane's thread: what rings where a desk is open, unless it rang already."""
        wanted = [one for one in events if one.what == RINGING and one.row is not None and self._is_watched(one)]
        wanted = [one for one in wanted if int(one.id) not in self._reading]
        if not wanted:
            return
        if len(self._ahead) > _MOST_KEPT:  # whoever was to ask for them has gone
            self._ahead.clear()
        found = self._hub.store.read_plainly(
            lambda connection: [self._look(connection, int(one.id), None, one.row) for one in wanted]
        )
        self._ahead |= {int(one.id): (one, pop) for one, pop in zip(wanted, found, strict=True)}

    def _is_watched(self, event: Event) -> bool:
        return any(self._desks[one] for one in (event.phones or "").split(","))


POPS: web.AppKey[Pops] = web.AppKey("desk_pops")


def _done(pop: Pop | None) -> _Read:
    done: _Read = asyncio.get_running_loop().create_future()
    done.set_result(pop)
    return done


def _recent(known: tuple[Event, _Read] | None) -> Pop | None:
    """What was read for the phase before, if it went well."""
    if known is None or not known[1].done() or known[1].cancelled() or known[1].exception() is not None:
        return None
    return known[1].result()
