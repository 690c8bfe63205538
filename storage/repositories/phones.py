"""Telephones and queues as they are now, and who works after a call."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from storage.models import line_health, phone, phone_queue, wrap_up
from storage.prepared import Prepared, PreparedChange
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
_PHONES_OF_LINE = Prepared(select(phone).where(phone.c.line == bindparam("line_")))
_QUEUES_OF_LINE = Prepared(select(phone_queue).where(phone_queue.c.line == bindparam("line_")))
_CHANGE = PreparedChange(
    update(phone)
    .where(phone.c.line == bindparam("line_"), phone.c.extension == bindparam("extension_"))
    .values({column.name: bindparam(column.name) for column in phone.c if not column.primary_key})
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


def replace_phones(unit: Unit, line: str, found: Sequence[Phone]) -> list[tuple[Phone, str | None]]:
    """Write how the telephones of a line are; answers those that have changed, as they are now, each with its state
    before (None: it was not known).

    One that is gone is answered as offline.
    """
    before = {row["extension"]: row for row in _PHONES_OF_LINE.mappings(unit.connection, line_=line)}
    now = {one["extension"]: dict(one) for one in found}
    new = [one for extension, one in now.items() if extension not in before]
    other = [one for extension, one in now.items() if extension in before and before[extension] != one]
    gone = [one for extension, one in before.items() if extension not in now]
    if new:
        unit.connection.execute(insert(phone), new)
    _CHANGE.make(
        unit.connection,
        [{**_without_key(one), "line_": line, "extension_": one["extension"]} for one in other],
    )
    if gone:
        theirs = phone.c.extension.in_(sorted(one["extension"] for one in gone))
        unit.connection.execute(delete(phone).where(phone.c.line == line, theirs))
    changed = [*new, *other, *({**one, "state": "offline"} for one in gone)]
    return [(one, before.get(one["extension"], {}).get("state")) for one in changed]


def _without_key(one: Phone) -> dict[str, Any]:
    return {name: value for name, value in one.items() if name not in ("line", "extension")}


def replace_queues(unit: Unit, line: str, found: Sequence[Phone]) -> bool:
    """Write how the queues of a line are; True when anything has changed."""
    before = {row["queue"]: row for row in _QUEUES_OF_LINE.mappings(unit.connection, line_=line)}
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
