"""The write lane: one thread that takes what has queued up and commits it together.

Callers are async and wait for their own piece; inside the lane everything is plain synchronous code. One transaction
carries up to `most` pieces, so that one fsync serves them all. A piece that raises is undone alone.
"""

from __future__ import annotations

import asyncio
import threading
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import structlog
from sqlalchemy.exc import DBAPIError

from storage.engine import Engines
from storage.events import Event
from storage.trailing import settle
from storage.unit import Unit, open_unit

log = structlog.get_logger(__name__)

T = TypeVar("T")
Item = TypeVar("Item")
Result = TypeVar("Result")

Batch = Callable[[Unit, Sequence[Any]], Sequence[Any]]

_RACES = frozenset({"23505", "40001", "40P01"})
"""PostgreSQL's unique violation, serialisation failure and deadlock."""

_CROWD = 8
"""After a transaction of so many pieces the lane lets the next one fill: full ones cost each piece much less."""
_LOOK_S = 0.001
_LOOKS = 12


class LaneClosed(RuntimeError):
    """The lane is stopped: the work was not done and may be handed in again after a restart."""


@dataclass(slots=True, eq=False)
class _Piece:
    work: Callable[[Unit], Any] | None
    batch: Batch | None
    item: Any
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    outcome: Any = None
    error: BaseException | None = None


Group = tuple[Batch | None, list[_Piece]]

BUCKETS = (1, 2, 4, 8, 16, 32, 64, 128)


@dataclass(slots=True)
class Figures:
    """What a lane has done so far, for monitoring. `buckets` counts transactions by their number of pieces."""

    pieces: int = 0
    failed: int = 0
    buckets: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))

    def note(self, pieces: int) -> None:
        """One transaction."""
        self.pieces += pieces
        self.buckets[bisect_left(BUCKETS, pieces)] += 1


