"""Reads the log: interactions newest first, one with everything, its attachments and its touches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.sql import Select

from storage.models import attachment, conversation, interaction, raw, touch
from storage.repositories.paging import Order, Page, read_page
from storage.search import matching

CONVERSATION_STATES = frozenset({"open", "waiting_client", "postponed", "solved", "junk"})
OWN_STATES = frozenset({"logged", "quarantined", "answered", "missed"})

_BY_TIME = Order(interaction.c.at, interaction.c.id)
_MOST_HITS = 20_000
_MOST_HITS_NARROWED = 200_000


@dataclass(frozen=True, slots=True)
class Interaction:
    """One row of the log, as `storage.models.interaction` describes it."""

    id: int
    kind: str
    channel: str
    line: str
    direction: str
    at: datetime
    ended_at: datetime | None
    client_id: int | None
    conversation_id: int | None
    operator: str | None
    team: str | None
    subject: str | None
    text: str
    content_id: int | None
    fields: Mapping[str, Any]
    field_marks: Mapping[str, str]
    origin: Mapping[str, Any]
    party: tuple[Mapping[str, Any], ...]
    candidates: tuple[Mapping[str, Any], ...]
    automatic: str | None
    suspicion: str | None
    quarantined_at: datetime | None
    again_of: int | None
    external_id: str | None
    call: Mapping[str, Any] | None
    disposition: str | None
    language: str | None
    has_files: bool
    remarks: tuple[str, ...]


_NAMES = tuple(field.name for field in fields(Interaction))
_LISTS = ("party", "candidates", "remarks")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of an interaction, or of a draft while `interaction_id` is None."""

    id: int
    interaction_id: int | None
    name: str
    media_type: str
    size: int
    content_id: str | None
    path: str
    uploaded_by: str | None


@dataclass(frozen=True, slots=True)
class Touch:
    """One touch as it came: never changed, never deleted."""

    id: int
    line: str
    event_key: str
    interaction_id: int
    at: datetime
    received_at: datetime
    phase: str | None
    body: Mapping[str, Any]
    text: str
    full_text: str | None
    html: str | None
    raw_id: int | None


@dataclass(frozen=True, slots=True)
class Raw:
    """Where the bytes of a touch are: `data` is zlib, else `path` names a file."""

    id: int
    media_type: str
    size: int
    data: bytes | None
    path: str | None


@dataclass(frozen=True, slots=True)
class Filter:
    """What a list of interactions may be narrowed by. `state` is one of the two sets above."""

    line: str | None = None
    channel: str | None = None
    client: int | None = None
    conversation: int | None = None
    kind: str | None = None
    direction: str | None = None
    operator: str | None = None
    state: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    q: str | None = None


def find(connection: Connection, number: int) -> Interaction | None:
    """One interaction."""
    row = connection.execute(select(interaction).where(interaction.c.id == number)).one_or_none()
    return _read(row) if row is not None else None


def list_page(
    connection: Connection, wanted: Filter, *, limit: int = 50, cursor: str | None = None
) -> Page[Interaction]:
    """Interactions, newest first. Raises `BadCursor`. Full text looks at the newest 20,000 matches (200,000 when
    narrowed otherwise)."""
    query = _narrow(select(interaction), wanted)
    if wanted.q is not None:
        narrowed = wanted.client is not None or wanted.conversation is not None or wanted.line is not None
        most = _MOST_HITS_NARROWED if narrowed else _MOST_HITS
        matches = matching(connection, "interaction", wanted.q, interaction.c.id, most)
        if matches is None:
            return Page((), None)
        query = query.where(matches)
    return read_page(connection, query, _BY_TIME, _read, limit=limit, cursor=cursor)


