"""One-time tickets: sign-in links, invitations, password resets, and proofs that may be spent once."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from hub.access.tokens import digest
from storage.models.people import ticket
from storage.unit import Unit

Purpose: TypeAlias = Literal["sign_in", "invitation", "password_reset"]

LIVES: dict[Purpose, timedelta] = {
    "sign_in": timedelta(hours=1),
    "invitation": timedelta(days=7),
    "password_reset": timedelta(hours=2),
}


def make_ticket(unit: Unit, purpose: Purpose, operator: str, life: timedelta | None = None) -> str:
    """A secret that is good once, until it expires."""
    secret = secrets.token_urlsafe(32)
    unit.connection.execute(
        insert(ticket).values(
            digest=digest(secret),
            purpose=purpose,
            subject=operator,
            made_at=unit.now,
            expires_at=unit.now + (life or LIVES[purpose]),
        )
    )
    return secret


def look_at_ticket(connection: Connection, purpose: Purpose, secret: str, now: datetime) -> str | None:
    """Whose ticket it is, without using it: mail programs open links before people do."""
    return connection.execute(
        select(ticket.c.subject).where(
            ticket.c.digest == digest(secret),
            ticket.c.purpose == purpose,
            ticket.c.used_at.is_(None),
            ticket.c.expires_at > now,
        )
    ).scalar_one_or_none()


def use_ticket(unit: Unit, purpose: Purpose, secret: str) -> str | None:
    """Use it up: the operator, or None for one that is unknown, used or too old. Of two at once only one gets it."""
    alive = (
        update(ticket)
        .where(
            ticket.c.digest == digest(secret),
            ticket.c.purpose == purpose,
            ticket.c.used_at.is_(None),
            ticket.c.expires_at > unit.now,
        )
        .values(used_at=unit.now)
        .returning(ticket.c.subject)
    )
    return unit.connection.execute(alive).scalar_one_or_none()


def spend_proof(unit: Unit, proof: str, subject: str, expires_at: datetime) -> bool:
    """Spend a proof of work: False when it was spent before. It must itself be refused after `expires_at`."""
    insert_into = postgresql.insert if unit.dialect == "postgresql" else sqlite.insert
    row = insert_into(ticket).values(
        digest=digest(proof),
        purpose="proof",
        subject=subject,
        made_at=unit.now,
        expires_at=expires_at,
        used_at=unit.now,
    )
    return unit.connection.execute(row.on_conflict_do_nothing().returning(ticket.c.digest)).scalar() is not None


def revoke_tickets(unit: Unit, operator: str) -> None:
    """No link that this operator was sent works any more."""
    mine = (ticket.c.subject == operator) & ticket.c.purpose.in_(tuple(LIVES)) & ticket.c.used_at.is_(None)
    unit.connection.execute(update(ticket).where(mine).values(used_at=unit.now))


def forget_tickets(unit: Unit) -> int:
    """Delete what has expired; how many there were."""
    return unit.connection.execute(delete(ticket).where(ticket.c.expires_at < unit.now)).rowcount


def sign_in_path(secret: str) -> str:
    """Where on the desk a sign-in ticket is used."""
    return f"/sign-in/once/{secret}"
