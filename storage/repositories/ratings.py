"""Reads and writes how clients rated conversations: one row each, made when they are asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from storage.models import conversation, interaction, rating
from storage.unit import Unit


@dataclass(frozen=True, slots=True)
class Rating:
    """One conversation's. `score` of `most` is None until he answers; `history` are all his answers."""

    conversation_id: int
    client_id: int
    line: str
    operator: str | None
    team: str | None
    asked_at: datetime
    asked_id: int
    score: int | None
    most: int
    rated_at: datetime | None
    rated_id: int | None
    history: list[dict[str, Any]]


_COLUMNS = [rating.c[each.name] for each in fields(Rating)]


def find(connection: Connection, number: int) -> Rating | None:
    """How a conversation was rated."""
    return find_many(connection, [number]).get(number)


def find_many(connection: Connection, numbers: Iterable[int]) -> dict[int, Rating]:
    """How several conversations were rated."""
    wanted = list(numbers)
    if not wanted:
        return {}
    query = select(*_COLUMNS).where(rating.c.conversation_id.in_(wanted))
    return {row.conversation_id: Rating(*row) for row in connection.execute(query)}


def find_open(connection: Connection, clients: Iterable[int], since: datetime) -> dict[tuple[int, str], Rating]:
    """Those that were asked since an instant and not answered yet: (client, line) -> the newest."""
    wanted = sorted(set(clients))
    if not wanted:
        return {}
    query = (
        select(*_COLUMNS)
        .where(rating.c.client_id.in_(wanted), rating.c.score.is_(None), rating.c.asked_at >= since)
        .order_by(rating.c.asked_at)
    )
    return {(row.client_id, row.line): Rating(*row) for row in connection.execute(query)}


def ask(unit: Unit, values: Mapping[str, Any]) -> None:
    """He is asked."""
    unit.connection.execute(insert(rating).values(**values, history=[]))


def answer(unit: Unit, found: Rating, score: int, at: datetime, interaction_id: int, owner: str | None) -> None:
    """He answers, perhaps once more: the last answer counts."""
    changes = {
        "score": score,
        "rated_at": at,
        "rated_id": interaction_id,
        "operator": owner,
        "history": [*found.history, {"score": score, "at": at.isoformat()}],
    }
    unit.connection.execute(update(rating).where(rating.c.conversation_id == found.conversation_id).values(**changes))


def last_heard(connection: Connection, number: int) -> Any:
    """The client's own last message in a conversation, and who owns it: line, party, language; None without any."""
    columns = interaction.c
    query = (
        select(interaction, conversation.c.owner, conversation.c.state, conversation.c.closed_why)
        .join_from(interaction, conversation, conversation.c.id == columns.conversation_id)
        .where(
            columns.conversation_id == number,
            columns.direction == "inbound",
            columns.kind.in_(("message", "form")),
            columns.automatic.is_(None),
        )
        .order_by(columns.at.desc(), columns.id.desc())
        .limit(1)
    )
    return connection.execute(query).mappings().first()
