"""What an operator is shown of a call: who it is, what was and is promised, what to ask, and what he typed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select

from hub.actions.call_notes import CallNote
from hub.asked import Asked, find_asked
from hub.call_parts import find_parts
from hub.desk.phone.aside import Aside, find_aside, heard
from hub.desk.reading import clients, log, promises
from hub.desk.reading.clients import Card, ClientRow
from hub.desk.reading.log import Entry
from hub.desk.reading.promises import Promise, Task
from hub.desk.recordings import Recorded
from hub.setup.snapshot import SetUp
from storage.models import call_note, interaction, wrap_up
from storage.prepared import Prepared

WRAP_UP = "wrap_up"
_EARLIER, _TASKS, _PROMISES = 3, 3, 4
Row = Mapping[str, Any]

_EMPTY: Row = dict.fromkeys(interaction.c.keys())
_CALL = Prepared(select(interaction).where(interaction.c.id == bindparam("number")))
_MINE = Prepared(
    select(call_note.c.body, call_note.c.finished_at).where(
        call_note.c.interaction_id == bindparam("number"), call_note.c.operator == bindparam("who")
    )
)


@dataclass(frozen=True, slots=True)
class Pop:
    """One call, the same for everybody whom it concerns. `parts`: operator -> what he does in it now."""

    row: Row
    parts: Mapping[str, str]
    card: Card | None
    candidates: tuple[tuple[ClientRow, str], ...]
    earlier: tuple[Entry, ...]
    promises: tuple[Promise, ...]
    tasks: tuple[Task, ...]
    asked: tuple[Asked, ...]

    @property
    def number(self) -> str:
        """The other side's number, as the log has it; empty when it is hidden."""
        call = self.row["call"] or {}
        return str(call.get("from" if self.row["direction"] == "inbound" else "to") or "")

    def is_of(self, row: Row) -> bool:
        """Whether it is still the same people's, as far as that is known."""
        return bool(self.row["client_id"] == row["client_id"] and self.row["candidates"] == row["candidates"])

    @property
    def is_new(self) -> bool:
        """Nobody knows more of him than his number."""
        if self.card is None or self.candidates:
            return False
        return self.card.name in ("", self.number) or (not self.earlier and not self.card.responsible)

    @property
    def name(self) -> str:
        """The client's name, if it is more than his number."""
        return self.card.name if self.card is not None and self.card.name != self.number else ""

    @property
    def likely(self) -> ClientRow | None:
        """The only one who may be meant besides the stand-in: probably he is it, but nobody has said so."""
        if len(self.candidates) != 1 or self.card is None or not self.card.provisional:
            return None
        return next(one for one, _ in self.candidates)

    @property
    def is_company(self) -> bool:
        """It is known which company calls, and not who of its people."""
        return self.card is not None and self.card.kind == "company" and not self.card.provisional

    @property
    def title(self) -> str:
        """What he is called: the likely one's name, the client's, or the number; empty when that is hidden."""
        return self.likely.name if self.likely is not None else self.name or self.number

    @property
    def is_silenced(self) -> bool:
        """Whether nothing is recorded just now, while card numbers are spoken."""
        pauses: Sequence[Row] = (self.row["call"] or {}).get("recording_pauses") or ()
        return self.row["ended_at"] is None and bool(pauses) and not pauses[-1].get("to")

    @property
    def recorded(self) -> Recorded:
        """What can be heard of it is found from this."""
        row = self.row
        return Recorded(row["id"], row["line"], row["operator"], row["team"], row["ended_at"], row["call"])

    @property
    def to_ask(self) -> list[str]:
        """The fields that are asked for whatever comes of the call."""
        return [one.name for one in self.asked if not one.dispositions]

    def talked(self, operator: str) -> bool:
        """Whether he has talked to the client, however it went on."""
        legs = (self.row["call"] or {}).get("legs") or ()
        if heard(legs, operator):
            return True
        return self.parts.get(operator) == "talking" and not self.is_asked(operator)

    def is_asked(self, operator: str) -> bool:
        """A colleague asks him, or rings him to, while the client waits."""
        aside = self.aside(operator)
        return aside is not None and aside.kind == "asked"

    def aside(self, operator: str) -> Aside | None:
        """What his part is besides ringing and talking."""
        return find_aside(self.row, self.parts.get(operator), operator)

    def since(self, operator: str) -> datetime:
        """Since when things are as they are for an operator."""
        legs = [leg for leg in (self.row["call"] or {}).get("legs") or () if leg.get("operator") == operator]
        part = self.parts.get(operator)
        name = {"ringing": "rang_at", "talking": "answered_at", None: "ended_at"}.get(part, "rang_at")
        told = [leg[name] for leg in legs if leg.get(name)]
        if told:
            return datetime.fromisoformat(max(told))
        return self.row["ended_at"] if part is None and self.row["ended_at"] else self.row["at"]  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class Mine:
    """An operator's own side of a call: what he typed, and whether he is still to be done with it."""

    note: CallNote
    open: bool


