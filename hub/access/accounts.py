"""What belongs to an operator and not to the set-up: password, signature, preferences, being disabled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects import postgresql, sqlite

from hub.access.sessions import Session, end_sessions
from hub.access.tickets import revoke_tickets
from storage.models.people import account
from storage.unit import Unit


@dataclass(frozen=True, slots=True)
class Account:
    """One operator's; an operator who never signed in has an empty one."""

    operator: str
    password_hash: str | None = field(default=None, repr=False)
    disabled_at: datetime | None = None
    disabled_by: str | None = None
    signature: str = ""
    preferences: Mapping[str, Any] = field(default_factory=dict)
    seen_at: datetime | None = None


def read_account(connection: Connection, operator: str) -> Account:
    """The account of one operator."""
    row = connection.execute(select(*_COLUMNS).where(account.c.operator == operator)).one_or_none()
    return Account(*row) if row else Account(operator)


def set_password(unit: Unit, operator: str, password_hash: str, *, here: Session | None = None) -> None:
    """A new password ends all other sessions and all links that were sent."""
    _change(unit, operator, password_hash=password_hash)
    end_sessions(unit, operator, but=here)
    revoke_tickets(unit, operator)


def set_signature(unit: Unit, operator: str, signature: str) -> None:
    """What stands under his mails."""
    _change(unit, operator, signature=signature)


def set_preferences(unit: Unit, operator: str, preferences: Mapping[str, Any]) -> None:
    """How he likes his desk."""
    _change(unit, operator, preferences=dict(preferences))


def note_sign_in(unit: Unit, operator: str) -> None:
    """He was here."""
    _change(unit, operator, seen_at=unit.now)


def disable(unit: Unit, operator: str, by: str) -> None:
    """He is out at once: sessions end, links die, nothing signs him in until `enable`."""
    _change(unit, operator, disabled_at=unit.now, disabled_by=by)
    end_sessions(unit, operator)
    revoke_tickets(unit, operator)


def enable(unit: Unit, operator: str) -> None:
    """He may sign in again, with the password he had."""
    _change(unit, operator, disabled_at=None, disabled_by=None)


def disabled_operators(connection: Connection) -> frozenset[str]:
    """Keys of all who are disabled."""
    return frozenset(connection.execute(select(account.c.operator).where(account.c.disabled_at.is_not(None))).scalars())


def _change(unit: Unit, operator: str, **values: Any) -> None:
    insert_into = postgresql.insert if unit.dialect == "postgresql" else sqlite.insert
    empty = insert_into(account).values(operator=operator, signature="", preferences={})
    unit.connection.execute(empty.on_conflict_do_nothing())
    unit.connection.execute(update(account).where(account.c.operator == operator).values(**values))


_COLUMNS = tuple(account.c[name] for name in Account.__slots__)
