"""For the live board: promises that are about to be late or are late already, and conversations that wait for us."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, func, or_, select
from sqlalchemy.sql.elements import ColumnElement

from storage.models import client, conversation, obligation

_TICKING = ("running", "breached")


@dataclass(frozen=True, slots=True)
class Whose:
    """Narrows to the promises and conversations of some teams and people; None = everybody's."""

    teams: Sequence[str] | None = None
    operators: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Ticking:
    """One promise that will be late soon, or is. `due` is aware UTC."""

    id: int
    regulation: str
    client_id: int
    client: str
    conversation_id: int | None
    owner: str | None
    team: str | None
    started: datetime
    due: datetime


@dataclass(frozen=True, slots=True)
class Pressing:
    """`soon` are due within the time asked for, `late` were due; `nearest` are the first of both, by due."""

    soon: int
    late: int
    nearest: tuple[Ticking, ...]


@dataclass(frozen=True, slots=True)
class Unanswered:
    """Open conversations in which the client waits for us."""

    conversations: int
    oldest_since: datetime | None


def read_pressing(connection: Connection, whose: Whose, now: datetime, soon: timedelta, most: int) -> Pressing:
    """Running promises by their due; paused ones have none. What is late already comes after what can be saved."""
    row = obligation.c
    mine = [row.state.in_(_TICKING), *_of(whose, row.team, row.owner)]
    counted = [
        connection.execute(select(func.count()).select_from(obligation).where(*mine, when)).scalar_one()
        for when in (and_(row.due >= now, row.due < now + soon), row.due < now)
    ]
    query = select(row.id, row.regulation, row.client_id, client.c.name, row.conversation_id, row.owner, row.team)
    query = query.add_columns(row.started, row.due).outerjoin(client, client.c.id == row.client_id).where(*mine)
    nearest = list(connection.execute(query.where(row.due >= now, row.due < now + soon).order_by(row.due).limit(most)))
    if len(nearest) < most:
        late = query.where(row.due < now).order_by(row.due.desc()).limit(most - len(nearest))
        nearest += connection.execute(late)
    return Pressing(counted[0], counted[1], tuple(_ticking(each) for each in nearest))


def _ticking(row: Any) -> Ticking:
    return Ticking(
        row.id,
        row.regulation,
        row.client_id,
        row.name or "",
        row.conversation_id,
        row.owner,
        row.team,
        row.started,
        row.due,
    )


def read_unanswered(connection: Connection, whose: Whose) -> Unanswered:
    """How many wait, and since when the first of them does."""
    row = conversation.c
    query = select(func.count().label("number"), func.min(row.waiting_since).label("oldest")).where(
        row.state == "open", row.waiting_since.is_not(None), *_of(whose, row.team, row.owner)
    )
    found = connection.execute(query).one()
    return Unanswered(found.number, found.oldest)


def _of(whose: Whose, team: ColumnElement[str], owner: ColumnElement[str]) -> list[ColumnElement[bool]]:
    if whose.teams is None:
        return []
    return [or_(team.in_(whose.teams), owner.in_(whose.operators))]
