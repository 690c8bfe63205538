"""Orders to telephone exchanges on their way between processes: placed, taken by one, answered, forgotten."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from storage.events import Event
from storage.models import line_health, phone_order
from storage.unit import Unit

_KEPT = timedelta(hours=1)


def place(unit: Unit, number: str, line: str, action: str, arguments: Mapping[str, Any], until: datetime) -> bool:
    """Write it down and say so; False when the line does not run, and nothing was written."""
    runs = (line_health.c.state == "running") & (line_health.c.held_until > unit.now)
    held = select(line_health.c.line).where(line_health.c.line == line, runs)
    if unit.connection.execute(held).first() is None:
        return False
    tidy(unit, unit.now - _KEPT)
    values = {"id": number, "line": line, "action": action, "arguments": arguments}
    unit.connection.execute(insert(phone_order).values(**values, made_at=unit.now, expires_at=until))
    unit.emit(Event("phone_order", f"{number} {line}", "placed"))
    return True


def take(unit: Unit, number: str, name: str) -> Row[Any] | None:
    """It is this process's to carry out, and nobody else's; None when it is too late, or another's."""
    columns = phone_order.c
    mine = (columns.id == number) & columns.taken_by.is_(None) & (columns.expires_at > unit.now)
    taken = update(phone_order).where(mine).values(taken_by=name).returning(*columns)
    return unit.connection.execute(taken).one_or_none()


def withdraw(unit: Unit, number: str) -> bool:
    """True when nobody had begun it: from now on nobody can."""
    unbegun = (phone_order.c.id == number) & phone_order.c.taken_by.is_(None)
    return unit.connection.execute(delete(phone_order).where(unbegun)).rowcount == 1


def answer(unit: Unit, number: str, found: Mapping[str, Any]) -> None:
    """What came of it."""
    unit.connection.execute(update(phone_order).where(phone_order.c.id == number).values(answer=dict(found)))
    unit.emit(Event("phone_order", number, "answered"))


def find_answer(connection: Connection, number: str) -> Mapping[str, Any] | None:
    """What came of it, once it is known."""
    found: Mapping[str, Any] | None = connection.execute(
        select(phone_order.c.answer).where(phone_order.c.id == number)
    ).scalar_one_or_none()
    return found


def forget(unit: Unit, number: str) -> None:
    """Its answer was read."""
    unit.connection.execute(delete(phone_order).where(phone_order.c.id == number))


def tidy(unit: Unit, before: datetime) -> None:
    """Forget what nobody asks for any more (its asker has died)."""
    unit.connection.execute(delete(phone_order).where(phone_order.c.expires_at < before))
