"""Everybody who follows his talk at this moment in this process, and whom a hint wakes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import structlog

from channels.chat.session import identity_of
from channels.talk import Attendance, Hint, HintOf, Talk, Talks

log = structlog.get_logger(__name__)

_FRESH_S = 30.0
_STRANGERS_S = 1.0


@dataclass(slots=True, eq=False)
class Seat:
    """One open stream. `woken` = something may be new for it."""

    session: str
    network: str
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    clients: frozenset[int] = frozenset()
    conversations: frozenset[int] = frozenset()
    looked: float = 0.0

    def learn(self, talk: Talk) -> None:
        """Which hints are for this seat from now on."""
        self.clients, self.conversations = talk.clients, talk.conversations

    def concerns(self, hint: Hint) -> bool:
        """Is a hint about his talk? Whoever has none yet may have begun one in another process."""
        if not self.clients:
            return True
        return hint.client in self.clients or hint.conversation in self.conversations


class Lobby:
    """The open streams of one line. Listens to hints only while there is anybody."""

    def __init__(self, talks: Talks, clock: Callable[[], float] = time.monotonic) -> None:
        self._talks, self._clock = talks, clock
        self._seats: set[Seat] = set()
        self._unwatch: Callable[[], None] | None = None
        self._attendance: Attendance | None = None
        self._asked = 0.0
        self._asking = asyncio.Lock()
        self._leaving: set[asyncio.Task[None]] = set()
        self.closed = False

    @contextmanager
    def sit(self, session: str, network: str) -> Iterator[Seat]:
        """A stream is open inside the block."""
        seat = Seat(session, network)
        self._seats.add(seat)
        if self._unwatch is None:
            self._unwatch = self._talks.watch(self._hear)
        try:
            yield seat
        finally:
            self._seats.discard(seat)
            if not self._seats and self._unwatch is not None:
                self._unwatch()
                self._unwatch = None

    def count(self, *, session: str | None = None, network: str | None = None) -> int:
        """How many streams a session or a network has open; without either, how many there are."""
        if session is None and network is None:
            return len(self._seats)
        return sum(one.session == session or one.network == network for one in self._seats)

    def wake(self, session: str) -> None:
        """This visitor has just done something: all his tabs look again."""
        for seat in self._seats:
            if seat.session == session:
                seat.woken.set()

    def leave_later(self, session: str, grace_s: float) -> None:
        """One of his streams has ended: unless another opens soon, he is gone."""
        task = asyncio.get_running_loop().create_task(self._leave(session, grace_s))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def _leave(self, session: str, grace_s: float) -> None:
        await asyncio.sleep(grace_s)
        if not self.count(session=session):
            try:
                await self._talks.note_presence(identity_of(session), False)
            except Exception as error:  # he counts as gone anyhow, a little later
                log.info("leaving_not_noted", error=repr(error))

    async def close(self) -> None:
        """All streams end. Whoever comes back elsewhere is not gone."""
        self.closed = True
        for seat in self._seats:
            seat.woken.set()
        for task in self._leaving:
            task.cancel()
        await asyncio.gather(*self._leaving, return_exceptions=True)

    async def attendance(self) -> Attendance:
        """Who is there: asked for all together, anew after a hint and every half minute (doors open by the clock)."""
        async with self._asking:
            age = self._clock() - self._asked
            if self._attendance is None or age > _FRESH_S:
                self._attendance = await self._talks.attendance()
                self._asked = self._clock()
            return self._attendance

    def _hear(self, hint: Hint) -> None:
        now = self._clock()
        if hint.of is HintOf.ATTENDANCE:
            self._attendance = None
        for seat in self._seats:
            if hint.of is not HintOf.TALK or (seat.concerns(hint) and self._may_look(seat, now)):
                seat.woken.set()

    def _may_look(self, seat: Seat, now: float) -> bool:
        """Every message of the house would wake all who have only opened the panel: once a second is enough."""
        if seat.clients or now - seat.looked >= _STRANGERS_S:
            seat.looked = now
            return True
        return False
