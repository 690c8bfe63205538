"""What people may do to a promise: move its due by hand, excuse a breach. Both are noted with who and why."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from hub.actions import finding
from hub.actor import Actor
from hub.errors import BadInput, Conflict, Forbidden
from hub.journal import note
from hub.setup.snapshot import SetUp
from routing import acts
from storage import models
from storage.events import Event
from storage.repositories.obligations import OPEN
from storage.unit import Unit


def _(message: str) -> str:
    """Marks a message for the catalogs."""
    return message


_ENDED = {"met": _("this promise is met"), "cancelled": _("this promise is cancelled")}


def pin(unit: Unit, setup: SetUp, number: int, actor: Actor, due: datetime | None) -> None:
    """Set the due by hand: nothing else moves it from then on. None lets the regulation speak again."""
    _check_rank(actor)
    row = finding.find_row(unit, models.obligation, number)
    if row["state"] not in OPEN:
        raise Conflict(_ENDED.get(row["state"], "this promise has ended"), field="due")
    if due is not None and due < row["started"]:
        raise BadInput("it would be due before it began", field="due", remedy="name a later instant")
    acts.pin(unit, setup.book, number, due, str(actor))
    was = row["due"].isoformat() if row["due"] else None
    note(unit, actor, "pinned", "obligation", number, {"due": due.isoformat() if due else None, "was": was})
    _tell(unit, row, "pinned")


def excuse(unit: Unit, setup: SetUp, number: int, actor: Actor, reason: str) -> None:
    """Forgive a breach, with a reason; reports show both."""
    _check_rank(actor)
    row = finding.find_row(unit, models.obligation, number)
    if not reason.strip():
        raise BadInput("why is it excused?", field="reason", remedy="write a reason")
    if row["breached_at"] is None:
        raise Conflict("this promise was not breached")
    acts.excuse(unit, setup.book, number, reason.strip(), str(actor))
    note(unit, actor, "excused", "obligation", number, {"reason": reason.strip()})
    _tell(unit, row, "excused")


def _check_rank(actor: Actor) -> None:
    if not actor.may("supervisor"):
        raise Forbidden("only a supervisor may change a promise", remedy="ask one")


def _tell(unit: Unit, row: dict[str, Any], what: str) -> None:
    unit.emit(
        Event(
            "obligation",
            row["id"],
            what,
            client=row["client_id"],
            conversation=row["conversation_id"],
            operator=row["owner"],
            team=row["team"],
        )
    )
