"""What other programs report: a contract closed, a shipment delivered. Each report counts once, by its id."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hub.actions import finding
from hub.actions.identities import spellings
from hub.actor import Actor
from hub.errors import BadInput
from hub.journal import note
from hub.judgement import judge_event
from hub.setup.snapshot import SetUp
from routing.facts import EventFacts
from storage.events import Event
from storage.repositories import clients, jobs, journal
from storage.repositories.intake import lock_identities
from storage.unit import Unit


@dataclass(frozen=True, slots=True)
class Report:
    """`client` is a number or an identity as written; None for what concerns all clients (`product.published`)."""

    id: str
    event: str
    client: int | str | None = None
    at: datetime | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)


def report(unit: Unit, setup: SetUp, actor: Actor, told: Report) -> bool:
    """Let the regulations see it. False when this id was reported before: then nothing happens."""
    lock_identities(unit, [("event", told.id)])
    if journal.has(unit.connection, "event", told.id):
        return False
    client = _whose(unit, setup, told.client)
    at = told.at or unit.now
    data = {"event": told.event, "client": client, "at": at.isoformat(), "fields": dict(told.fields)}
    note(unit, actor, "reported", "event", told.id, data)
    if client is not None:
        judge_event(unit, setup, client, EventFacts(told.id, told.event, at, told.fields), actor=str(actor))
    else:
        jobs.add(
            unit, "announce", {"id": told.id, "event": told.event, "at": at.isoformat(), "fields": {**told.fields}}
        )
    unit.emit(Event("client", client or 0, told.event, client=client))
    return True


def _whose(unit: Unit, setup: SetUp, named: int | str | None) -> int | None:
    if named is None:
        return None
    if isinstance(named, int):
        return int(finding.refer_to_client(unit, named)["id"])
    found = {
        one.id
        for scheme, value in spellings(setup, named)
        for one in clients.find_by_identity(unit.connection, scheme, value)
    }
    if len(found) != 1:
        raise BadInput(
            "%(identity)s is known by several clients" if found else "%(identity)s is known by nobody",
            field="client",
            remedy="name the client by number",
            identity=repr(named),
        )
    return found.pop()
