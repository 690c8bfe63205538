"""API tokens of programs: shown once, kept as a SHA-256 digest only."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, insert, select, update

from hub.actor import RANKS, Actor
from storage.models.people import token
from storage.unit import Unit

_PREFIX = "tl_"
_USE_IS_NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Token:
    """What is known of one token, which is everything but the token."""

    id: int
    name: str
    role: str
    made_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None

    @property
    def actor(self) -> Actor:
        """Who acts with it."""
        return Actor("token", self.name, self.role)

    def use_is_stale(self, now: datetime) -> bool:
        """Whether it is time to call `note_use` again."""
        return self.used_at is None or now - self.used_at >= _USE_IS_NOTED_EVERY


def digest(secret: str) -> str:
    """What the database keeps of a secret that nobody can guess anyway."""
    return hashlib.sha256(secret.encode()).hexdigest()


def make_token(unit: Unit, name: str, role: str = "admin") -> str:
    """A new token; older ones of the same name stay good. Raises `ValueError` for an unknown role."""
    if role not in RANKS:
        raise ValueError(f"no role is called {role!r}; use {', '.join(RANKS)}")
    secret = _PREFIX + secrets.token_urlsafe(32)
    unit.connection.execute(insert(token).values(name=name, role=role, digest=digest(secret), made_at=unit.now))
    return secret


def find_token(connection: Connection, secret: str) -> Token | None:
    """The token, unless it is unknown or revoked."""
    row = connection.execute(
        _SELECT.where(token.c.digest == digest(secret), token.c.revoked_at.is_(None))
    ).one_or_none()
    return Token(*row) if row else None


def note_use(unit: Unit, found: Token) -> None:
    """Remember that it was used; call it when `use_is_stale` says so."""
    unit.connection.execute(update(token).where(token.c.id == found.id).values(used_at=unit.now))


def list_tokens(connection: Connection) -> list[Token]:
    """All, newest first."""
    return [Token(*row) for row in connection.execute(_SELECT.order_by(token.c.id.desc()))]


def revoke_tokens(unit: Unit, name: str) -> int:
    """Revoke every token of this name; how many there were."""
    alive = update(token).where(token.c.name == name, token.c.revoked_at.is_(None))
    return unit.connection.execute(alive.values(revoked_at=unit.now)).rowcount


_SELECT = select(token.c.id, token.c.name, token.c.role, token.c.made_at, token.c.used_at, token.c.revoked_at)