class Lane:
    """Start it once per process; `told` receives the events of every committed transaction, in the lane's thread, and
    `committed` how many pieces it had."""

    def __init__(
        self,
        engines: Engines,
        now: Callable[[], datetime],
        *,
        told: Callable[[tuple[Event, ...]], None] = lambda events: None,
        before_commit: Callable[[Unit], None] | None = None,
        committed: Callable[[int], None] | None = None,
        most: int = 128,
    ) -> None:
        self._engines = engines
        self._now = now
        self._told = told
        self._before_commit = before_commit
        self._committed = committed
        self._most = most
        self._queue: deque[_Piece] = deque()
        self._bell = threading.Condition()
        self._closing = False
        self._closed = threading.Event()
        self._crowded = False
        self.figures = Figures()
        self._thread = threading.Thread(target=self._run, name="write-lane", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def close(self) -> None:
        """Finish what is queued, then stop. Blocks; call it off the event loop."""
        with self._bell:
            self._closing = True
            self._closed.set()
            self._bell.notify()
        if self._thread.is_alive():
            self._thread.join()

    @property
    def alive(self) -> bool:
        """Whether its thread works."""
        return self._thread.is_alive()

    @property
    def waiting(self) -> int:
        """How many pieces wait for their transaction."""
        return len(self._queue)

    async def write(self, work: Callable[[Unit], T]) -> T:
        """Do `work` in a transaction; returns after the commit. What `work` raises is raised here, and undone alone."""
        return await self._hand_in(work, None, None)  # type: ignore[no-any-return]

    async def hand_in(self, batch: Callable[[Unit, Sequence[Item]], Sequence[Result]], item: Item) -> Result:
        """Let `batch` work on `item` together with whatever else waits for the same `batch`.

        `batch` answers one result per item, in order. If it raises, its items are tried one by one.
        """
        return await self._hand_in(None, batch, item)  # type: ignore[no-any-return]

    def _hand_in(self, work: Callable[[Unit], Any] | None, batch: Batch | None, item: Any) -> asyncio.Future[Any]:
        loop = asyncio.get_running_loop()
        piece = _Piece(work, batch, item, loop, loop.create_future())
        with self._bell:
            if self._closing:
                raise LaneClosed("the hub is stopping")
            self._queue.append(piece)
            self._bell.notify()
        return piece.future

    def _run(self) -> None:
        while pieces := self._take():
            try:
                events = self._commit(pieces)
            except BaseException as error:
                log.warning("transaction_failed", error=repr(error), pieces=len(pieces))
                self.figures.failed += 1
                for piece in pieces:
                    piece.error = piece.error or error
                events = ()
            self.figures.note(len(pieces))
            self._tell(events)
            _answer(pieces)
            if self._committed is not None:
                self._committed(len(pieces))

    def _tell(self, events: tuple[Event, ...]) -> None:
        """What is committed stays so, whoever cannot be told; and the lane must go on."""
        if not events:
            return
        try:
            self._told(events)
        except Exception as error:
            log.warning("events_not_told", error=repr(error), events=len(events))

    def _take(self) -> list[_Piece]:
        with self._bell:
            while not self._queue and not self._closing:
                self._bell.wait()
        if self._crowded:
            self._gather()
        with self._bell:
            pieces = [self._queue.popleft() for _ in range(min(self._most, len(self._queue)))]
        self._crowded = len(pieces) >= _CROWD
        return pieces

    def _gather(self) -> None:
        """Those who were just answered are about to come again: as long as each look finds more, wait for them."""
        waiting = 0
        for _ in range(_LOOKS):
            before, waiting = waiting, len(self._queue)
            if waiting == before or waiting >= self._most or self._closed.wait(_LOOK_S):
                return

    def _commit(self, pieces: list[_Piece]) -> tuple[Event, ...]:
        groups = _grouped(pieces)
        try:
            return self._commit_whole(groups)
        except _WorkFailed as failure:
            error = failure.__cause__
            if len(pieces) == 1 and not _is_race(error):
                pieces[0].error = error
                return ()
            log.info("transaction_split", pieces=len(pieces), error=repr(error))
            if len(groups) == 1:
                groups = [(groups[0][0], [piece]) for piece in pieces]
        with open_unit(self._engines, self._now(), self._before_commit) as unit:
            for batch, group in groups:
                if batch is None:
                    _do_alone(unit, group[0])
                else:
                    _do_together(unit, batch, group)
            return unit.events

    def _commit_whole(self, groups: list[Group]) -> tuple[Event, ...]:
        """The usual case: nothing fails, so that nothing needs a savepoint (nor its cost: full text is written out at
        each). Raises `_WorkFailed` if any of the work does, with everything undone."""
        with open_unit(self._engines, self._now(), self._before_commit) as unit:
            try:
                outcomes = [_work_through(unit, batch, group) for batch, group in groups]
                settle(unit.connection)
            except Exception as error:
                raise _WorkFailed from error
        for (_, group), mine in zip(groups, outcomes, strict=True):
            _take_down(group, mine)
        return unit.events


class _WorkFailed(Exception):
    """Something in a transaction raised: each piece of it is to be tried in a savepoint of its own."""


def _work_through(unit: Unit, batch: Batch | None, group: list[_Piece]) -> Sequence[Any]:
    return batch(unit, [piece.item for piece in group]) if batch else [_work(group[0], unit)]


def _take_down(group: list[_Piece], outcomes: Sequence[Any]) -> None:
    for piece, outcome in zip(group, outcomes, strict=True):
        piece.outcome = outcome


def _grouped(pieces: list[_Piece]) -> list[Group]:
    """Items of one batch go together; the order between single pieces is kept."""
    groups: list[Group] = []
    for piece in pieces:
        if piece.batch is not None and groups and groups[-1][0] == piece.batch:
            groups[-1][1].append(piece)
        else:
            groups.append((piece.batch, [piece]))
    return groups


def _work(piece: _Piece, unit: Unit) -> Any:
    assert piece.work is not None
    return piece.work(unit)


def _do_alone(unit: Unit, piece: _Piece) -> None:
    try:
        piece.outcome = _do_again_if_raced(unit, lambda: _work(piece, unit))
    except Exception as error:
        piece.error = error


def _do_together(unit: Unit, batch: Batch, group: list[_Piece]) -> None:
    try:
        outcomes = _do_again_if_raced(unit, lambda: _work_through(unit, batch, group))
    except Exception as error:
        if len(group) == 1:
            group[0].error = error
            return
        log.info("batch_split", items=len(group), error=repr(error))
        for piece in group:
            _do_together(unit, batch, [piece])
        return
    _take_down(group, outcomes)


def _do_again_if_raced(unit: Unit, work: Callable[[], T]) -> T:
    """Work in a savepoint; once more when another process was in the way (both wrote the same thing, or each waited
    for the other): a second look sees what that one has done."""
    try:
        with unit.savepoint():
            return work()
    except DBAPIError as error:
        if not _is_race(error):
            raise
        log.info("raced", error=repr(error.orig))
    with unit.savepoint():
        return work()


def _is_race(error: BaseException | None) -> bool:
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in _RACES


def _answer(pieces: list[_Piece]) -> None:
    by_loop: dict[asyncio.AbstractEventLoop, list[_Piece]] = {}
    for piece in pieces:
        by_loop.setdefault(piece.loop, []).append(piece)
    for loop, mine in by_loop.items():
        try:
            loop.call_soon_threadsafe(_settle, mine)
        except RuntimeError:  # the loop was closed meanwhile: nobody waits any more
            log.info("nobody_waits", pieces=len(mine))


def _settle(pieces: list[_Piece]) -> None:
    for piece in pieces:
        if piece.future.done():
            continue
        if piece.error is not None:
            piece.future.set_exception(piece.error)
        else:
            piece.future.set_result(piece.outcome)
