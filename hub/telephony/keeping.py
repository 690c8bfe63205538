"""Keeps the picture of telephones and queues in the database, where every process of the hub sees it."""

from __future__ import annotations

import asyncio
from typing import Any

import structlog

from channels.contract import OperatorPresence, Presence
from storage.events import Event
from storage.repositories import phones as rows
from storage.store import Store
from storage.unit import Unit

log = structlog.get_logger(__name__)

_PAUSE_S = 0.2
"""Between two writes of one line: what changes meanwhile is written together."""


class PictureKeeper:
    """One line's picture. `show` takes the newest, `lose` forgets all of it: nothing is known any more."""

    def __init__(self, store: Store, line: str) -> None:
        self._store = store
        self._line = line
        self._newest: Presence | None = None
        self._writing: asyncio.Task[None] | None = None
        self._shown = False

    def show(self, picture: Presence) -> None:
        """Write it soon; a newer one may overtake it."""
        self._newest = picture
        self._shown = True
        if self._writing is None or self._writing.done():
            self._writing = asyncio.get_running_loop().create_task(self._write())

    async def _write(self) -> None:
        while (picture := self._newest) is not None:
            self._newest = None
            try:
                await self._store.write(lambda unit, picture=picture: keep(unit, picture))  # type: ignore[misc]
            except Exception as error:  # the database is away for a while: the picture comes again
                log.warning("picture_not_kept", line=self._line, error=repr(error))
                self._newest = self._newest or picture
                await asyncio.sleep(1.0)
            await asyncio.sleep(_PAUSE_S)

    async def lose(self) -> None:
        """The line is down, or another process has it: what was said of it counts no more."""
        if not self._shown:
            return
        self._shown = False
        self._newest = None
        writing, self._writing = self._writing, None
        if writing is not None:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
        try:
            await self._store.write(lambda unit: forget(unit, self._line))
        except Exception as error:  # nobody believes it either when nobody listens on the line
            log.info("picture_not_forgotten", line=self._line, error=repr(error))


def keep(unit: Unit, picture: Presence) -> None:
    """Write what has changed, and say so."""
    before = {row.extension: row.state for row in rows.read_phones(unit.connection, [picture.line])}
    for phone in rows.replace_phones(unit, picture.line, [_row(picture.line, one) for one in picture.operators]):
        _tell(unit, phone, before.get(phone["extension"]))
    queues = [
        {"line": picture.line, "queue": one.queue, "waiting": one.waiting, "longest_since": one.longest_since}
        for one in picture.queues
    ]
    if rows.replace_queues(unit, picture.line, queues):
        unit.emit(Event("queue", picture.line))


def forget(unit: Unit, line: str) -> None:
    """Nothing is known of this line."""
    before = {row.extension: row.state for row in rows.read_phones(unit.connection, [line])}
    for phone in rows.replace_phones(unit, line, []):
        _tell(unit, phone, before.get(phone["extension"]))
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
