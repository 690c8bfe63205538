"""What people's acts do to promises: decisions made here are carried out by routing's ledger, like all others."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select, update

from hub.setup.snapshot import SetUp
from routing.alerts import acknowledge as acknowledge_alert
from routing.decisions import (
    AcknowledgeBreach,
    BreachObligation,
    Decision,
    ExcuseObligation,
    MoveObligation,
    RecomputeObligation,
    WithdrawAlert,
    WithdrawBreach,
)
from routing.facts import ObligationFacts
from routing.ledger import Ledger
from routing.timing import length_of, next_look
from storage.models import obligation
from storage.unit import Unit


def pin(unit: Unit, setup: SetUp, number: int, client: int, due: datetime, by: str) -> None:
    """A due set by hand. A breach that it makes early is withdrawn; one that it makes late is one."""
    ledger = Ledger.load(unit, [client], setup.book)
    ledger.apply(_pinned(setup, ledger.obligation(number), due, unit.now, by))
    ledger.flush()


def _pinned(setup: SetUp, found: ObligationFacts, due: datetime, now: datetime, by: str) -> list[Decision]:
    rule = setup.book.rule(found.regulation, found.version)
    calendar = setup.book.calendar(found.calendar, found.calendar_version)
    late = due < now
    target = length_of(found.target)
    look = next_look(rule, calendar, target, found.started, due, found.pauses, found.steps_done, late)
    out: list[Decision] = [
        RecomputeObligation(
            found.id,
            now,
            "pinned",
            found.version,
            found.started,
            found.started_by,
            found.target,
            found.calendar,
            found.calendar_version,
            due,
            look,
            pinned=True,
            by=by,
        )
    ]
    if late and found.breached_at is None:
        out.append(BreachObligation(found.id, due, now, "pinned", look))
    elif not late and found.breached_at is not None:
        out += [WithdrawBreach(found.id, now, "pinned"), WithdrawAlert(found.id, now, "pinned")]
    return out


def excuse(unit: Unit, setup: SetUp, number: int, client: int, reason: str, by: str) -> None:
    """Forgive a breach."""
    ledger = Ledger.load(unit, [client], setup.book)
    ledger.apply([ExcuseObligation(number, unit.now, reason, by), WithdrawAlert(number, unit.now, "excused")])
    ledger.flush()


def acknowledge(unit: Unit, setup: SetUp, alert: int, by: str) -> list[int]:
    """Somebody has it: the ladder climbs no further. Answers the promises concerned."""
    numbers = acknowledge_alert(unit, alert, by)
    for client, mine in _clients_of(unit, numbers).items():
        ledger = Ledger.load(unit, [client], setup.book)
        at_hand = {one.id for one in ledger.obligations_of(client)}
        ledger.apply([AcknowledgeBreach(number, unit.now, by) for number in mine if number in at_hand])
        ledger.flush()
    return numbers


def _clients_of(unit: Unit, numbers: Iterable[int]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    query = select(obligation.c.id, obligation.c.client_id).where(obligation.c.id.in_(list(numbers)))
    for number, client in unit.connection.execute(query.order_by(obligation.c.id)):
        found.setdefault(client, []).append(number)
    return found


def move(unit: Unit, setup: SetUp, numbers: Iterable[int], was: int, now: int, cause: str) -> None:
    """Promises to one client are promises to another now. Those finished long ago have no clock left to tell."""
    wanted = set(numbers)
    ledger = Ledger.load(unit, [was], setup.book)
    living = [one.id for one in ledger.obligations_of(was) if one.id in wanted]
    ledger.apply([MoveObligation(number, unit.now, now, cause) for number in living])
    ledger.flush()
    rest = sorted(wanted - set(living))
    for start in range(0, len(rest), 500):
        some = rest[start : start + 500]
        unit.connection.execute(
            update(obligation).where(obligation.c.id.in_(some), obligation.c.client_id == was).values(client_id=now)
        )
