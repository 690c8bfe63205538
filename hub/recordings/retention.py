"""Recordings are kept for as long as their line says (`keep_recordings`): then they are deleted, and the row says so.

What cannot be deleted (a web server, a folder mounted read-only) is hidden instead, and the row says that, too.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Connection, insert, select

from channels.contract import Keeping, OpenCall, Telephone
from hub.actions.finding import change_row, find_row
from hub.actor import SYSTEM
from hub.journal import note
from hub.recordings.names import names_of
from storage import models
from storage.events import Event
from storage.repositories import bookmarks
from storage.store import Store
from storage.unit import Unit

log = structlog.get_logger(__name__)

Row = dict[str, Any]

_BOOKMARK = "recordings kept until"
_PORTION = 200


@dataclass(frozen=True, slots=True)
class Retention:
    """`telephone_of` answers the channel of a line, None if it is no telephone exchange or cannot be made."""

    store: Store
    telephone_of: Callable[[str], Telephone | None]

    async def look(self, lines: list[str]) -> int:
        """Let go of what is too old on these lines; answers how many calls that concerned."""
        done = 0
        for line in lines:
            telephone = self.telephone_of(line)
            if telephone is not None and telephone.keeping.days is not None:
                done += await self._look_at(line, telephone, telephone.keeping)
        return done

    async def _look_at(self, line: str, telephone: Telephone, keeping: Keeping) -> int:
        done = 0
        while True:
            until = self.store.now() - timedelta(days=keeping.days or 0)
            calls, last = await self.store.read(lambda connection, until=until: _find_old(connection, line, until))  # type: ignore[misc]
            for call in calls:
                how = await asyncio.to_thread(_erase, telephone, call)
                await self.store.write(
                    lambda unit, number=call["id"], how=how: _mark(unit, number, how, keeping.days or 0)  # type: ignore[misc]
                )
                done += 1
            if last is None:
                return done
            await self.store.write(lambda unit, last=last: bookmarks.keep(unit, line, _BOOKMARK, str(last)))  # type: ignore[misc]


def _find_old(connection: Connection, line: str, until: datetime) -> tuple[list[Row], int | None]:
    """The next calls to let go of, and up to which row there are no others; None when there is nothing to look at."""
    table = models.interaction
    after = int(bookmarks.read(connection, line, _BOOKMARK) or 0)
    columns = (table.c.id, table.c.at, table.c.ended_at, table.c.external_id, table.c.direction, table.c.call)
    query = (
        select(*columns)
        .where(table.c.line == line, table.c.kind == "call", table.c.id > after)
        .order_by(table.c.id)
        .limit(_PORTION)
    )
    found: list[Row] = []
    last = None
    for row in connection.execute(query).mappings():
        if (row["ended_at"] or row["at"]) > until:
            break
        last = int(row["id"])
        call = row["call"] or {}
        if (names_of(call) or call.get("voicemail")) and not call.get("recordings_expired"):
            found.append(dict(row))
    return found, last


def _erase(telephone: Telephone, row: Row) -> str:
    """First the files: a crash in between leaves a row that still asks for them, never a file that nobody counts."""
    told = OpenCall(row["external_id"] or "", row["at"], row["direction"], row["call"])
    sounds = [sound for sound in (*telephone.recordings(told), telephone.voicemail(told)) if sound is not None]
    erased = [telephone.erase(sound) for sound in sounds]
    return "deleted" if all(erased) else "hidden"


def _mark(unit: Unit, number: int, how: str, days: int) -> None:
    """A touch of its own, as everything that changes a row of the log."""
    before = find_row(unit, models.interaction, number)
    expired = {"recordings_expired": {"at": unit.now.isoformat(), "how": how, "after_days": days}}
    after = change_row(unit, models.interaction, before, {"call": {**before["call"], **expired}})
    unit.connection.execute(
        insert(models.touch).values(
            id=unit.take_ids(models.touch, 1)[0],
            line=after["line"],
            event_key=f"expired:{secrets.token_hex(12)}",
            interaction_id=number,
            at=unit.now,
            received_at=unit.now,
            phase="expired",
            body={"kind": after["kind"], "direction": after["direction"], "call": expired},
            text="",
        )
    )
    note(unit, SYSTEM, f"recording_{how}", "interaction", number, {"after_days": days})
    unit.emit(Event("interaction", number, "expired", client=after["client_id"], conversation=after["conversation_id"]))
    log.info("recording_expired", interaction=number, how=how)
