"""Merging two clients, journalled row by row, and undoing it exactly.

Rows that belonged to the other client move to the survivor, and every one of them is written down. Undo gives back
those that are still the survivor's; what came after the merge stays with him. An identity that both had is parked
under the negative number of the other client, where nobody finds it, so that undo brings back the very same row.

What one of them refused and the other did not is refused by both (a row of source "merge" says so); undo parks it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Table, insert, select, update

from hub.actions import finding, refusals
from hub.actions.clients import reindex
from hub.actor import Actor
from hub.consents import keep
from hub.errors import BadInput, Conflict
from hub.journal import note
from hub.setup.snapshot import SetUp
from routing import acts
from storage import models
from storage.events import Event
from storage.unit import Unit

Row = dict[str, Any]

_BELONGING = (models.interaction, models.conversation, models.task, models.consent)
_FILLED = ("company_id", "category", "source", "responsible", "region", "language", "preferred_channel")
_RANK = {"potential": 0, "gone": 1, "current": 2}
_AT_ONCE = 500


def merge(unit: Unit, setup: SetUp, survivor: int, other: int, actor: Actor) -> int:
    """Two clients are one: everything of `other` is the survivor's now. Returns the merge, which can be undone."""
    staying, going = (
        finding.find_row(unit, models.client, survivor),
        finding.refer_to(unit, models.client, other, "other"),
    )
    _check(staying, going)
    moved: Row = {"promises": acts.merge(unit, setup.book, survivor, other, str(actor))}
    moved["refusals"] = refusals.join(unit, survivor, other, actor)
    moved |= {table.name: _move(unit, table, other, survivor) for table in _BELONGING}
    moved["rating"] = _move(unit, models.rating, other, survivor, number=models.rating.c.conversation_id)
    keep(unit, survivor)
    moved["people"] = _move(unit, models.client, other, survivor, models.client.c.company_id)
    moved |= _move_identities(unit, other, survivor)
    moved["survivor"] = _complete(unit, staying, going)
    finding.change_row(unit, models.client, going, {"merged_into": survivor})
    number = unit.connection.execute(
        insert(models.merge).values(survivor_id=survivor, other_id=other, at=unit.now, by=str(actor), moved=moved)
    ).inserted_primary_key[0]  # type: ignore[index]
    _tell(unit, actor, "merged", survivor, other, int(number))
    return int(number)


def undo_merge(unit: Unit, setup: SetUp, number: int, actor: Actor) -> None:
    """Give back what was moved. Refused while a later merge builds on this one: that one is undone first."""
    row = finding.find_row(unit, models.merge, number)
    if row["undone_at"] is not None:
        raise Conflict("this merge was undone before")
    survivor, other, moved = row["survivor_id"], row["other_id"], row["moved"]
    if (later := _built_upon(unit, row)) is not None:
        raise Conflict("merge %(later)s builds on this one", remedy="undo merge %(later)s first", later=later)
    acts.undo_merge(unit, setup.book, survivor, other, moved["promises"], str(actor))
    for table in _BELONGING:
        _give_back(unit, table, moved.get(table.name, ()), survivor, other)
    _give_back(unit, models.rating, moved.get("rating", ()), survivor, other, number=models.rating.c.conversation_id)
    _set(unit, models.consent, moved.get("refusals", []), {"client_id": -other})
    for client in (survivor, other):
        keep(unit, client)
    _give_back(unit, models.client, moved["people"], survivor, other, models.client.c.company_id)
    _give_back(unit, models.identity, moved["identities"], survivor, other)
    _give_back(unit, models.identity, moved["parked"], -other, other)
    _restore(unit, survivor, moved["survivor"])
    going = finding.find_row(unit, models.client, other)
    finding.change_row(unit, models.client, going, {"merged_into": None})
    finding.change_row(unit, models.merge, row, {"undone_at": unit.now, "undone_by": str(actor)})
    _tell(unit, actor, "unmerged", survivor, other, number)


def _check(staying: Row, going: Row) -> None:
    if staying["id"] == going["id"]:
        raise BadInput("a client cannot be merged with himself", field="other")
    for row in (staying, going):
        if row["merged_into"] is not None:
            raise Conflict(
                "client %(client)s was merged into %(survivor)s",
                field="other" if row is going else None,
                remedy="merge client %(survivor)s instead",
                client=row["id"],
                survivor=row["merged_into"],
            )
    if going["company_id"] == staying["id"] or staying["company_id"] == going["id"]:
        raise Conflict("one belongs to the other: a person and his company are two clients", field="other")


