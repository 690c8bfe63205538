"""Rows of the log as the desk shows them: with their files, and with what became of their sending."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, bindparam, func, literal, select

from hub.recordings.audit import Listening, read_listenings
from hub.recordings.names import names_of
from storage.models import attachment, delivery, interaction, touch
from storage.prepared import Prepared


@dataclass(frozen=True, slots=True)
class File:
    """An attachment."""

    id: int
    name: str
    media_type: str
    size: int
    content_id: str | None
    path: str
    interaction_id: int | None
    uploaded_by: str | None = None


@dataclass(frozen=True, slots=True)
class Sending:
    """What became of an outbound message: pending, sent, delivered, read, failed or unknown."""

    id: int
    state: str
    reason: str | None
    recipients: tuple[str, ...]
    attempts: int
    settled_at: datetime | None
    copies: tuple[str, ...] = ()
    postponed_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One interaction."""

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
    fields: dict[str, Any]
    field_marks: dict[str, Any]
    origin: dict[str, Any]
    party: tuple[dict[str, Any], ...]
    candidates: tuple[dict[str, Any], ...]
    automatic: str | None
    suspicion: str | None
    quarantined_at: datetime | None
    again_of: int | None
    call: dict[str, Any] | None
    disposition: str | None
    has_html: bool
    has_more: bool
    files: tuple[File, ...] = ()
    sendings: tuple[Sending, ...] = field(default=())
    listenings: tuple[Listening, ...] = ()

    @property
    def icon(self) -> str:
        """The name of its picture."""
        return icon_of(self.channel, self.kind, self.call)


def icon_of(channel: str, kind: str, call: dict[str, Any] | None = None) -> str:
    """A picture for a channel, or for what happened by hand."""
    if kind == "call":
        return "missed" if (call or {}).get("outcome") == "missed" else "call"
    if kind in {"meeting", "letter", "fax", "note", "form"}:
        return kind
    by_channel = {"email": "email", "sms": "sms", "chat": "chat", "webform": "form"}
    return by_channel.get(channel, "messenger" if channel not in {"", "desk", "api"} else "note")


def read_entries(connection: Connection, conversation_id: int, limit: int = 200) -> list[Entry]:
    """The newest interactions of a conversation, oldest first."""
    query = (
        _entries()
        .where(interaction.c.conversation_id == conversation_id, interaction.c.quarantined_at.is_(None))
        .order_by(interaction.c.at.desc(), interaction.c.id.desc())
        .limit(limit)
    )
    return _complete(connection, list(connection.execute(query)))[::-1]


def read_timeline(connection: Connection, client_id: int, limit: int, before: datetime | None = None) -> list[Entry]:
    """A client's interactions over all channels, newest first."""
    if before is None:
        return _complete(connection, _newest().records(connection, client=client_id, most=limit))
    query = _timeline().where(interaction.c.at < before)
    return _complete(connection, list(connection.execute(query, {"client": client_id, "most": limit})))


def read_entry(connection: Connection, number: int) -> Entry | None:
    """One interaction."""
    found = _complete(connection, list(connection.execute(_entries().where(interaction.c.id == number))))
    return found[0] if found else None


def read_found(connection: Connection, numbers: Iterable[int]) -> list[Entry]:
    """Some interactions, newest first, without files."""
    query = _entries().where(interaction.c.id.in_(list(numbers))).order_by(interaction.c.at.desc())
    return [_entry(row, (), ()) for row in connection.execute(query)]


def read_quarantine(connection: Connection, limit: int = 200) -> list[Entry]:
    """What was held back as suspicious, newest first."""
    query = (
        _entries()
        .where(interaction.c.quarantined_at.is_not(None))
        .order_by(interaction.c.quarantined_at.desc())
        .limit(limit)
    )
    return _complete(connection, list(connection.execute(query)))


@dataclass(frozen=True, slots=True)
class Content:
    """The whole text of one touch, and its HTML."""

    text: str
    full_text: str | None
    html: str | None


def read_content(connection: Connection, number: int) -> Content | None:
    """What the sender really wrote, before anything was folded away."""
    query = (
        select(interaction.c.text, touch.c.full_text, touch.c.html)
        .outerjoin_from(interaction, touch, touch.c.id == interaction.c.content_id)
        .where(interaction.c.id == number)
    )
    row = connection.execute(query).first()
    return Content(row.text, row.full_text, row.html) if row else None


