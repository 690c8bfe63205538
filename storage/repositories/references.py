"""How messages refer to each other: which conversation holds the message that another one answers.

Messages come in any order (two folders of a mailbox are read side by side), so what is referred to before it is known
is remembered as awaited.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select

from storage.among import among, one_of
from storage.bulk import insert_rows
from storage.models import delivery, interaction
from storage.models.conversations import awaited
from storage.prepared import Prepared
from storage.unit import Unit

_LOGGED = Prepared(
    select(interaction.c.external_id, interaction.c.channel, interaction.c.line, interaction.c.conversation_id)
    .where(among(interaction.c.external_id), interaction.c.conversation_id.is_not(None))
    .order_by(interaction.c.id)
)
_AWAITED = Prepared(
    select(awaited.c.external_id, awaited.c.conversation_id, awaited.c.answered)
    .where(among(awaited.c.external_id))
    .order_by(awaited.c.id.desc())
)


@dataclass(frozen=True, slots=True)
class Awaited:
    """A conversation in which a message is spoken of that nobody has seen; `answered` = by an answer to it."""

    conversation: int
    answered: bool


def find_conversations_of(unit: Unit, external_ids: Iterable[str]) -> list[tuple[str, str, str, int]]:
    """(external id, channel, line, conversation) of the log's messages, our own among them; later ones count."""
    wanted = list(set(external_ids))
    if not wanted:
        return []
    return [(row[0], row[1], row[2], row[3]) for row in _LOGGED.rows(unit.connection, keys=wanted)]


def find_awaited(unit: Unit, external_ids: Iterable[str]) -> dict[str, Awaited]:
    """Where messages were referred to before they came; the first reference counts, and any answer does."""
    wanted = list(set(external_ids))
    found: dict[str, Awaited] = {}
    if wanted:
        for external_id, conversation, answered in _AWAITED.rows(unit.connection, keys=wanted):
            before = found.get(external_id)
            found[external_id] = Awaited(conversation, answered or (before is not None and before.answered))
    return found


def await_messages(unit: Unit, rows: Sequence[Mapping[str, Any]]) -> None:
    """Remember what is referred to: `{external_id, conversation_id, answered}`."""
    insert_rows(unit.connection, awaited, rows)


_ASKED = Prepared(
    select(interaction.c.at, interaction.c.id)
    .where(
        interaction.c.conversation_id == bindparam("conversation"),
        interaction.c.at > bindparam("since", type_=interaction.c.at.type),
        interaction.c.direction == "inbound",
        one_of(interaction.c.kind, ("message", "form", "letter", "fax")),
        interaction.c.automatic.is_(None),
        interaction.c.again_of.is_(None),
        interaction.c.quarantined_at.is_(None),
    )
    .order_by(interaction.c.at, interaction.c.id)
    .limit(1)
)


def find_asked(unit: Unit, conversation: int, since: datetime) -> tuple[datetime, int] | None:
    """The oldest touch of a conversation, since an instant, that asks for an answer: when, and its interaction."""
    found = _ASKED.rows(unit.connection, conversation=conversation, since=since)
    return (found[0][0], found[0][1]) if found else None


def find_last_answer(unit: Unit, conversation: int) -> datetime | None:
    """When a human of ours last reached the client in a conversation; what failed or is not out yet does not count."""
    state = select(delivery.c.state).where(delivery.c.interaction_id == interaction.c.id)
    query = (
        select(interaction, state.order_by(delivery.c.id.desc()).limit(1).scalar_subquery().label("delivery"))
        .where(interaction.c.conversation_id == conversation, interaction.c.automatic.is_(None))
        .order_by(interaction.c.at.desc())
    )
    reached = (_reached_at(dict(row)) for row in unit.connection.execute(query).mappings())
    return max((at for at in reached if at is not None), default=None)


def _reached_at(row: Mapping[str, Any]) -> datetime | None:
    if row["kind"] == "call":
        call = row["call"] or {}
        if call.get("outcome") != "answered":
            return None
        return datetime.fromisoformat(call["answered_at"]) if call.get("answered_at") else row["at"]
    written = row["direction"] == "outbound" and row["kind"] != "note"
    out = row["delivery"] not in ("failed", "pending", "unknown")
    at: datetime = row["at"]
    return at if row["kind"] == "meeting" or (written and out) else None
