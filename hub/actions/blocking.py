"""The black list of telephone numbers. It ends by itself where it says so, is journalled, and never holds for a VIP."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from hub.actions.identities import read_identity
from hub.actor import Actor
from hub.errors import BadInput, Conflict, NotFound
from hub.journal import note
from hub.setup.snapshot import SetUp
from hub.telephony.deciding import VIP
from routing.people import read_client, with_companies
from storage.repositories import blocked as rows
from storage.repositories import callers
from storage.unit import Unit


@dataclass(frozen=True, slots=True)
class NewBlock:
    """`number` as somebody writes it; `expires` None: until somebody lifts it."""

    number: str
    reason: str = ""
    expires: datetime | None = None


def block(unit: Unit, setup: SetUp, actor: Actor, new: NewBlock) -> int:
    """Answers the entry; one that holds already for the number is lifted and replaced."""
    found = read_identity(setup, new.number, "number")
    if found.scheme != "phone" or found.odd:
        raise BadInput("this is no telephone number", field="number", remedy="write it like +79161234567")
    if new.expires is not None and new.expires <= unit.now:
        raise BadInput("this is over already", field="expires", remedy="name an instant to come, or none")
    if _is_vips(unit, found.scheme, found.value):
        raise Conflict("this is the number of a VIP: his calls are never refused", field="number")
    before = rows.find_standing(unit.connection, found.scheme, found.value, unit.now)
    if before is not None:
        rows.lift(unit, before.id, str(actor))
    values = {"scheme": found.scheme, "value": found.value, "reason": new.reason.strip()}
    number = rows.add(unit, {**values, "made_by": str(actor), "expires_at": new.expires})
    expires = new.expires.isoformat() if new.expires is not None else None
    note(unit, actor, "blocked", "identity", str(found), {"reason": values["reason"], "expires": expires})
    return number


def lift(unit: Unit, setup: SetUp, actor: Actor, number: int) -> None:
    """He may call again. Raises `NotFound`, and `Conflict` when it does not hold any more."""
    row = rows.find(unit.connection, number)
    if row is None:
        raise NotFound("there is no entry %(number)s in the black list", number=number)
    if row.lifted_at is not None or (row.expires_at is not None and row.expires_at <= unit.now):
        raise Conflict("this entry holds no more")
    rows.lift(unit, number, str(actor))
    note(unit, actor, "unblocked", "identity", f"{row.scheme}:{row.value}", {})


def _is_vips(unit: Unit, scheme: str, value: str) -> bool:
    clients = [read_client(row) for row in callers.find_clients_of(unit.connection, scheme, value)]
    companies = with_companies(unit.connection, clients)
    return any(one.category == VIP for one in (*clients, *companies.values()))
