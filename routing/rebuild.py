"""Promises folded again from their histories: into an empty database, and held against what is stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, func, insert, select

from routing.apply import obligation_row
from routing.facts import ObligationFacts
from routing.fold import COLUMNS, fold_history
from routing.ledger import OBLIGATIONS, mirror
from storage.models import clock_event, obligation
from storage.unit import Unit

PORTION = 500


@dataclass(frozen=True, slots=True)
class Difference:
    """A column in which the stored state is not what the history adds up to."""

    obligation: int
    column: str
    stored: Any
    folded: Any


def fold_all(connection: Connection) -> Iterator[ObligationFacts]:
    """Every promise, folded from its history, in order of number."""
    after = 0
    while numbers := _next_numbers(connection, after):
        columns = clock_event.c
        query = select(columns.obligation_id, columns.event, columns.data)
        query = query.where(columns.obligation_id.in_(numbers)).order_by(columns.obligation_id, columns.id)
        for number, entries in groupby(connection.execute(query), key=lambda row: row.obligation_id):
            yield fold_history(number, ((row.event, row.data) for row in entries))
        after = numbers[-1]


def _next_numbers(connection: Connection, after: int) -> list[int]:
    column = clock_event.c.obligation_id
    query = select(column).where(column > after).distinct().order_by(column).limit(PORTION)
    return list(connection.execute(query).scalars())


def count(connection: Connection) -> int:
    """How many promises have a history."""
    return int(connection.execute(select(func.count(clock_event.c.obligation_id.distinct()))).scalar_one())


def copy_into(unit: Unit, connection: Connection, told: Callable[[int], None] = lambda done: None) -> int:
    """Write every folded promise, with its history, into an empty database; answers how many there were.

    `told` hears after every portion how many are done.
    """
    count = 0
    batch: list[ObligationFacts] = []
    for folded in fold_all(connection):
        batch.append(folded)
        count += 1
        if len(batch) == PORTION:
            _write(unit, connection, batch)
            batch = []
            told(count)
    if batch:
        _write(unit, connection, batch)
    told(count)
    return count


def _write(unit: Unit, connection: Connection, batch: list[ObligationFacts]) -> None:
    unit.connection.execute(insert(obligation), [obligation_row(each) for each in batch])
    query = select(clock_event).where(clock_event.c.obligation_id.in_([each.id for each in batch]))
    rows = [dict(row) for row in connection.execute(query.order_by(clock_event.c.id)).mappings()]
    unit.connection.execute(insert(clock_event), rows)


def compare(connection: Connection, folded_from: Connection | None = None) -> Iterator[Difference]:
    """Where the stored promises differ from the fold of their histories (of another database, if one is given)."""
    seen: set[int] = set()
    for folded in fold_all(folded_from or connection):
        seen.add(folded.id)
        row = connection.execute(OBLIGATIONS.where(obligation.c.id == folded.id)).one_or_none()
        if row is None:
            yield Difference(folded.id, "id", None, folded.id)
            continue
        stored = mirror(row)
        for name in COLUMNS:
            mine, theirs = getattr(stored, name), getattr(folded, name)
            if mine != theirs:
                yield Difference(folded.id, name, mine, theirs)
    for number in connection.execute(select(obligation.c.id)).scalars():
        if number not in seen:
            yield Difference(number, "history", number, None)
