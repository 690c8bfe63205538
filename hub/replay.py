"""Reads kept raw bytes again, after a fix: what could not be read well, or at all, is mended in the log.

Touches stay as they are: what the new reading adds is one more touch of the same interaction.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, select, update

from channels import registry
from channels.contract import Door
from channels.errors import BadSettings
from channels.touch import Touch
from hub import fold
from hub.places import FORM
from hub.settings import Settings
from hub.setup.lines import settings_of
from hub.setup.snapshot import SetUp
from hub.wording import interaction_words
from storage import models
from storage.events import Event
from storage.files import FileStore
from storage.repositories import intake as rows
from storage.search import index_interactions
from storage.store import Store
from storage.unit import Unit
from webforms import parse_again as parse_form_again

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reread:
    """One touch read again. `changes` are the interaction's columns that would change; `error` = still unreadable.

    `known` is what the touch said when it was read before: `body` and `text`.
    """

    line: str
    event_key: str
    interaction: int | None
    touch: Touch | None
    changes: Row
    known: Row = field(default_factory=dict)
    set_aside: int | None = None
    error: str | None = None


def count(connection: Connection, line: str | None, since: datetime | None) -> int:
    """How many touches `reread` would look at."""
    return sum(1 for _ in _kept(connection, line, since)) + len(_set_aside(connection, line))


def reread(
    store: Store, setup: SetUp, settings: Settings, door: Door, line: str | None, since: datetime | None
) -> Iterator[Reread]:
    """Everything with raw bytes, oldest first: touches that were set aside, then those in the log."""
    aside = store.read_now(lambda connection: _set_aside(connection, line))
    for row in aside:
        touch, error = _parse(store.files, setup, settings, door, row)
        touch = replace(touch, event_key=row["event_key"]) if touch else None
        yield Reread(row["line"], row["event_key"], None, touch, {}, set_aside=row["id"], error=error)
    for row in store.read_now(lambda connection: list(_kept(connection, line, since))):
        touch, error = _parse(store.files, setup, settings, door, row)
        known = store.read_now(partial(_last_reading, row))
        changes = _said_otherwise(known, row["interaction"], touch) if touch else {}
        number = row["interaction"]["id"]
        yield Reread(row["line"], row["event_key"], number, touch, changes, known, error=error)


def _last_reading(row: Row, connection: Connection) -> Row:
    """What a touch said when it was last read: as it came, or by an earlier replay."""
    table = models.touch
    again = table.c.event_key.startswith(_reread_key(row["event_key"], ""), autoescape=True)
    query = (
        select(table.c.body, table.c.text)
        .where(table.c.interaction_id == row["interaction"]["id"], table.c.phase == "reread", again)
        .order_by(table.c.id.desc())
        .limit(1)
    )
    found = connection.execute(query).mappings().first()
    return dict(found) if found is not None else {"body": row["body"], "text": row["text"]}


def _said_otherwise(known: Row, row: Row, touch: Touch) -> Row:
    """The columns that a new reading changes. What people or later touches have changed since is left alone."""
    told, body = fold.describe(touch), known["body"]
    changes: Row = {}
    if touch.text and touch.text != known["text"] == row["text"]:
        changes["text"] = touch.text
    if touch.subject and touch.subject != body.get("subject") == row["subject"]:
        changes["subject"] = touch.subject
    for column in ("fields", "field_marks", "call"):
        before, now, new = body.get(column) or {}, row[column] or {}, told.get(column) or {}
        fresh = {name: value for name, value in new.items() if value != before.get(name) == now.get(name)}
        if fresh:
            changes[column] = {**now, **fresh}
    remarks = body.get("remarks") or []
    if list(touch.remarks) != remarks:
        others = [one for one in row["remarks"] or () if one not in remarks]
        changes["remarks"] = [*others, *touch.remarks] or None
    if touch.attachments:
        changes["has_files"] = True
    return {column: value for column, value in changes.items() if value != row[column]}


def _reread_key(event_key: str, digest: str) -> str:
    return f"{event_key[:240]}#reread:{digest}"


def mend(unit: Unit, files: FileStore, found: Reread) -> None:
    """Write what a new reading has changed."""
    if found.touch is None or found.interaction is None or not found.changes:
        return
    row = rows.find_interactions(unit, [found.interaction])[found.interaction]
    changes = _said_otherwise(found.known, row, found.touch)
    if not changes:
        return
    number = unit.take_ids(models.touch, 1)[0]
    rows.write_rows(
        unit,
        models.touch,
        [
            {
                "id": number,
                "line": found.line,
                "event_key": _reread_key(found.event_key, _digest(found.touch)),
                "interaction_id": found.interaction,
                "at": found.touch.at,
                "received_at": unit.now,
                "phase": "reread",
                "body": fold.describe(found.touch),
                "text": found.touch.text,
                "full_text": found.touch.full_text,
                "html": found.touch.html,
            }
        ],
    )
    if row["text"] == found.known["text"]:
        changes["content_id"] = number
    rows.update_rows(unit, models.interaction, {found.interaction: changes})
    _keep_files(unit, files, found.interaction, found.touch)
    index_interactions(unit, [(found.interaction, interaction_words({**row, **changes}))])
    unit.emit(
        Event("interaction", found.interaction, "reread", client=row["client_id"], conversation=row["conversation_id"])
    )


def _keep_files(unit: Unit, files: FileStore, interaction: int, touch: Touch) -> None:
    """Files that only the new reading has found."""
    table = models.attachment
    query = select(table.c.name, table.c.path).where(table.c.interaction_id == interaction)
    known = {(name, path) for name, path in unit.connection.execute(query)}
    for one in touch.attachments:
        path = files.keep(one.data)
        if (one.name, path) not in known:
            kept = {"name": one.name, "media_type": one.media_type, "size": len(one.data), "path": path}
            rows.write_rows(unit, table, [{**kept, "interaction_id": interaction, "content_id": one.content_id}])


def settle(unit: Unit, number: int) -> None:
    """A touch that was set aside is in the log now."""
    unit.connection.execute(update(models.set_aside).where(models.set_aside.c.id == number).values(settled_at=unit.now))


def _digest(touch: Touch) -> str:
    told = json.dumps([touch.subject, touch.text, touch.full_text, touch.html, fold.describe(touch)], default=str)
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def _set_aside(connection: Connection, line: str | None) -> list[Row]:
    aside, raw = models.set_aside, models.raw
    query = (
        select(aside.c.id, aside.c.line, aside.c.event_key, aside.c.at, raw.c.media_type, raw.c.data, raw.c.path)
        .join(raw, aside.c.raw_id == raw.c.id)
        .where(aside.c.settled_at.is_(None))
        .order_by(aside.c.id)
    )
    if line is not None:
        query = query.where(aside.c.line == line)
    return [dict(row) for row in connection.execute(query).mappings()]


def _kept(connection: Connection, line: str | None, since: datetime | None) -> Iterator[Row]:
    touch, raw, interaction = models.touch, models.raw, models.interaction
    query = (
        select(
            touch.c.line,
            touch.c.event_key,
            touch.c.at,
            touch.c.body,
            touch.c.text,
            raw.c.media_type,
            raw.c.data,
            raw.c.path,
            interaction,
        )
        .join(raw, touch.c.raw_id == raw.c.id)
        .join(interaction, interaction.c.id == touch.c.interaction_id)
        .order_by(touch.c.id)
    )
    if line is not None:
        query = query.where(touch.c.line == line)
    if since is not None:
        query = query.where(touch.c.at >= since)
    columns = [column.name for column in interaction.c]
    for row in connection.execute(query):
        kept: Row = {
            "line": row[0],
            "event_key": row[1],
            "at": row[2],
            "body": row[3],
            "text": row[4],
            "media_type": row[5],
            "data": row[6],
            "path": row[7],
            "interaction": dict(zip(columns, row[8:], strict=True)),
        }
        yield kept


def _parse(files: FileStore, setup: SetUp, settings: Settings, door: Door, row: Row) -> tuple[Touch | None, str | None]:
    try:
        raw = zlib.decompress(row["data"] if row["data"] is not None else files.read(row["path"]))
        return _parse_bytes(setup, settings, door, row, raw), None
    except (OSError, zlib.error, BadSettings, ValueError) as error:
        return None, str(error)


def _parse_bytes(setup: SetUp, settings: Settings, door: Door, row: Row, raw: bytes) -> Touch | None:
    line: str = row["line"]
    if line.startswith(FORM):
        form = setup.forms.get(line.removeprefix(FORM))
        if form is None:
            raise BadSettings(f"there is no form {line.removeprefix(FORM)!r}")
        # The visitor's language was in the request, and decides by which labels the text names the fields.
        spoken = (row.get("body") or {}).get("language") or ""
        key, region = line.removeprefix(FORM), setup.company.default_region
        return parse_form_again(key, form, raw, row["media_type"], row["at"], region=region, language=spoken)
    known = setup.lines.get(line)
    if known is None:
        raise BadSettings(f"there is no line {line!r}")
    module = registry.find(known.channel)
    return module.parse_again(line, settings_of(known, settings), raw, row["media_type"], row["at"], door)
