"""Taking, handing over, closing, reopening and postponing conversations, and notes in them."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

from sqlalchemy import select

from channels.touch import Direction, Kind, Thread, Touch
from hub import ratings
from hub.actions import finding
from hub.actions.append import append
from hub.actions.gates import check_gates
from hub.actor import Actor
from hub.errors import BadInput, Conflict
from hub.journal import note as note_in_journal
from hub.judgement import judge_conversation
from hub.places import BY_HAND
from hub.setup.snapshot import SetUp
from storage import models
from storage.events import Event
from storage.unit import Unit

Row = dict[str, Any]

HOWS = ("answered", "no_answer_needed", "junk")
CLOSED = frozenset({"solved", "junk"})
_OPENED = {"closed_at": None, "closed_by": None, "closed_why": None, "postponed_until": None}


def take(unit: Unit, setup: SetUp, number: int, actor: Actor) -> None:
    """Make it mine. Raises `Conflict` when a colleague was quicker; a supervisor may take it all the same."""
    before = finding.find_row(unit, models.conversation, number)
    if actor.operator is None:
        raise BadInput("only an operator can take a conversation", field="owner", remedy="name an owner instead")
    if before["owner"] == actor.operator:
        return
    if before["owner"] is not None and not actor.may("supervisor"):
        raise Conflict(
            "%(owner)s has taken this conversation",
            field="owner",
            remedy="ask for it, or let a supervisor hand it over",
            owner=before["owner"],
        )
    change(unit, setup, before, {"owner": actor.operator}, actor, "taken")


def hand_over(
    unit: Unit,
    setup: SetUp,
    number: int,
    actor: Actor,
    *,
    operator: str | None = None,
    team: str | None = None,
    why: str = "",
) -> None:
    """Give it to an operator, or back to a team, where whoever is free takes it."""
    before = finding.find_row(unit, models.conversation, number)
    if operator is None and team is None:
        raise BadInput("hand it over to whom?", field="owner", remedy="name an operator or a team")
    finding.check_operator(setup, operator, "owner")
    finding.check_team(setup, team)
    changes = {"owner": operator, "team": team or _team_for(setup, operator, before["team"])}
    change(unit, setup, before, changes, actor, "handed_over", {"why": why} if why else {})


def _team_for(setup: SetUp, operator: str | None, team: str | None) -> str | None:
    """The conversation stays with its team if the operator belongs to it, else goes to his."""
    teams = setup.operators[operator].teams if operator else ()
    return team if team in teams or not teams else teams[0]


def close(unit: Unit, setup: SetUp, number: int, actor: Actor, how: str) -> None:
    """Close as `answered`, `no_answer_needed` or `junk`; the last two do without an answer, with who and why.

    Raises `Conflict` for "answered" while the client's last words have no answer in the log, and while a gate stands
    open (junk passes all gates).
    """
    before = finding.find_row(unit, models.conversation, number)
    if how not in HOWS:
        raise BadInput(
            "a conversation cannot be closed as %(how)s",
            field="why",
            remedy="use %(hows)s",
            how=how,
            hows=", ".join(HOWS),
        )
    if before["state"] in CLOSED and before["closed_why"] == how:
        return
    if how != "junk":
        check_gates(unit, setup, before, actor)
    on_its_way = before["waiting_since"] is not None and _is_answer_on_its_way(unit, before)
    if how == "answered" and on_its_way:
        close_with_answer(unit, setup, number, actor, how)
        return
    if how == "answered" and before["waiting_since"] is not None:
        raise Conflict(
            "the client's last message has no answer in the log",
            field="why",
            remedy="answer it, log the answer by hand, or close it as needing no answer",
        )
    changes = {
        "state": "junk" if how == "junk" else "solved",
        "closed_at": unit.now,
        "closed_by": str(actor),
        "closed_why": how,
        "postponed_until": None,
        "waiting_since": None,
        "waiting_id": None,
    }
    change(unit, setup, before, changes, actor, "closed", {"how": how})
    if how == "answered":
        ratings.propose(unit, setup, number)


def _is_answer_on_its_way(unit: Unit, talk: Row) -> bool:
    """Whether a message that was written since he waits is still being sent."""
    table = models.delivery
    query = select(table.c.id).where(
        table.c.conversation_id == talk["id"], table.c.state == "pending", table.c.made_at >= talk["waiting_since"]
    )
    return unit.connection.execute(query.limit(1)).first() is not None


def close_with_answer(unit: Unit, setup: SetUp, number: int, actor: Actor, how: str) -> None:
    """Close while the answer is being sent: the promises are judged by the answer, once it is out."""
    before = finding.find_row(unit, models.conversation, number)
    if how != "junk":
        check_gates(unit, setup, before, actor)
    changes = {
        "state": "junk" if how == "junk" else "solved",
        "closed_at": unit.now,
        "closed_by": str(actor),
        "closed_why": how,
        "postponed_until": None,
    }
    _write(unit, before, changes, actor, "closed", {"how": how})
    if how == "answered":
        ratings.propose(unit, setup, number)


def turn(unit: Unit, before: Row, state: str, actor: Actor) -> None:
    """Whose turn it is after an answer was written; the regulations look when it is sent."""
    _write(unit, before, {**_OPENED, "state": state}, actor, "answered")


def reopen(unit: Unit, setup: SetUp, number: int, actor: Actor) -> None:
    """Open it again; what was never answered waits again since it came."""
    before = finding.find_row(unit, models.conversation, number)
    if before["state"] == "open":
        return
    changes = {"state": "open", **_OPENED}
    if before["state"] in CLOSED and _is_unanswered(before):
        changes |= {"waiting_since": before["last_inbound_at"], "waiting_id": before["last_inbound_id"]}
    change(unit, setup, before, changes, actor, "reopened")


def _is_unanswered(row: Row) -> bool:
    came, answered = row["last_inbound_at"], row["answered_at"]
    return came is not None and (answered is None or answered < came)


def postpone(unit: Unit, setup: SetUp, number: int, actor: Actor, until: datetime) -> None:
    """Out of sight until an instant; it comes back then, or when the client writes."""
    before = finding.find_row(unit, models.conversation, number)
    if until <= unit.now:
        raise BadInput("this instant is past", field="postponed_until", remedy="name one in the future")
    changes = {**_OPENED, "state": "postponed", "postponed_until": until}
    change(unit, setup, before, changes, actor, "postponed", {"until": until.isoformat()})


def wait_for_client(unit: Unit, setup: SetUp, number: int, actor: Actor) -> None:
    """It is the client's turn."""
    before = finding.find_row(unit, models.conversation, number)
    change(unit, setup, before, {**_OPENED, "state": "waiting_client"}, actor, "waits_for_client")


