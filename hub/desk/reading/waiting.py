"""The list of conversations: what waits, nearest due first, and the other states newest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, false, func, or_, select
from sqlalchemy.sql.elements import ColumnElement

from storage.models import client, conversation, interaction, obligation

STATES = ("open", "waiting_client", "postponed", "solved", "junk")
_TICKING = ("running", "breached")
_SNIPPET = 160


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an operator asked to see. `tab` is mine, team, unassigned or all; None in a filter means any."""

    tab: str
    operator: str
    teams: tuple[str, ...] = ()
    state: str = "open"
    channel: str | None = None
    category: str | None = None
    owner: str | None = None
    team: str | None = None


@dataclass(frozen=True, slots=True)
class WaitingRow:
    """One conversation in the list."""

    id: int
    client_id: int
    client: str
    category: str | None
    client_kind: str
    state: str
    subject: str
    snippet: str
    channel: str
    kind: str
    owner: str | None
    team: str | None
    last_at: datetime
    waiting_since: datetime | None
    postponed_until: datetime | None
    due: datetime | None
    started: datetime | None


def read_waiting(connection: Connection, wanted: Wanted, limit: int) -> list[WaitingRow]:
    """The rows of one tab, at most `limit`: first which, by narrow rows that sort fast, then all about those."""
    numbers = list(connection.execute(_which(wanted).limit(limit)).scalars())
    ticking = _ticking(connection, numbers)
    found = {row.id: _row(row, ticking.get(row.id)) for row in connection.execute(_about(numbers))}
    return [found[number] for number in numbers if number in found]


def count_waiting(connection: Connection, operator: str, teams: Sequence[str]) -> dict[str, int]:
    """How many conversations wait in each tab."""
    waits = select(conversation.c.owner, conversation.c.team, func.count().label("number")).where(
        conversation.c.state == "open", conversation.c.waiting_since.is_not(None)
    )
    found = connection.execute(waits.group_by(conversation.c.owner, conversation.c.team)).all()
    return {
        "mine": sum(row.number for row in found if row.owner == operator),
        "team": sum(row.number for row in found if row.team in teams or (teams and row.team is row.owner is None)),
        "unassigned": sum(row.number for row in found if row.owner is None),
        "all": sum(row.number for row in found),
    }


def count_mine(connection: Connection, operator: str) -> int:
    """How many conversations wait for him."""
    query = select(func.count()).where(*_conditions(Wanted("mine", operator)))
    return connection.execute(query).scalar_one()


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [conversation.c.state == wanted.state]
    if wanted.state == "open":
        found.append(conversation.c.waiting_since.is_not(None))
    if wanted.tab == "mine":
        found.append(conversation.c.owner == wanted.operator)
    elif wanted.tab == "unassigned":
        found.append(conversation.c.owner.is_(None))
    elif wanted.tab == "team":
        found.append(_of_teams(wanted.teams))
    if wanted.owner:
        found.append(conversation.c.owner == wanted.owner)
    if wanted.team:
        found.append(conversation.c.team == wanted.team)
    return found


def _of_teams(teams: Sequence[str]) -> ColumnElement[bool]:
    """What nobody in particular was given belongs to every team."""
    if not teams:
        return false()
    return or_(conversation.c.team.in_(teams), and_(conversation.c.team.is_(None), conversation.c.owner.is_(None)))


def _which(wanted: Wanted) -> Select[Any]:
    """The numbers of the rows, in order; other tables are looked at only when a filter asks."""
    query = select(conversation.c.id).where(*_conditions(wanted))
    if wanted.channel:
        query = query.join(interaction, interaction.c.id == conversation.c.last_inbound_id)
        query = query.where(interaction.c.channel == wanted.channel)
    if wanted.category:
        query = query.join(client, client.c.id == conversation.c.client_id)
        query = query.where(client.c.category == wanted.category)
    if wanted.state == "open":
        ticks = (obligation.c.conversation_id == conversation.c.id) & obligation.c.state.in_(_TICKING)
        due = func.min(obligation.c.due)
        query = query.outerjoin(obligation, ticks).group_by(conversation.c.id)
        return query.order_by(due.is_(None), due, conversation.c.waiting_since)
    if wanted.state == "postponed":
        return query.order_by(conversation.c.postponed_until)
    return query.order_by(conversation.c.last_at.desc())


def _ticking(connection: Connection, numbers: Sequence[int]) -> dict[int, tuple[datetime, datetime]]:
    """Of each conversation the promise that is due next: (due, started)."""
    query = (
        select(obligation.c.conversation_id, obligation.c.due, obligation.c.started)
        .where(
            obligation.c.conversation_id.in_(numbers),
            obligation.c.state.in_(_TICKING),
            obligation.c.due.is_not(None),
        )
        .order_by(obligation.c.due.desc())
    )
    return {row.conversation_id: (row.due, row.started) for row in connection.execute(query)}


def _about(numbers: Sequence[int]) -> Select[Any]:
    return (
        select(
            conversation,
            client.c.name.label("client_name"),
            client.c.kind.label("client_kind"),
            client.c.category,
            interaction.c.channel,
            interaction.c.kind,
            interaction.c.subject.label("said_subject"),
            func.substr(interaction.c.text, 1, _SNIPPET).label("snippet"),
        )
        .join_from(conversation, client, client.c.id == conversation.c.client_id)
        .outerjoin(interaction, interaction.c.id == conversation.c.last_inbound_id)
        .where(conversation.c.id.in_(numbers))
    )


def _row(found: Any, ticking: tuple[datetime, datetime] | None) -> WaitingRow:
    due, started = ticking or (None, None)
    return WaitingRow(
        id=found.id,
        client_id=found.client_id,
        client=found.client_name,
        category=found.category,
        client_kind=found.client_kind,
        state=found.state,
        subject=found.subject or found.said_subject or "",
        snippet=" ".join((found.snippet or "").split()),
        channel=found.channel or (found.channels[0] if found.channels else ""),
        kind=found.kind or "message",
        owner=found.owner,
        team=found.team,
        last_at=found.last_at,
        waiting_since=found.waiting_since,
        postponed_until=found.postponed_until,
        due=due,
        started=started,
    )
