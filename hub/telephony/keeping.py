"""Keeps the picture of telephones and queues in the database, where every process of the hub sees it; and how long
each telephone was talked on or ready, for the figures."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import structlog

from channels.contract import OperatorPresence, Presence
from hub.setup.live import LiveSetUp
from hub.setup.snapshot import SetUp
from hub.telephony.spent import Piece, Spent
from storage.events import Event
from storage.repositories import phone_time
from storage.repositories import phones as rows
from storage.store import Store
from storage.unit import Unit

log = structlog.get_logger(__name__)

_PAUSE_S = 0.2
"""Between two writes of one line: what changes meanwhile is written together."""
_TOLD_S = 60.0
"""How often what lasts is told: so much of it is lost at most when the process dies."""


class PictureKeeper:
    """One line's picture. `show` takes the newest, `lose` forgets all of it: nothing is known any more."""

    def __init__(self, store: Store, setup: LiveSetUp, line: str) -> None:
        self._store = store
        self._setup = setup
        self._line = line
        self._newest: Presence | None = None
        self._writing: asyncio.Task[None] | None = None
        self._telling: asyncio.Task[None] | None = None
        self._shown = False
        self._spent = Spent()
        self._pieces: list[Piece] = []

    def show(self, picture: Presence) -> None:
        """Write it soon; a newer one may overtake it."""
        self._newest = picture
        self._shown = True
        self._pieces += self._spent.see(picture)
        loop = asyncio.get_running_loop()
        if self._writing is None or self._writing.done():
            self._writing = loop.create_task(self._write())
        if self._telling is None or self._telling.done():
            self._telling = loop.create_task(self._tell())

    async def _write(self) -> None:
        while (picture := self._newest) is not None:
            self._newest = None
            pieces, self._pieces = self._pieces, []
            try:
                await self._store.write(lambda unit, picture=picture, pieces=pieces: self._keep(unit, picture, pieces))  # type: ignore[misc]
            except Exception as error:  # the database is away for a while: the picture comes again
                log.warning("picture_not_kept", line=self._line, error=repr(error))
                self._newest = self._newest or picture
                self._pieces = [*pieces, *self._pieces]
                await asyncio.sleep(1.0)
            await asyncio.sleep(_PAUSE_S)

    def _keep(self, unit: Unit, picture: Presence, pieces: list[Piece]) -> None:
        keep(unit, picture)
        keep_time(unit, self._setup.current, self._line, pieces)

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(_TOLD_S)
            await self._keep_rest(self._spent.tell(self._store.now()))

    async def _keep_rest(self, pieces: list[Piece]) -> None:
        """What no picture is written for."""
        told = [*self._pieces, *pieces]
        self._pieces = []
        try:
            await self._store.write(lambda unit: keep_time(unit, self._setup.current, self._line, told))
        except Exception as error:
            log.warning("time_not_kept", line=self._line, error=repr(error))
            self._pieces = [*told, *self._pieces]

    async def lose(self) -> None:
        """The line is down, or another process has it: what was said of it counts no more."""
        if not self._shown:
            return
        self._shown = False
        self._newest = None
        tasks = [task for task in (self._writing, self._telling) if task is not None]
        self._writing = self._telling = None
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._keep_rest(self._spent.end(self._store.now()))
        try:
            await self._store.write(lambda unit: forget(unit, self._line))
        except Exception as error:  # nobody believes it either when nobody listens on the line
            log.info("picture_not_forgotten", line=self._line, error=repr(error))


def keep(unit: Unit, picture: Presence) -> None:
    """Write what has changed, and say so."""
    phones = [_row(picture.line, one) for one in picture.operators]
    for phone, before in rows.replace_phones(unit, picture.line, phones):
        _tell(unit, phone, before)
    queues = [
        {"line": picture.line, "queue": one.queue, "waiting": one.waiting, "longest_since": one.longest_since}
        for one in picture.queues
    ]
    if rows.replace_queues(unit, picture.line, queues):
        unit.emit(Event("queue", picture.line))


def keep_time(unit: Unit, setup: SetUp, line: str, pieces: Iterable[Piece]) -> None:
    """Write how long telephones did what. Who could be rung outside his team's hours was not ready for a call."""
    found = {(one.extension, one.since): one for one in pieces if one.kind != "ready" or _works(setup, one)}
    phone_time.keep(
        unit,
        [
            {
                "line": line,
                "extension": one.extension[:40],
                "since": one.since,
                "operator": one.operator,
                "kind": one.kind,
                "seconds": one.seconds,
            }
            for one in found.values()
        ],
    )


def _works(setup: SetUp, piece: Piece) -> bool:
    """Whether his first team has open hours then; nobody is ready while he is on leave."""
    operator = setup.operators.get(piece.operator)
    team = next(iter(operator.teams), None) if operator is not None else None
    return setup.book.calendar_for(None, team).is_open(piece.since) and not setup.is_away(piece.operator, piece.since)


def forget(unit: Unit, line: str) -> None:
    """Nothing is known of this line."""
    for phone, before in rows.replace_phones(unit, line, []):
        _tell(unit, phone, before)
    if rows.replace_queues(unit, line, []):
        unit.emit(Event("queue", line))


def _row(line: str, one: OperatorPresence) -> dict[str, Any]:
    return {
        "line": line,
        "extension": one.extension[:40],
        "operator": one.operator,
        "state": one.state.value,
        "since": one.since,
        "paused": one.paused,
        "reason": one.reason,
        "queues": list(one.queues),
    }


def _tell(unit: Unit, phone: rows.Phone, before: str | None) -> None:
    """Whoever stops or begins to talk may be given other work, or none."""
    operator = phone["operator"]
    if operator is None:
        return
    unit.emit(Event("phone", operator, phone["state"], operator=operator))
    if "talking" in (before, phone["state"]) and before != phone["state"]:
        state = "on_call" if phone["state"] == "talking" else "here"
        unit.emit(Event("operator", operator, state, operator=operator))
