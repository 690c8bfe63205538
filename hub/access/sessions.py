"""Sessions of the desk: a random cookie, of which the server keeps a digest, so that any session can be ended."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, insert, select, update

from hub.access.tokens import digest
from storage.models.people import account, session
from storage.unit import Unit

LIFE = timedelta(days=14)
IDLE = timedelta(hours=12)
_SEEN_IS_NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Session:
    """One signed-in browser. Every request that changes something must bring `csrf` along."""

    digest: str
    operator: str
    csrf: str
    made_at: datetime
    seen_at: datetime
    expires_at: datetime
    address: str | None
    agent: str | None

    def seen_is_stale(self, now: datetime) -> bool:
        """Whether it is time to call `note_seen` again."""
        return now - self.seen_at >= _SEEN_IS_NOTED_EVERY

    def brings(self, csrf: str | None) -> bool:
        """Whether a request carries this session's token, in constant time."""
        return csrf is not None and secrets.compare_digest(self.csrf.encode(), csrf.encode())


def start_session(
    unit: Unit, operator: str, address: str | None = None, agent: str | None = None
) -> tuple[str, Session]:
    """Sign an operator in; the cookie's value and the session."""
    cookie = secrets.token_urlsafe(32)
    made = Session(
        digest(cookie),
        operator,
        secrets.token_urlsafe(24),
        unit.now,
        unit.now,
        unit.now + LIFE,
        address,
        agent[:300] if agent else None,
    )
    values = {name: getattr(made, name) for name in Session.__slots__}
    unit.connection.execute(insert(session).values(values))
    return cookie, made


def find_session(connection: Connection, cookie: str, now: datetime) -> Session | None:
    """The session, unless it is unknown, too old, idle for too long, or its operator is disabled.

    Whether the operator still is in the set-up the caller sees himself.
    """
    alive = (session.c.digest == digest(cookie)) & (session.c.expires_at > now) & (session.c.seen_at > now - IDLE)
    disabled = select(account.c.operator).where(
        account.c.operator == session.c.operator, account.c.disabled_at.is_not(None)
    )
    row = connection.execute(select(*_COLUMNS).where(alive, ~disabled.exists())).one_or_none()
    return Session(*row) if row else None


def note_seen(unit: Unit, found: Session) -> None:
    """Keep it from idling out; call it when `seen_is_stale` says so."""
    unit.connection.execute(update(session).where(session.c.digest == found.digest).values(seen_at=unit.now))


def list_sessions(connection: Connection, operator: str) -> list[Session]:
    """Where an operator is signed in, latest first."""
    mine = select(*_COLUMNS).where(session.c.operator == operator).order_by(session.c.seen_at.desc())
    return [Session(*row) for row in connection.execute(mine)]


def end_session(unit: Unit, cookie: str) -> None:
    """Sign out."""
    unit.connection.execute(delete(session).where(session.c.digest == digest(cookie)))


def end_sessions(unit: Unit, operator: str, *, but: Session | None = None) -> int:
    """Sign an operator out everywhere, `but` here; how many sessions there were."""
    mine = delete(session).where(session.c.operator == operator)
    if but is not None:
        mine = mine.where(session.c.digest != but.digest)
    return unit.connection.execute(mine).rowcount


def forget_sessions(unit: Unit) -> int:
    """Delete what has expired; how many there were."""
    old = (session.c.expires_at < unit.now) | (session.c.seen_at < unit.now - IDLE)
    return unit.connection.execute(delete(session).where(old)).rowcount


_COLUMNS = tuple(session.c[name] for name in Session.__slots__)
