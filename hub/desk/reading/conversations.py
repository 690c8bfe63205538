"""One conversation, the drafts in it, and who else has his reply box open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select

from storage.models import conversation, draft

STILL_WRITING = timedelta(seconds=50)
"""A reply box says every 20 seconds that it is open; after this long without a word it is taken for closed."""


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation."""

    id: int
    client_id: int
    state: str
    subject: str | None
    owner: str | None
    team: str | None
    channels: tuple[str, ...]
    opened_at: datetime
    last_at: datetime
    waiting_since: datetime | None
    closed_at: datetime | None
    closed_by: str | None
    closed_why: str | None
    postponed_until: datetime | None


@dataclass(frozen=True, slots=True)
class Draft:
    """What an operator has typed and not sent."""

    text: str = ""
    subject: str | None = None
    cc: str = ""
    to: str = ""
    line: str = ""
    attachments: tuple[int, ...] = ()


def read_talk(connection: Connection, number: int) -> Talk | None:
    """One conversation."""
    row = connection.execute(select(conversation).where(conversation.c.id == number)).first()
    if row is None:
        return None
    return Talk(
        row.id,
        row.client_id,
        row.state,
        row.subject,
        row.owner,
        row.team,
        tuple(row.channels or ()),
        row.opened_at,
        row.last_at,
        row.waiting_since,
        row.closed_at,
        row.closed_by,
        row.closed_why,
        row.postponed_until,
    )


def read_client_talks(connection: Connection, client_id: int, limit: int = 20) -> list[Talk]:
    """A client's conversations, newest first."""
    query = (
        select(conversation.c.id)
        .where(conversation.c.client_id == client_id)
        .order_by(conversation.c.last_at.desc())
        .limit(limit)
    )
    found = [read_talk(connection, number) for number in connection.execute(query).scalars()]
    return [one for one in found if one is not None]


def read_draft(connection: Connection, number: int, operator: str) -> Draft:
    """His draft; an empty one when there is none."""
    query = select(draft.c.body).where(draft.c.conversation_id == number, draft.c.operator == operator)
    body: dict[str, Any] = connection.execute(query).scalar() or {}
    return Draft(
        text=str(body.get("text", "")),
        subject=body.get("subject"),
        cc=str(body.get("cc", "")),
        to=str(body.get("to", "")),
        line=str(body.get("line", "")),
        attachments=tuple(int(one) for one in body.get("attachments", ())),
    )


def read_others_writing(connection: Connection, number: int, operator: str, now: datetime) -> list[str]:
    """Who else has his reply box open in this conversation."""
    query = select(draft.c.operator, draft.c.body).where(
        draft.c.conversation_id == number, draft.c.operator != operator, draft.c.saved_at > now - STILL_WRITING
    )
    return sorted(row.operator for row in connection.execute(query) if (row.body or {}).get("open"))
