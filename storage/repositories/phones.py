"""Telephones and queues as they are now, and who works after a call."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from storage.models import line_health, phone, phone_queue, wrap_up
from storage.unit import Unit

Phone = Mapping[str, Any]

_NOW = bindparam("now", type_=phone.c.since.type)
_LIVE = (line_health.c.line == phone.c.line) & (line_health.c.state == "running") & (line_health.c.held_until > _NOW)
_LIVE_PHONES = (
    select(phone, wrap_up.c.until.label("wraps_until"))
    .join(line_health, _LIVE)
    .outerjoin(wrap_up, wrap_up.c.operator == phone.c.operator)
    .where(phone.c.extension.in_(bindparam("extensions", expanding=True)))
)
_WRAP_UPS = select(wrap_up).order_by(wrap_up.c.until)
_TALKING = (
    select(wrap_up.c.operator, wrap_up.c.since)
    .where(wrap_up.c.until > _NOW)
    .union_all(
        select(phone.c.operator, phone.c.since)
        .join(line_health, _LIVE)
        .where(phone.c.state == "talking", phone.c.operator.is_not(None))
    )
)


def live_lines(connection: Connection, now: datetime) -> set[str]:
    """Lines that run and that a process listens to now."""
    columns = line_health.c
    query = select(columns.line).where(columns.state == "running", columns.held_until > now)
    return set(connection.execute(query).scalars())


def read_phones(connection: Connection, lines: Collection[str]) -> list[Row[Any]]:
    """What was said last of the telephones of these lines."""
    return list(connection.execute(select(phone).where(phone.c.line.in_(sorted(lines))))) if lines else []


def read_live_phones(connection: Connection, extensions: Collection[str], now: datetime) -> list[Row[Any]]:
    """These telephones, on lines that run and that a process listens to now; `wraps_until`: he works after a call."""
    return list(connection.execute(_LIVE_PHONES, {"extensions": sorted(extensions), "now": now}))


def read_queues(connection: Connection, lines: Collection[str]) -> list[Row[Any]]:
    """What was said last of the queues of these lines."""
    if not lines:
        return []
    query = select(phone_queue).where(phone_queue.c.line.in_(sorted(lines)))
    return list(connection.execute(query.order_by(phone_queue.c.line, phone_queue.c.queue)))


def read_wrap_ups(connection: Connection) -> list[Row[Any]]:
    """Everybody who works after a call."""
    return list(connection.execute(_WRAP_UPS))


def find_wrap_up(connection: Connection, operator: str) -> Row[Any] | None:
    """His, if he is in one."""
    return connection.execute(select(wrap_up).where(wrap_up.c.operator == operator)).one_or_none()


def find_talking(connection: Connection, now: datetime) -> dict[str, datetime]:
    """Operators whose telephones are in use, and those who work after a call; since when."""
    return {row.operator: row.since for row in connection.execute(_TALKING, {"now": now})}


def replace_phones(unit: Unit, line: str, found: Sequence[Phone]) -> list[Phone]:
    """Write how the telephones of a line are; answers those that have changed, as they are now.

    One that is gone is answered as offline.
    """
    before = {row.extension: dict(row._mapping) for row in read_phones(unit.connection, [line])}
    changed: list[Phone] = []
    for one in found:
        old = before.pop(one["extension"], None)
        if old == one:
            continue
        changed.append(one)
        if old is None:
            unit.connection.execute(insert(phone).values(**one))
        else:
            mine = (phone.c.line == line) & (phone.c.extension == one["extension"])
            unit.connection.execute(update(phone).where(mine).values(**one))
    if before:
        gone = (phone.c.line == line) & phone.c.extension.in_(sorted(before))
        unit.connection.execute(delete(phone).where(gone))
    return [*changed, *({**old, "state": "offline"} for old in before.values())]


def replace_queues(unit: Unit, line: str, found: Sequence[Phone]) -> bool:
    """Write how the queues of a line are; True when anything has changed."""
    before = {row.queue: dict(row._mapping) for row in read_queues(unit.connection, [line])}
    now = {one["queue"]: dict(one) for one in found}
    if before == now:
        return False
    unit.connection.execute(delete(phone_queue).where(phone_queue.c.line == line))
    if now:
        unit.connection.execute(insert(phone_queue), list(now.values()))
    return True


def begin_wrap_up(unit: Unit, values: Mapping[str, Any]) -> None:
    """He works after a call; one at a time."""
    unit.connection.execute(delete(wrap_up).where(wrap_up.c.operator == values["operator"]))
    unit.connection.execute(insert(wrap_up).values(**values))


def take_wrap_up(unit: Unit, operator: str, interaction: int | None = None) -> Row[Any] | None:
    """End it; answers what it was, to one of those who end it at once."""
    mine = wrap_up.c.operator == operator
    if interaction is not None:
        mine &= wrap_up.c.interaction_id == interaction
    return unit.connection.execute(delete(wrap_up).where(mine).returning(*wrap_up.c)).one_or_none()