def note(unit: Unit, setup: SetUp, number: int, actor: Actor, text: str) -> int:
    """An internal note, which the client never sees; answers its interaction."""
    if not text.strip():
        raise BadInput("the note is empty", field="text", remedy="write something")
    before = finding.find_row(unit, models.conversation, number)
    touch = Touch(
        line=BY_HAND,
        event_key=f"note:{secrets.token_hex(12)}",
        kind=Kind.NOTE,
        direction=Direction.INTERNAL,
        at=unit.now,
        operator=actor.operator,
        text=text,
        thread=Thread(conversation=number),
        origin={"by": str(actor)},
    )
    row = append(unit, setup, touch, client=before["client_id"], files=())
    note_in_journal(unit, actor, "noted", "conversation", number, {"interaction": row["id"]})
    return int(row["id"])


def change(
    unit: Unit,
    setup: SetUp,
    before: Row,
    changes: dict[str, Any],
    actor: Actor,
    action: str,
    data: dict[str, Any] | None = None,
) -> Row:
    """Write a person's change of a conversation, judge it, note it, tell it."""
    after = _write(unit, before, changes, actor, action, data)
    if after != before:
        judge_conversation(unit, setup, before, after, actor=str(actor))
    return after


def _write(
    unit: Unit, before: Row, changes: dict[str, Any], actor: Actor, action: str, data: dict[str, Any] | None = None
) -> Row:
    after = finding.change_row(unit, models.conversation, before, changes)
    if after == before:
        return after
    after = finding.change_row(unit, models.conversation, after, {"version": before["version"] + 1})
    told = {key: after[key] for key in ("owner", "team", "state") if before[key] != after[key]}
    note_in_journal(unit, actor, action, "conversation", after["id"], {**told, **(data or {})})
    for owner in {before["owner"], after["owner"]}:
        unit.emit(
            Event(
                "conversation",
                after["id"],
                action,
                client=after["client_id"],
                conversation=after["id"],
                operator=owner,
                team=after["team"],
            )
        )
    return after