def read_file(connection: Connection, number: int) -> File | None:
    """One attachment."""
    row = connection.execute(select(attachment).where(attachment.c.id == number)).first()
    return _file(row) if row else None


def read_files(connection: Connection, numbers: Iterable[int]) -> list[File]:
    """Some attachments, in the order of their upload."""
    query = select(attachment).where(attachment.c.id.in_(list(numbers))).order_by(attachment.c.id)
    return [_file(row) for row in connection.execute(query)]


@cache
def _newest() -> Prepared:
    """Asked whenever a telephone rings: put together once."""
    return Prepared(_timeline())


def _timeline() -> Select[Any]:
    return (
        _entries()
        .where(interaction.c.client_id == bindparam("client"), interaction.c.quarantined_at.is_(None))
        .order_by(interaction.c.at.desc(), interaction.c.id.desc())
        .limit(bindparam("most"))
    )


def _entries() -> Select[Any]:
    return select(
        interaction,
        (touch.c.html.is_not(None) & (touch.c.html != literal(""))).label("has_html"),
        (func.length(func.coalesce(touch.c.full_text, "")) > func.length(interaction.c.text)).label("has_more"),
    ).outerjoin_from(interaction, touch, touch.c.id == interaction.c.content_id)


def _complete(connection: Connection, rows: list[Any]) -> list[Entry]:
    files: dict[int, list[File]] = {}
    sendings: dict[int, list[Sending]] = {}
    with_files = [row.id for row in rows if row.has_files]
    if with_files:
        for row in connection.execute(select(attachment).where(attachment.c.interaction_id.in_(with_files))):
            files.setdefault(row.interaction_id, []).append(_file(row))
    outbound = [row.id for row in rows if row.direction == "outbound"]
    if outbound:
        for row in connection.execute(select(delivery).where(delivery.c.interaction_id.in_(outbound))):
            sendings.setdefault(row.interaction_id, []).append(_sending(row))
    heard = [row.id for row in rows if names_of(row.call) or (row.call or {}).get("voicemail")]
    listenings = read_listenings(connection, heard)
    entries = [_entry(row, tuple(files.get(row.id, ())), tuple(sendings.get(row.id, ()))) for row in rows]
    return [replace(one, listenings=tuple(listenings.get(one.id, ()))) for one in entries] if listenings else entries


def _entry(row: Any, files: tuple[File, ...], sendings: tuple[Sending, ...]) -> Entry:
    return Entry(
        id=row.id,
        kind=row.kind,
        channel=row.channel,
        line=row.line,
        direction=row.direction,
        at=row.at,
        ended_at=row.ended_at,
        client_id=row.client_id,
        conversation_id=row.conversation_id,
        operator=row.operator,
        team=row.team,
        subject=row.subject,
        text=row.text,
        fields=row.fields or {},
        field_marks=row.field_marks or {},
        origin=row.origin or {},
        party=tuple(row.party or ()),
        candidates=tuple(row.candidates or ()),
        automatic=row.automatic,
        suspicion=row.suspicion,
        quarantined_at=row.quarantined_at,
        again_of=row.again_of,
        call=row.call,
        disposition=row.disposition,
        has_html=bool(row.has_html),
        has_more=bool(row.has_more),
        files=files,
        sendings=sendings,
    )


def _file(row: Any) -> File:
    return File(
        row.id, row.name, row.media_type, row.size, row.content_id, row.path, row.interaction_id, row.uploaded_by
    )


def _sending(row: Any) -> Sending:
    return Sending(
        row.id,
        row.state,
        row.reason,
        tuple(_address(one) for one in row.recipients if one.get("role") != "cc"),
        row.attempts,
        row.settled_at,
        tuple(_address(one) for one in row.recipients if one.get("role") == "cc"),
        row.postponed_until,
    )


def _address(recipient: Any) -> str:
    scheme, _, value = str(recipient["identity"]).partition(":")
    return str(recipient.get("name") or value) if scheme == "chat" else value  # a browser's name says nothing
