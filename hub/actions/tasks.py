"""Tasks by hand: made, amended, closed, reopened. Those that regulations make close themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import insert

from hub.actions import finding
from hub.actor import Actor
from hub.errors import BadInput, Conflict
from hub.journal import note
from hub.setup.snapshot import SetUp
from routing.tasks import check_condition
from storage import models
from storage.events import Event
from storage.unit import Unit

Row = dict[str, Any]

AMENDABLE = frozenset({"title", "owner", "team", "due", "remind_at", "note"})
_LONGEST_TITLE = 1000


@dataclass(frozen=True, slots=True)
class NewTask:
    """What somebody is to do. Without owner and team it is for whoever asks.

    `met_by` closes it by itself, in the words of a regulation's action: `{"any": ["call"], "direction": "outbound"}`.
    """

    title: str
    client: int | None = None
    conversation: int | None = None
    obligation: int | None = None
    interaction: int | None = None
    owner: str | None = None
    team: str | None = None
    due: datetime | None = None
    remind_at: datetime | None = None
    note: str = ""
    met_by: Mapping[str, Any] | None = None


def make(unit: Unit, setup: SetUp, actor: Actor, new: NewTask) -> int:
    """Ask somebody to do something; answers the task."""
    _check_title(new.title)
    finding.check_operator(setup, new.owner, "owner")
    finding.check_team(setup, new.team)
    _check_condition(new.met_by)
    links = _links(unit, new)
    row: Row = {
        "id": unit.take_ids(models.task, 1)[0],
        "title": new.title.strip(),
        **links,
        "owner": new.owner or (actor.operator if new.team is None else None),
        "team": new.team,
        "due": new.due,
        "remind_at": new.remind_at,
        "reminded_at": None,
        "state": "open",
        "made_at": unit.now,
        "made_by": str(actor),
        "note": new.note,
        "met_by": dict(new.met_by) if new.met_by else None,
    }
    unit.connection.execute(insert(models.task).values(**row))
    note(unit, actor, "made", "task", row["id"], {"title": row["title"], "owner": row["owner"]})
    _tell(unit, row, "new")
    return int(row["id"])


def _links(unit: Unit, new: NewTask) -> Row:
    """What it is about; the client follows from the conversation or the obligation."""
    client = finding.refer_to_client(unit, new.client)["id"] if new.client is not None else None
    talk = finding.refer_to(unit, models.conversation, new.conversation, "conversation") if new.conversation else None
    promise = finding.refer_to(unit, models.obligation, new.obligation, "obligation") if new.obligation else None
    touch = finding.refer_to(unit, models.interaction, new.interaction, "interaction") if new.interaction else None
    for row in (talk, promise, touch):
        client = client if client is not None or row is None else row["client_id"]
    return {
        "client_id": client,
        "conversation_id": new.conversation,
        "obligation_id": new.obligation,
        "interaction_id": new.interaction,
    }


def amend(unit: Unit, setup: SetUp, number: int, actor: Actor, changes: Mapping[str, Any]) -> None:
    """Another title, owner, due or reminder."""
    before = finding.find_row(unit, models.task, number)
    unknown = set(changes) - AMENDABLE
    if unknown:
        raise BadInput("a task has no %(name)s to change", field=min(unknown), name=min(unknown))
    if "title" in changes:
        _check_title(changes["title"])
    finding.check_operator(setup, changes.get("owner"), "owner")
    finding.check_team(setup, changes.get("team"))
    wanted = dict(changes)
    if "remind_at" in wanted and wanted["remind_at"] != before["remind_at"]:
        wanted["reminded_at"] = None
    _change(unit, before, wanted, actor, "amended")


def close(unit: Unit, setup: SetUp, number: int, actor: Actor, state: str = "done") -> None:
    """It is done, or not needed any more (`cancelled`)."""
    before = finding.find_row(unit, models.task, number)
    if state not in ("done", "cancelled"):
        raise BadInput(
            "a task cannot be closed as %(state)s", field="state", remedy="use done or cancelled", state=state
        )
    if before["state"] == state:
        return
    _change(unit, before, {"state": state, "closed_at": unit.now, "closed_by": str(actor)}, actor, state)


def reopen(unit: Unit, setup: SetUp, number: int, actor: Actor) -> None:
    """It is not done after all."""
    before = finding.find_row(unit, models.task, number)
    if before["state"] == "open":
        raise Conflict("this task is open", field="state")
    _change(unit, before, {"state": "open", "closed_at": None, "closed_by": None}, actor, "reopened")


def _check_condition(met_by: Mapping[str, Any] | None) -> None:
    try:
        check_condition(met_by or {})
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(("met_by", *(str(part) for part in first["loc"])))
        remedy = first.get("ctx", {}).get("remedy", 'write it as an action: {"any": ["call"]}')
        raise BadInput(first["msg"], field=place, remedy=str(remedy)) from None


def _check_title(title: Any) -> None:
    if not isinstance(title, str) or not title.strip() or len(title) > _LONGEST_TITLE:
        raise BadInput("a task needs a title", field="title", remedy="1 to %(most)s characters", most=_LONGEST_TITLE)


def _change(unit: Unit, before: Row, changes: Row, actor: Actor, action: str) -> None:
    after = finding.change_row(unit, models.task, before, changes)
    if after == before:
        return
    changed = {key: _plain(after[key]) for key in changes if before[key] != after[key]}
    note(unit, actor, action, "task", before["id"], changed)
    _tell(unit, after, action)
    if before["owner"] != after["owner"]:
        _tell(unit, before, action)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _tell(unit: Unit, row: Row, what: str) -> None:
    unit.emit(
        Event(
            "task",
            row["id"],
            what,
            client=row["client_id"],
            conversation=row["conversation_id"],
            operator=row["owner"],
            team=row["team"],
        )
    )