def read_pop(
    connection: Connection,
    setup: SetUp,
    number: int,
    now: datetime,
    known: Pop | None = None,
    given: Row | None = None,
) -> Pop | None:
    """Everything that is the same for all whom it concerns; None for what is no call.

    `known` is the same call a moment ago: whose it is and what was before does not change while it rings, what is
    promised may. `given` is its row, where that is known.
    """
    row = {**_EMPTY, **given} if given is not None else _read_row(connection, number)
    if row is None or row["call"] is None:
        return None
    parts = find_parts(row, setup.operator_by_extension)
    whose: int | None = row["client_id"]
    if known is not None and known.is_of(row):
        return replace(
            known, row=row, parts=parts, promises=_promised(connection, whose), tasks=_tasks(connection, whose)
        )
    return Pop(
        row=row,
        parts=parts,
        card=clients.read_card(connection, whose) if whose is not None else None,
        candidates=tuple(_candidates(connection, row)),
        earlier=_earlier(connection, row),
        promises=_promised(connection, whose),
        tasks=_tasks(connection, whose),
        asked=find_asked(connection, setup, row, now),
    )


def go_on(setup: SetUp, known: Pop, row: Row) -> Pop | None:
    """The same call a moment later, when nothing but the call itself has changed; None if it is another's now."""
    if not known.is_of(row):
        return None
    return replace(known, row={**_EMPTY, **row}, parts=find_parts(row, setup.operator_by_extension))


def _read_row(connection: Connection, number: int) -> Row | None:
    return next(iter(_CALL.mappings(connection, number=number)), None)


def read_mine(connection: Connection, number: int, operator: str) -> Mine | None:
    """What he typed at a call; None when he never picked it up."""
    found = _MINE.records(connection, number=number, who=operator)
    return Mine(CallNote.from_json(found[0].body), found[0].finished_at is None) if found else None


def read_unfinished(connection: Connection, operator: str, most: int = 5) -> list[int]:
    """The calls that he is not done with yet, the newest of them, oldest first."""
    notes = (
        select(call_note.c.interaction_id)
        .where(call_note.c.operator == operator, call_note.c.finished_at.is_(None))
        .order_by(call_note.c.opened_at.desc())
        .limit(most)
    )
    found = set(connection.execute(notes).scalars())
    found |= set(connection.execute(select(wrap_up.c.interaction_id).where(wrap_up.c.operator == operator)).scalars())
    return sorted(found)


def _promised(connection: Connection, whose: int | None) -> tuple[Promise, ...]:
    return tuple(promises.read_promises(connection, None, whose)[:_PROMISES]) if whose is not None else ()


def _tasks(connection: Connection, whose: int | None) -> tuple[Task, ...]:
    return tuple(promises.read_client_tasks(connection, whose)[:_TASKS]) if whose is not None else ()


def _earlier(connection: Connection, row: Row) -> tuple[Entry, ...]:
    if row["client_id"] is None:
        return ()
    timeline = log.read_timeline(connection, row["client_id"], _EARLIER + 1)
    return tuple(one for one in timeline if one.id != row["id"])[:_EARLIER]


def _candidates(connection: Connection, row: Row) -> list[tuple[ClientRow, str]]:
    reasons = {int(one["client"]): str(one.get("reason", "")) for one in row["candidates"] or ()}
    return [(one, reasons[one.id]) for one in clients.read_some(connection, reasons)] if reasons else []
