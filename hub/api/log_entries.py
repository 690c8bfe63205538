"""How the API writes a row of the log: an interaction, the telephone side of a call, who takes part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NotRequired

from sqlalchemy import Connection
from typing_extensions import TypedDict

from hub.api.files import AttachmentOut, show_attachment
from hub.api.values import Shown, show
from hub.places import FORM
from hub.recordings.names import names_of
from storage.repositories import interactions as log

Kind = Literal["call", "message", "form", "meeting", "letter", "fax", "note"]
Direction = Literal["inbound", "outbound", "internal"]
Reason = Literal[
    "abandoned", "timeout", "no_answer", "busy", "declined", "cancelled", "no_operators", "closed", "blocked", "failed"
]


class LegOut(TypedDict):
    """One operator whose telephone rang."""

    operator: str | None
    extension: str | None
    rang_at: Shown | None
    answered_at: Shown | None
    ended_at: Shown | None
    result: str | None


# The functional form, because `from` is a word of Python.
SilenceOut = TypedDict("SilenceOut", {"from": Shown, "to": Shown | None})


class ExpiredOut(TypedDict):
    """The recordings are no longer kept: `deleted`, or, where the hub may not delete, `hidden`."""

    at: Shown
    how: str
    after_days: int


# The functional form, because `from` is a word of Python.
CallOut = TypedDict(
    "CallOut",
    {
        "outcome": Literal["answered", "missed"] | None,
        "reason": str | None,
        "from": str | None,
        "to": str | None,
        "queue": str | None,
        "operator": str | None,
        "legs": list[LegOut],
        "wait_s": float | None,
        "talk_s": float | None,
        "hold_s": float | None,
        "wrap_s": float | None,
        "ended_by": str | None,
        "voicemail": str | None,
        "recording": str | None,
    },
)


class RecordingsOut(TypedDict):
    """What of a call can be listened to, and where: each part (a transfer begins a new one), the message that was left;
    when the recording was silenced; and that all of it is no longer kept."""

    parts: list[str]
    voicemail: str | None
    pauses: list[SilenceOut]
    expired: ExpiredOut | None


class PartyOut(TypedDict):
    """Who of the other side takes part; `odd` says that the identity is kept as written."""

    identity: str
    name: NotRequired[str]
    odd: NotRequired[bool]


class CandidateOut(TypedDict):
    """A client who may be meant, and why."""

    client: int
    reason: str


class InteractionOut(TypedDict):
    """One row of the log. `automatic` says why no human stands behind it; `again` which interaction it repeats."""

    id: int
    kind: Kind
    channel: str
    line: str
    direction: Direction
    at: Shown
    ended_at: Shown | None
    client: int | None
    candidates: list[CandidateOut]
    conversation: int | None
    operator: str | None
    team: str | None
    party: list[PartyOut]
    subject: str | None
    text: str
    fields: dict[str, Any]
    field_marks: dict[str, str]
    origin: dict[str, Any]
    attachments: list[AttachmentOut]
    automatic: str | None
    quarantined: bool
    suspicion: str | None
    again: int | None
    call: CallOut | None
    recordings: RecordingsOut | None
    disposition: str | None
    language: str | None
    remarks: list[str]


class InteractionFullOut(InteractionOut):
    """With the whole text (quoted history, signature) and the sanitised HTML, where there are any."""

    full_text: str | None
    html: str | None


def show_interactions(connection: Connection, found: Sequence[log.Interaction]) -> list[InteractionOut]:
    """As the API writes them, with their attachments."""
    files = log.attachments_of(connection, [one.id for one in found if one.has_files])
    return [show_interaction(one, files.get(one.id, [])) for one in found]


def show_interaction(one: log.Interaction, files: Sequence[log.Attachment]) -> InteractionOut:
    """As the API writes it."""
    return {
        "id": one.id,
        "kind": one.kind,  # type: ignore[typeddict-item]
        "channel": one.channel,
        "line": one.line.removeprefix(FORM),
        "direction": one.direction,  # type: ignore[typeddict-item]
        "at": show(one.at) or "",
        "ended_at": show(one.ended_at),
        "client": one.client_id,
        "candidates": [{"client": each["client"], "reason": each["reason"]} for each in one.candidates],
        "conversation": one.conversation_id,
        "operator": one.operator,
        "team": one.team,
        "party": [dict(each) for each in one.party],  # type: ignore[misc]
        "subject": one.subject,
        "text": one.text,
        "fields": dict(one.fields),
        "field_marks": dict(one.field_marks),
        "origin": dict(one.origin),
        "attachments": [show_attachment(each) for each in files],
        "automatic": one.automatic,
        "quarantined": one.quarantined_at is not None,
        "suspicion": one.suspicion,
        "again": one.again_of,
        "call": show_call(one.call, one.id) if one.call is not None else None,
        "recordings": _show_recordings(one.call, one.id),
        "disposition": one.disposition,
        "language": one.language,
        "remarks": list(one.remarks),
    }


_CALL_KEYS = (
    "outcome",
    "reason",
    "from",
    "to",
    "queue",
    "operator",
    "wait_s",
    "talk_s",
    "hold_s",
    "wrap_s",
    "ended_by",
)
_LEG_KEYS = ("operator", "extension", "rang_at", "answered_at", "ended_at", "result")


def show_call(call: Any, number: int) -> CallOut:
    """The telephone side of a call: every key is there, what is not known is null. Recordings are where to get them."""
    shown = {key: call.get(key) for key in _CALL_KEYS}
    shown["legs"] = [{key: _utc(leg.get(key)) for key in _LEG_KEYS} for leg in call.get("legs") or ()]
    heard = _show_recordings(call, number)
    shown["recording"] = heard["parts"][0] if heard and heard["parts"] else None
    shown["voicemail"] = heard["voicemail"] if heard else None
    return shown  # type: ignore[return-value]


def _show_recordings(call: Any, number: int) -> RecordingsOut | None:
    """None of a call of which nothing was ever recorded."""
    several = names_of(call)
    if not several and not (call or {}).get("voicemail"):
        return None
    here, expired = f"/api/v1/interactions/{number}", call.get("recordings_expired")
    parts = [
        f"{here}/recording" if part == 1 else f"{here}/recording?part={part}" for part in range(1, len(several) + 1)
    ]
    return {
        "parts": [] if expired else parts,
        "voicemail": f"{here}/voicemail" if call.get("voicemail") and not expired else None,
        "pauses": [
            {"from": _utc(one.get("from")), "to": _utc(one.get("to"))} for one in call.get("recording_pauses") or ()
        ],
        "expired": _show_expired(expired) if expired else None,
    }


def _show_expired(expired: Any) -> ExpiredOut:
    return {"at": _utc(expired["at"]), "how": expired["how"], "after_days": expired["after_days"]}


def _utc(value: Any) -> Any:
    return value.replace("+00:00", "Z") if isinstance(value, str) and value.endswith("+00:00") else value
