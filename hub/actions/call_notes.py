"""What an operator types during a call, and what he says came of it: kept as typed, then written into the log.

A note outlives the call, the page and the browser; it is nobody else's until its call is done with.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert, select, update

from hub.actions import clients, finding, interactions, tasks
from hub.actor import Actor
from hub.asked import find_missing
from hub.call_parts import find_parts
from hub.errors import BadInput, Conflict, Forbidden
from hub.setup.snapshot import SetUp
from routing.regulations.gate import OF_CLIENT
from storage import models
from storage.events import Event
from storage.models import call_note
from storage.unit import Unit

Row = dict[str, Any]

REFUSED, CALL_BACK = "refused", "call_back"
REASON, CALL_BACK_AT = "refusal_reason", "call_back_at"
FORGOTTEN = timedelta(minutes=30)
"""So long after its call a note that nobody finished goes into the log by itself."""
_LONGEST = 100_000
_CHOICES = {"category": ("VIP", "A", "B", "C"), "lifecycle": ("potential", "current", "gone")}


@dataclass(frozen=True, slots=True)
class CallNote:
    """What was typed. `fields` are answers to what gates ask; `reason` is that of a refusal, `call_back_at` a wish."""

    text: str = ""
    disposition: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""
    call_back_at: datetime | None = None

    def as_json(self) -> Row:
        """What is kept."""
        at = self.call_back_at.isoformat() if self.call_back_at else None
        return {
            "text": self.text,
            "disposition": self.disposition,
            "fields": dict(self.fields),
            "reason": self.reason,
            "call_back_at": at,
        }

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> CallNote:
        """What was kept."""
        at = body.get("call_back_at")
        return cls(
            str(body.get("text", "")),
            str(body.get("disposition", "")),
            dict(body.get("fields") or {}),
            str(body.get("reason", "")),
            datetime.fromisoformat(at) if at else None,
        )


def open_note(unit: Unit, number: int, operator: str) -> None:
    """He has picked up: from now on the call is his to be done with. Doing it twice harms nothing."""
    if _find(unit, number, operator) is None:
        values = {"interaction_id": number, "operator": operator, "body": CallNote().as_json()}
        unit.connection.execute(insert(call_note).values(**values, opened_at=unit.now, saved_at=unit.now))


def save(unit: Unit, setup: SetUp, number: int, actor: Actor, typed: CallNote) -> None:
    """Keep what was typed so far. Raises `Forbidden` for a call in which he had no part, `Conflict` once it is done."""
    if len(typed.text) > _LONGEST:
        raise BadInput("this is too long for a note", field="text")
    known = _mine(unit, setup, number, actor)
    if known["finished_at"] is not None:
        raise Conflict("this call is done with already")
    _write(unit, number, known["operator"], body=typed.as_json(), saved_at=unit.now)


def finish(
    unit: Unit,
    setup: SetUp,
    number: int,
    actor: Actor,
    typed: CallNote,
    *,
    anyway: bool = False,
    task_title: str = "Call back",
) -> None:
    """Write it into the log and be done with the call.

    Raises `Conflict` while he talks, and when a gate asks for what is not filled in; `anyway` leaves that open: the
    regulation's promise goes on. With "call back" and an instant, a task is made that any call to the client closes.
    """
    known = _mine(unit, setup, number, actor)
    row = finding.find_row(unit, models.interaction, number)
    if known["operator"] in find_parts(row, setup.operator_by_extension):
        raise Conflict("this call still goes on")
    if known["finished_at"] is not None:
        return
    _check(setup, typed)
    _put_into_log(unit, setup, row, actor, typed)
    after = finding.find_row(unit, models.interaction, number)
    missing = find_missing(unit.connection, setup, after, after["disposition"], unit.now)
    if missing and not anyway:
        remedy = "; ".join(dict.fromkeys(_titles(setup, missing[0].regulations, actor)))
        raise Conflict("something is to be filled in before closing", field=missing[0].name, remedy=remedy)
    if typed.disposition == CALL_BACK and typed.call_back_at is not None:
        _make_task(unit, setup, row, actor, typed.call_back_at, task_title)
    _write(unit, number, known["operator"], body=typed.as_json(), saved_at=unit.now, finished_at=unit.now)
    _tell(unit, after)


def find_forgotten(connection: Connection, now: datetime) -> list[Row]:
    """Notes that nobody finished, half an hour after their calls."""
    table = models.interaction
    query = (
        select(call_note)
        .join_from(call_note, table, table.c.id == call_note.c.interaction_id)
        .where(call_note.c.finished_at.is_(None), call_note.c.saved_at < now - FORGOTTEN)
        .where(table.c.ended_at < now - FORGOTTEN)
    )
    return [dict(row) for row in connection.execute(query.limit(100)).mappings()]


def settle_forgotten(unit: Unit, setup: SetUp) -> int:
    """They go into the log by themselves; how many."""
    settled = 0
    for one in find_forgotten(unit.connection, unit.now):
        row = finding.find_row(unit, models.interaction, one["interaction_id"])
        known = setup.operators.get(one["operator"])
        actor = Actor("operator", one["operator"], known.role if known else "operator", known.teams if known else ())
        typed = CallNote.from_json(one["body"])
        told = {**typed.fields, **({REASON: typed.reason} if typed.reason else {})}
        text = _joined(row["text"], typed.text)
        interactions.amend(unit, setup, row["id"], actor, typed.disposition or None, told, text)
        _write(unit, row["id"], one["operator"], finished_at=unit.now)
        _tell(unit, row)
        settled += 1
    return settled


def _put_into_log(unit: Unit, setup: SetUp, row: Row, actor: Actor, typed: CallNote) -> None:
    answers = {name: value.strip() for name, value in typed.fields.items() if value.strip()}
    fields: Row = {name: value for name, value in answers.items() if name not in OF_CLIENT}
    if typed.disposition == REFUSED and typed.reason.strip():
        fields[REASON] = typed.reason.strip()
    if typed.disposition == CALL_BACK and typed.call_back_at is not None:
        fields[CALL_BACK_AT] = typed.call_back_at.isoformat()
    of_client = {name: value for name, value in answers.items() if name in OF_CLIENT}
    if of_client and row["client_id"] is not None:
        clients.amend(unit, setup, row["client_id"], actor, of_client)
    text = _joined(row["text"], typed.text)
    interactions.amend(unit, setup, row["id"], actor, typed.disposition or None, fields, text)


def _joined(known: str, added: str) -> str:
    """A call that was handed on has a note of each."""
    texts = [one for one in (known.strip(), added.strip()) if one]
    return "\n\n".join(dict.fromkeys(texts))


def _check(setup: SetUp, typed: CallNote) -> None:
    wanted = setup.company.dispositions
    if typed.disposition and wanted and typed.disposition not in wanted:
        raise BadInput("there is no such outcome", field="disposition")
    for name, choices in _CHOICES.items():
        if (value := typed.fields.get(name)) and value not in choices:
            raise BadInput("%(value)s is not one of the choices", field=name, value=value)
    if typed.disposition == REFUSED and not typed.reason.strip():
        raise BadInput("Why was it refused?", field="reason")
    if typed.disposition == CALL_BACK and typed.call_back_at is None:
        raise BadInput("When shall we call back?", field="call_back_at")


def _make_task(unit: Unit, setup: SetUp, row: Row, actor: Actor, at: datetime, title: str) -> None:
    if at <= unit.now:
        raise BadInput("this has passed already", field="call_back_at")
    new = tasks.NewTask(
        title,
        client=row["client_id"],
        conversation=row["conversation_id"],
        interaction=row["id"],
        owner=actor.operator,
        due=at,
        met_by={"any": ["call"]},
    )
    tasks.make(unit, setup, actor, new)


def _titles(setup: SetUp, keys: tuple[str, ...], actor: Actor) -> list[str]:
    """The managers' own words for what is asked."""
    language = setup.book.roster.language(actor.operator)
    rules = (setup.book.current(key) for key in keys)
    return [rule.common.title_in(language) for rule in rules if rule is not None]


