"""Acknowledging an alert: somebody on the ladder has it, so it climbs no further."""

from __future__ import annotations

from hub.actions import finding
from hub.actor import Actor
from hub.errors import Forbidden
from hub.journal import note
from hub.setup.snapshot import SetUp
from routing import acts
from storage import models
from storage.unit import Unit


def acknowledge(unit: Unit, setup: SetUp, number: int, actor: Actor) -> None:
    """I have it. Only he who was told, or a supervisor, may say so; saying it twice changes nothing."""
    row = finding.find_row(unit, models.alert, number)
    if row["to"] != actor.operator and not actor.may("supervisor"):
        raise Forbidden("this alert is for somebody else")
    if row["acknowledged_at"] is not None:
        return
    acts.acknowledge(unit, setup.book, number, str(actor))
    note(unit, actor, "acknowledged", "alert", number, {"obligation": row["obligation_id"]})