def _narrow(query: Select[Any], wanted: Filter) -> Select[Any]:
    columns = {
        "channel": interaction.c.channel,
        "client": interaction.c.client_id,
        "conversation": interaction.c.conversation_id,
        "kind": interaction.c.kind,
        "direction": interaction.c.direction,
        "operator": interaction.c.operator,
    }
    for name, column in columns.items():
        value = getattr(wanted, name)
        if value is not None:
            query = query.where(column == value)
    if wanted.line is not None:
        query = query.where(interaction.c.line.in_((wanted.line, f"form:{wanted.line}")))
    if wanted.since is not None:
        query = query.where(interaction.c.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(interaction.c.at < wanted.until)
    return _narrow_by_state(query, wanted.state) if wanted.state is not None else query


def _narrow_by_state(query: Select[Any], state: str) -> Select[Any]:
    if state == "quarantined":
        return query.where(
            interaction.c.id.in_(select(interaction.c.id).where(interaction.c.quarantined_at.is_not(None)))
        )
    if state == "logged":
        return query.where(interaction.c.quarantined_at.is_(None))
    if state in ("answered", "missed"):
        return query.where(interaction.c.kind == "call", interaction.c.call["outcome"].as_string() == state)
    talk = select(conversation.c.id).where(
        conversation.c.id == interaction.c.conversation_id, conversation.c.state == state
    )
    return query.where(talk.exists())


def timeline(connection: Connection, client: int, *, limit: int = 50, cursor: str | None = None) -> Page[Interaction]:
    """Everything about one client over all channels."""
    return list_page(connection, Filter(client=client), limit=limit, cursor=cursor)


def of_conversation(connection: Connection, number: int) -> tuple[Interaction, ...]:
    """The interactions of one conversation, oldest first."""
    query = (
        select(interaction).where(interaction.c.conversation_id == number).order_by(interaction.c.at, interaction.c.id)
    )
    return tuple(_read(row) for row in connection.execute(query))


def attachments_of(connection: Connection, numbers: Iterable[int]) -> dict[int, list[Attachment]]:
    """The attachments of several interactions: interaction -> its files, in the order they came."""
    wanted = list(numbers)
    if not wanted:
        return {}
    found: dict[int, list[Attachment]] = {}
    query = select(attachment).where(attachment.c.interaction_id.in_(wanted)).order_by(attachment.c.id)
    for row in connection.execute(query):
        found.setdefault(row.interaction_id, []).append(_read_attachment(row))
    return found


def find_paths(connection: Connection, numbers: Iterable[int]) -> set[tuple[int, str]]:
    """Which files these interactions have: (interaction, where its bytes are kept), the same for the same bytes."""
    query = select(attachment.c.interaction_id, attachment.c.path).where(attachment.c.interaction_id.in_(list(numbers)))
    return {(row.interaction_id, row.path) for row in connection.execute(query)}


def find_attachment(connection: Connection, number: int) -> Attachment | None:
    """One attachment."""
    row = connection.execute(select(attachment).where(attachment.c.id == number)).one_or_none()
    return _read_attachment(row) if row is not None else None


def find_attachments(connection: Connection, numbers: Iterable[int]) -> dict[int, Attachment]:
    """Several attachments by id."""
    wanted = list(numbers)
    if not wanted:
        return {}
    rows = connection.execute(select(attachment).where(attachment.c.id.in_(wanted)))
    return {row.id: _read_attachment(row) for row in rows}


def content_of(connection: Connection, number: int) -> Touch | None:
    """The touch whose text is shown for an interaction, with its full text and its HTML."""
    shown = select(interaction.c.content_id).where(interaction.c.id == number).scalar_subquery()
    row = connection.execute(select(touch).where(touch.c.id == shown)).one_or_none()
    return _read_touch(row) if row is not None else None


def touches_of(connection: Connection, number: int) -> tuple[Touch, ...]:
    """Everything that an interaction is the fold of, in the order it came."""
    query = select(touch).where(touch.c.interaction_id == number).order_by(touch.c.id)
    return tuple(_read_touch(row) for row in connection.execute(query))


def find_raw(connection: Connection, number: int) -> Raw | None:
    """The bytes of a touch as they came from the wire."""
    row = connection.execute(select(raw).where(raw.c.id == number)).one_or_none()
    return Raw(row.id, row.media_type, row.size, row.data, row.path) if row is not None else None


def _read(row: Any) -> Interaction:
    values = {name: getattr(row, name) for name in _NAMES}
    for name in _LISTS:
        values[name] = tuple(values[name] or ())
    return Interaction(**values)


def _read_attachment(row: Any) -> Attachment:
    return Attachment(
        row.id, row.interaction_id, row.name, row.media_type, row.size, row.content_id, row.path, row.uploaded_by
    )


def _read_touch(row: Any) -> Touch:
    return Touch(**{field.name: getattr(row, field.name) for field in fields(Touch)})
