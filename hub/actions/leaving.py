"""Everything open of one operator goes to somebody else: he leaves, or is away (`leave.py`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, func, select

from hub.actions import clients, conversations, finding
from hub.actor import Actor
from hub.errors import BadInput, Forbidden
from hub.journal import note
from hub.setup.snapshot import SetUp
from routing import acts
from storage import models
from storage.repositories.obligations import OPEN as OPEN_PROMISE
from storage.unit import Unit

OPEN_TALK = ("open", "waiting_client", "postponed")
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class HandedOver:
    """How much changed hands."""

    conversations: int = 0
    obligations: int = 0
    tasks: int = 0
    clients: int = 0

    def as_json(self) -> dict[str, int]:
        """For the API and `--json`."""
        return {
            "conversations": self.conversations,
            "obligations": self.obligations,
            "tasks": self.tasks,
            "clients": self.clients,
        }


def hand_over_everything(
    unit: Unit, setup: SetUp, actor: Actor, operator: str, to: str | None = None, *, with_clients: bool = False
) -> HandedOver:
    """Conversations, promises and tasks; with `with_clients` those he is responsible for, too. None: to his team."""
    if not actor.may("supervisor"):
        raise Forbidden("only a supervisor hands over what is somebody else's", remedy="ask one")
    finding.check_operator(setup, to, "to")
    if to == operator:
        raise BadInput("he has it already", field="to", remedy="name somebody else, or nobody for the team")
    if with_clients and to is None:
        raise BadInput("clients need somebody responsible", field="to", remedy="name an operator")
    return move_all(unit, setup, actor, operator, to, "hand_over", with_clients=with_clients)


def release(unit: Unit, setup: SetUp, operator: str, actor: Actor) -> HandedOver:
    """He is no operator any more: what was his waits for his teams."""
    return move_all(unit, setup, actor, operator, None, "retired")


def move_all(
    unit: Unit,
    setup: SetUp,
    actor: Actor,
    operator: str,
    to: str | None,
    cause: str,
    *,
    with_clients: bool = False,
    own_too: bool = True,
) -> HandedOver:
    """Everything open of one goes to another, because of `cause`; without `own_too` only what belongs to a team."""
    promises = _count(unit, models.obligation, operator, OPEN_PROMISE, own_too)
    tasks = _count(unit, models.task, operator, ("open",), own_too)
    moved = HandedOver(
        _move_conversations(unit, setup, actor, operator, to, cause, own_too),
        promises,
        tasks,
        _move_clients(unit, setup, actor, operator, to) if with_clients and to is not None else 0,
    )
    while acts.hand_over(unit, setup.book, operator, to, str(actor), cause, _AT_ONCE, own_too=own_too):
        continue
    if any(moved.as_json().values()):
        note(unit, actor, "handed_over", "operator", operator, {**moved.as_json(), "to": to, "why": cause})
    return moved


def open_of(table: Table, operator: str, states: Sequence[str], own_too: bool) -> tuple[ColumnElement[bool], ...]:
    """What is open and his; without `own_too`, only what belongs to a team."""
    his = (table.c.owner == operator, table.c.state.in_(states))
    return his if own_too else (*his, table.c.team.is_not(None))


def _count(unit: Unit, table: Table, operator: str, states: Sequence[str], own_too: bool) -> int:
    query = select(func.count()).where(*open_of(table, operator, states, own_too))
    return int(unit.connection.execute(query).scalar_one())


def _move_conversations(
    unit: Unit, setup: SetUp, actor: Actor, operator: str, to: str | None, why: str, own_too: bool
) -> int:
    table, count = models.conversation, 0
    query = select(table).where(*open_of(table, operator, OPEN_TALK, own_too)).order_by(table.c.id)
    for row in unit.connection.execute(query).mappings().all():
        conversations.change(unit, setup, dict(row), {"owner": to}, actor, "handed_over", {"why": why})
        count += 1
    return count


def _move_clients(unit: Unit, setup: SetUp, actor: Actor, operator: str, to: str) -> int:
    table = models.client
    query = select(table.c.id).where(table.c.responsible == operator, table.c.merged_into.is_(None))
    numbers = list(unit.connection.execute(query.order_by(table.c.id)).scalars())
    for number in numbers:
        clients.amend(unit, setup, number, actor, {"responsible": to})
    return len(numbers)


def find_owners(connection: Connection) -> set[str]:
    """Everybody who owns anything open: one look into an index for each, however much there is."""
    found: set[str] = set()
    for table, states in (
        (models.conversation, OPEN_TALK),
        (models.obligation, OPEN_PROMISE),
        (models.task, ("open",)),
    ):
        found |= _owners_in(connection, table, states)
    return found


def _owners_in(connection: Connection, table: Table, states: Sequence[str]) -> set[str]:
    found: set[str] = set()
    last: Any = ""
    while (
        last := connection.execute(select(func.min(table.c.owner)).where(table.c.owner > last)).scalar()
    ) is not None:
        mine = select(table.c.id).where(table.c.owner == last, table.c.state.in_(states)).limit(1)
        if connection.execute(mine).first() is not None:
            found.add(last)
    return found