def _move(unit: Unit, table: Table, other: int, survivor: int, column: Any = None, number: Any = None) -> list[int]:
    """Move the rows of one table; answers their numbers."""
    whose = column if column is not None else table.c.client_id
    row = number if number is not None else table.c.id
    numbers = list(unit.connection.execute(select(row).where(whose == other).order_by(row)).scalars())
    if numbers:
        unit.connection.execute(update(table).where(whose == other).values({whose.name: survivor}))
    return numbers


def _move_identities(unit: Unit, other: int, survivor: int) -> Row:
    table = models.identity
    rows = unit.connection.execute(
        select(table.c.id, table.c.client_id, table.c.scheme, table.c.value)
        .where(table.c.client_id.in_((other, survivor)))
        .order_by(table.c.id)
    ).all()
    known = {(row.scheme, row.value) for row in rows if row.client_id == survivor}
    parked = [row.id for row in rows if row.client_id == other and (row.scheme, row.value) in known]
    moved = [row.id for row in rows if row.client_id == other and (row.scheme, row.value) not in known]
    _set(unit, table, parked, {"client_id": -other})
    _set(unit, table, moved, {"client_id": survivor})
    return {"identities": moved, "parked": parked}


def _complete(unit: Unit, staying: Row, going: Row) -> Row:
    """What the survivor learns from the other: only what he lacked. Answers column -> [before, after]."""
    changes: Row = {name: going[name] for name in _FILLED if staying[name] is None and going[name] is not None}
    fresh = {key: value for key, value in going["fields"].items() if key not in staying["fields"]}
    if fresh:
        changes["fields"] = {**staying["fields"], **fresh}
    if going["notes"].strip() and going["notes"].strip() not in staying["notes"]:
        changes["notes"] = f"{staying['notes'].rstrip()}\n{going['notes'].strip()}".lstrip()
    if _RANK.get(going["lifecycle"], 0) > _RANK.get(staying["lifecycle"], 0):
        changes["lifecycle"] = going["lifecycle"]
    if staying["provisional"] and not going["provisional"]:
        changes["provisional"] = False
    after = finding.change_row(unit, models.client, staying, changes)
    return {name: [staying[name], after[name]] for name in changes}


def _restore(unit: Unit, survivor: int, learnt: Row) -> None:
    """Take back what the merge taught, unless a person has changed it since. Fields are looked at one by one."""
    row = finding.find_row(unit, models.client, survivor)
    changes: Row = {}
    for name, (before, after) in learnt.items():
        if name == "fields":
            fresh = {key for key in after if key not in before}
            changes[name] = {key: value for key, value in row[name].items() if key not in fresh or value != after[key]}
        elif row[name] == after:
            changes[name] = before
    finding.change_row(unit, models.client, row, changes)


def _built_upon(unit: Unit, row: Row) -> int | None:
    """A later merge, not undone, in which one of these two clients took part as the one who went."""
    table = models.merge
    query = select(table.c.id).where(
        table.c.id > row["id"],
        table.c.undone_at.is_(None),
        table.c.other_id.in_((row["survivor_id"], row["other_id"])),
    )
    return unit.connection.execute(query.order_by(table.c.id.desc())).scalars().first()


def _give_back(
    unit: Unit,
    table: Table,
    numbers: Iterable[int],
    survivor: int,
    other: int,
    column: Any = None,
    number: Any = None,
) -> None:
    """Only what is still the survivor's: a row that a person has since given to somebody else stays there."""
    whose = column if column is not None else table.c.client_id
    row = number if number is not None else table.c.id
    wanted = list(numbers)
    for start in range(0, len(wanted), _AT_ONCE):
        some = wanted[start : start + _AT_ONCE]
        unit.connection.execute(update(table).where(row.in_(some), whose == survivor).values({whose.name: other}))


def _set(unit: Unit, table: Table, numbers: list[int], values: Row) -> None:
    for start in range(0, len(numbers), _AT_ONCE):
        some = numbers[start : start + _AT_ONCE]
        unit.connection.execute(update(table).where(table.c.id.in_(some)).values(**values))


def _tell(unit: Unit, actor: Actor, action: str, survivor: int, other: int, number: int) -> None:
    for client in (survivor, other):
        reindex(unit, client)
        unit.emit(Event("client", client, action, client=client))
    data = {"merge": number, "other": other}
    note(unit, actor, action, "client", survivor, data)
