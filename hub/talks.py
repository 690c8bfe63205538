"""Live talks of one line, as its channel sees them: read from the log, hinted at by the live bus."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from channels.talk import Attendance, Hint, HintOf, Said, SaidFile, Talk
from channels.touch import Attachment, Direction, Identity
from hub.live import Live
from hub.presence import read_presence
from hub.setup.snapshot import SetUp
from routing.calendar import NeverOpens
from storage.events import Event
from storage.repositories import talks as rows
from storage.store import Store
from storage.unit import Unit

LASTS = timedelta(seconds=100)
"""How long a visitor counts as here who was not heard of again: channels say so every minute."""

_TALKS = frozenset({"interaction", "delivery", "conversation"})


class LineTalks:
    """See `channels.contract.Talks`."""

    def __init__(self, store: Store, setup: Callable[[], SetUp], live: Live, line: str) -> None:
        self._store, self._setup, self._live, self._line = store, setup, live, line

    async def read(self, who: Identity) -> Talk:
        """The log's side of a talk."""
        setup, now = self._setup(), self._store.now()
        return await self._store.read(lambda connection: _read(connection, setup, self._line, who, now))

    async def file(self, who: Identity, number: int) -> Attachment | None:
        """Only if it belongs to a message that `read` shows."""

        def find(connection: Connection) -> Attachment | None:
            found = rows.read_talk(connection, self._line, who.scheme, who.value)
            for row in found.rows:
                for one in row["files"]:
                    if one["id"] == number:
                        data = self._store.files.read(one["path"])
                        return Attachment(one["name"], one["media_type"], data, one["content_id"])
            return None

        return await self._store.read(find)

    async def attendance(self) -> Attendance:
        """Open by the team's calendar, and somebody of the team at a desk, as far as anybody keeps track of that."""
        setup, now = self._setup(), self._store.now()
        return await self._store.read(lambda connection: read_attendance(connection, setup, self._line, now))

    async def note_presence(self, who: Identity, here: bool) -> None:
        """Written with the identity, told to open desks when it changes."""
        await self._store.write(lambda unit: _note(unit, who, here))

    async def note_typing(self, who: Identity, on: bool) -> None:
        """Told to open desks; nothing is written."""
        await self._store.write(lambda unit: _tell_typing(unit, who, on))

    def watch(self, ring: Callable[[Hint], None]) -> Callable[[], None]:
        """Events of this and of other processes, as hints."""

        def hear(event: Event) -> None:
            hint = hint_of(event)
            if hint is not None:
                ring(hint)

        return self._live.on_event(hear)


def hint_of(event: Event) -> Hint | None:
    """What an event says to somebody who follows a talk."""
    if event.subject in _TALKS:
        return Hint(HintOf.TALK, event.client, event.conversation)
    if event.subject in {"operator", "setup"}:
        return Hint(HintOf.ATTENDANCE)
    return Hint(HintOf.ANYTHING) if event.what == "lost" else None


def read_attendance(connection: Connection, setup: SetUp, line: str, now: datetime) -> Attendance:
    """Who of the line's team (or, without one, of all) could answer now. On a line that only receives, nobody."""
    known = setup.lines.get(line)
    if known is None or not known.sends:
        return Attendance(False)
    team = known.team
    calendar = setup.book.calendar_for(None, team)
    if not calendar.is_open(now):
        try:
            return Attendance(False, calendar.next_opening(now))
        except NeverOpens:
            return Attendance(False)
    members = setup.members(team) if team else tuple(setup.operators)
    presence = read_presence(connection, now)
    there = presence.present if presence.present is not None else frozenset(members) - presence.away
    return Attendance(any(one in there and not setup.is_away(one, now) for one in members))


def _read(connection: Connection, setup: SetUp, line: str, who: Identity, now: datetime) -> Talk:
    found = rows.read_talk(connection, line, who.scheme, who.value)
    return Talk(
        messages=tuple(_said(setup, row) for row in found.rows),
        writing=rows.is_written_to(connection, found.conversations, now),
        clients=found.clients,
        conversations=found.conversations,
    )


def _said(setup: SetUp, row: dict[str, Any]) -> Said:
    operator = setup.operators.get(row["operator"] or "")
    return Said(
        id=row["id"],
        external_id=row["external_id"],
        direction=Direction(row["direction"]),
        at=row["at"],
        text=row["text"],
        name=operator.name if operator and row["direction"] == "outbound" else None,
        state=row["state"] or "",
        files=tuple(SaidFile(one["id"], one["name"], one["media_type"], one["size"]) for one in row["files"]),
    )


def _tell_typing(unit: Unit, who: Identity, on: bool) -> None:
    for client in rows.clients_of(unit.connection, who.scheme, who.value):
        unit.emit(Event("visitor", client, "typing" if on else "stopped", client=client))


def _note(unit: Unit, who: Identity, here: bool) -> None:
    until = unit.now + LASTS if here else unit.now
    for client in rows.note_here(unit, who.scheme, who.value, until):
        unit.emit(Event("client", client, "here" if here else "gone", client=client))
