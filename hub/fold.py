"""An interaction is the fold of its touches: how the first touch begins it and how every later one makes it grow."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from channels.touch import Kind, Touch

Row = dict[str, Any]

GIVEN = ("ended_at", "disposition")
"""What a person who logs by hand may say beyond what a touch can say; the touch keeps it as `given`."""


def begin(touch: Touch, channel: str, team: str | None, operator: str | None) -> Row:
    """The interaction that a first touch makes; whose it is and where it belongs is filled in by intake."""
    return {
        "kind": touch.kind.value,
        "channel": channel,
        "line": touch.line,
        "direction": touch.direction.value,
        "at": touch.at,
        "ended_at": _ended_at(touch),
        "client_id": None,
        "conversation_id": None,
        "operator": operator,
        "team": team,
        "subject": touch.subject,
        "text": touch.text,
        "content_id": None,
        "fields": dict(touch.fields),
        "field_marks": dict(touch.field_marks),
        "origin": dict(touch.origin),
        "party": [_party(one) for one in touch.party],
        "candidates": None,
        "automatic": touch.automatic.value if touch.automatic else None,
        "suspicion": touch.suspicion,
        "quarantined_at": None,
        "again_of": None,
        "repeat_key": touch.repeat_key,
        "external_id": touch.external_id,
        "same_as": touch.same_as,
        "call": dict(touch.call) if touch.call is not None else None,
        "disposition": None,
        "language": touch.language,
        "has_files": bool(touch.attachments),
        "remarks": list(touch.remarks) or None,
    }


def grow(row: Mapping[str, Any], touch: Touch, operator: str | None) -> Row:
    """The columns that a later touch of the same interaction changes: the newest word wins, nothing is forgotten."""
    changes: Row = {}
    if touch.text and touch.text != row["text"]:
        changes["text"] = touch.text
    if touch.subject and touch.subject != row["subject"]:
        changes["subject"] = touch.subject
    if touch.fields:
        changes["fields"] = {**row["fields"], **touch.fields}
    if touch.field_marks:
        changes["field_marks"] = {**row["field_marks"], **touch.field_marks}
    if touch.call is not None:
        changes["call"] = {**(row["call"] or {}), **touch.call}
    if touch.attachments:
        changes["has_files"] = True
    if touch.remarks:
        changes["remarks"] = [*(row["remarks"] or ()), *touch.remarks]
    if operator and operator != row["operator"]:
        changes["operator"] = operator
    ended = _ended_at(touch)
    if ended is not None:
        changes["ended_at"] = ended
    return {column: value for column, value in changes.items() if value != row[column]}


def describe(touch: Touch) -> dict[str, Any]:
    """What the append-only touch row keeps of a touch beside its texts: enough to fold it again."""
    body: dict[str, Any] = {
        "kind": touch.kind.value,
        "direction": touch.direction.value,
        "party": [_party(one) for one in touch.party],
        "external_id": touch.external_id,
        "same_as": touch.same_as,
        "operator": touch.operator,
        "subject": touch.subject,
        "fields": dict(touch.fields),
        "field_marks": dict(touch.field_marks),
        "origin": dict(touch.origin),
        "automatic": touch.automatic.value if touch.automatic else None,
        "suspicion": touch.suspicion,
        "repeat_key": touch.repeat_key,
        "call": dict(touch.call) if touch.call is not None else None,
        "language": touch.language,
        "remarks": list(touch.remarks),
        "thread": _thread(touch),
    }
    return {key: value for key, value in body.items() if value}


def _thread(touch: Touch) -> dict[str, Any] | None:
    if touch.thread is None:
        return None
    found = {
        "conversation": touch.thread.conversation,
        "answers": list(touch.thread.answers),
        "tag": touch.thread.tag,
    }
    return {key: value for key, value in found.items() if value}


def _ended_at(touch: Touch) -> datetime | None:
    """Everything but a call is over when it is there; a call says itself when it ended."""
    if touch.kind is not Kind.CALL:
        return touch.at
    ended = (touch.call or {}).get("ended_at")
    return datetime.fromisoformat(ended) if isinstance(ended, str) else ended


def _party(one: Any) -> dict[str, Any]:
    shown: dict[str, Any] = {"identity": f"{one.scheme}:{one.value}"}
    if one.name:
        shown["name"] = one.name
    if one.odd:
        shown["odd"] = True
    return shown
