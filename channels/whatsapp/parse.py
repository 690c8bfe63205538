"""One webhook of the Cloud API to touches and receipts. Pure: files are named here and fetched elsewhere; never raises.

A webhook is a batch: entries of accounts, changes in them, messages and statuses in these. What cannot be read is kept
raw, with a remark, as somebody's message; one bad message sinks no other.
Source: developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from channels.optout import OPTED_OUT, OPTED_OUT_OF
from channels.touch import Automatic, Direction, Identity, Kind, Raw, Receipt, Thread, Touch
from channels.untrusted import Json, clean, digest, dump, instant, load
from channels.whatsapp.contents import Contents, Wanted, explain, read_contents
from channels.whatsapp.people import contact_of, origin_of, party_of
from channels.whatsapp.status import read_status

MEDIA_TYPE = "application/vnd.whatsapp.message+json"
_FIELDS = frozenset({"messages", "smb_message_echoes", "user_preferences"})
_STOP, _RESUME = "stop", "resume"


@dataclass(frozen=True, slots=True)
class Reading:
    """One message. `sender` keeps the order of what one person says."""

    touch: Touch
    files: tuple[Wanted, ...] = ()
    sender: str = ""


@dataclass(slots=True)
class Batch:
    """What became of one webhook. `strangers` are numbers of ours that this line is not; `told` is worth a log line."""

    readings: list[Reading] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)


def read(raw: bytes, line: str, number_id: str, now: datetime) -> Batch:
    """Everything in one webhook that is for the number of this line."""
    batch = Batch()
    try:
        for change in _changes(load(raw)):
            _read_change(change, line, number_id, now, batch)
    except Exception as error:  # whatever a stranger wrote: it is kept, and the line goes on
        batch.readings.append(_unreadable(raw, line, now, error))
    return batch


def read_again(raw: bytes, line: str, at: datetime) -> Touch | None:
    """The touch of one message as it was kept."""
    try:
        value = load(raw)
        if "preference" in value:
            return _preference(value["preference"], value, line, at).touch
        if "message_echoes" in value:
            return _echo(value["message_echoes"][0], value, line, at).touch
        return _message(value["messages"][0], value, line, at).touch
    except Exception:  # it could not be read before either
        return None


def _changes(body: Any) -> Iterator[Json]:
    for entry in body["entry"]:
        yield from entry["changes"]


def _read_change(change: Json, line: str, number_id: str, now: datetime, batch: Batch) -> None:
    value = change["value"]
    ours = (value.get("metadata") or {}).get("phone_number_id")
    if ours is not None and str(ours) != number_id:
        batch.strangers.append(clean(str(ours)))
        return
    if change["field"] not in _FIELDS:
        batch.told.append(clean(str(change["field"])))
        return
    for message in value.get("messages") or ():
        batch.readings.append(_read_one(_message, message, value, line, now))
    for echo in value.get("message_echoes") or ():
        batch.readings.append(_read_one(_echo, echo, value, line, now))
    for preference in value.get("user_preferences") or ():
        batch.readings.append(_read_one(_preference, preference, value, line, now))
    for status in value.get("statuses") or ():
        _read_receipt(status, line, now, batch)
    batch.told += [explain(error) for error in value.get("errors") or ()]


def _read_one(reader: Any, one: Any, value: Json, line: str, now: datetime) -> Reading:
    try:
        found: Reading = reader(one, value, line, now)
    except Exception as error:  # whatever a stranger wrote: it is kept, and the others are read
        return _unreadable(_kept(value, messages=[one]), line, now, error, one)
    return found


def _read_receipt(status: Any, line: str, now: datetime, batch: Batch) -> None:
    try:
        receipt = read_status(status, line, now)
    except Exception as error:
        batch.told.append(f"a status that could not be read: {type(error).__name__}")
        return
    if receipt is not None:
        batch.receipts.append(receipt)


def _message(message: Json, value: Json, line: str, now: datetime) -> Reading:
    number = clean(message["id"])
    found = read_contents(message)
    contact = contact_of(message, value)
    party = (*party_of(message, contact), *found.phones)
    touch = Touch(
        line=line,
        event_key=number,
        kind=Kind.NOTE if found.note else Kind.MESSAGE,
        direction=Direction.INBOUND,
        at=instant(int(message["timestamp"]), now),
        party=party,
        external_id=found.edits or number,
        thread=_thread(message, found),
        phase="edited" if found.edits else None,
        text=found.text,
        fields=found.fields,
        origin=origin_of(message, contact),
        automatic=Automatic.AUTO_REPLY if found.automatic else None,
        remarks=tuple(found.remarks),
        raw=Raw(_kept(value, contacts=[contact] if contact else [], messages=[message]), MEDIA_TYPE),
    )
    return Reading(touch, tuple(found.files), party[0].value)


def _echo(echo: Json, value: Json, line: str, now: datetime) -> Reading:
    """Somebody of ours has answered in the WhatsApp Business app: that is an answer too (smb_message_echoes)."""
    found = read_contents(echo)
    number = clean(echo["id"])
    party = party_of({"from": echo["to"]}, {})
    touch = Touch(
        line=line,
        event_key=number,
        kind=Kind.NOTE if found.note else Kind.MESSAGE,
        direction=Direction.OUTBOUND,
        at=instant(int(echo["timestamp"]), now),
        party=party,
        external_id=found.edits or number,
        thread=_thread(echo, found),
        phase="edited" if found.edits else None,
        text=found.text,
        automatic=Automatic.OWN if found.automatic else None,
        remarks=tuple(found.remarks),
        raw=Raw(_kept(value, message_echoes=[echo]), MEDIA_TYPE),
    )
    return Reading(touch, tuple(found.files), party[0].value)


def _kept(value: Json, **own: Any) -> bytes:
    return dump({"metadata": value.get("metadata"), **own})


def _thread(message: Json, found: Contents) -> Thread | None:
    answers = found.answers or (message.get("context") or {}).get("id")
    return Thread(answers=(clean(answers),)) if answers else None


def _preference(preference: Json, value: Json, line: str, now: datetime) -> Reading:
    """The client switches marketing messages off or on again in his WhatsApp."""
    contact = contact_of({"from": preference.get("wa_id"), "from_user_id": preference.get("user_id")}, value)
    party = party_of({"from": preference.get("wa_id"), "from_user_id": preference.get("user_id")}, contact)
    word = clean(preference["value"])
    wishes = {OPTED_OUT: word == _STOP, OPTED_OUT_OF: "marketing"} if word in (_STOP, _RESUME) else {}
    seconds = int(preference["timestamp"])
    touch = Touch(
        line=line,
        event_key=f"preference:{party[0].value}:{seconds}:{word}",
        kind=Kind.NOTE,
        direction=Direction.INBOUND,
        at=instant(seconds, now),
        party=party,
        fields=wishes,
        automatic=Automatic.AUTO_REPLY,
        remarks=(clean(preference.get("detail") or f"preference: {word}"),),
        raw=Raw(_kept(value, contacts=[contact] if contact else [], preference=preference), MEDIA_TYPE),
    )
    return Reading(touch, sender=party[0].value)


def _unreadable(raw: bytes, line: str, now: datetime, error: Exception, message: Any = None) -> Reading:
    """A touch for what cannot be read. Whoever seems to have written it is asked for, as far as that can be told."""
    number = message.get("id") if isinstance(message, dict) else None
    party: tuple[Identity, ...] = ()
    with suppress(Exception):
        party = party_of(message, {})
    touch = Touch(
        line=line,
        event_key=clean(number) if isinstance(number, str) and number else f"raw:{digest(raw)}",
        kind=Kind.MESSAGE,
        direction=Direction.INBOUND,
        at=now,
        party=party,
        remarks=(f"this message could not be read: {type(error).__name__}",),
        raw=Raw(raw, MEDIA_TYPE),
    )
    return Reading(touch, sender=party[0].value if party else "")