def _mine(unit: Unit, setup: SetUp, number: int, actor: Actor) -> Row:
    """His note of a call; made now if he has, or had, a part in it. Raises `Forbidden` otherwise."""
    operator = actor.operator
    if operator is None:
        raise Forbidden("only who talked can say what came of a call")
    known = _find(unit, number, operator)
    if known is None:
        row = finding.find_row(unit, models.interaction, number)
        if not _had_part(row, setup, operator):
            raise Forbidden("only who talked can say what came of a call")
        open_note(unit, number, operator)
        known = _find(unit, number, operator)
        assert known is not None
    return known


def _had_part(row: Row, setup: SetUp, operator: str) -> bool:
    if row["kind"] != "call" or row["call"] is None:
        return False
    if row["operator"] == operator or operator in find_parts(row, setup.operator_by_extension):
        return True
    legs = row["call"].get("legs") or ()
    return any(leg.get("answered_at") and leg.get("operator") == operator for leg in legs)


def _find(unit: Unit, number: int, operator: str) -> Row | None:
    query = select(call_note).where(call_note.c.interaction_id == number, call_note.c.operator == operator)
    row = unit.connection.execute(query).mappings().first()
    return dict(row) if row is not None else None


def _write(unit: Unit, number: int, operator: str, **values: Any) -> None:
    mine = (call_note.c.interaction_id == number, call_note.c.operator == operator)
    unit.connection.execute(update(call_note).where(*mine).values(**values))


def _tell(unit: Unit, row: Row) -> None:
    client, talk = row["client_id"], row["conversation_id"]
    unit.emit(Event("interaction", row["id"], "noted", client=client, conversation=talk))
