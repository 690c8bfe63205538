"""One callback of Viber to a touch or a receipt. Pure: files are named here and fetched elsewhere; never raises.

Source: developers.viber.com/docs/api/rest-bot-api/#callbacks. What cannot be read is kept raw, with a remark.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from channels.contents import Linked
from channels.optout import OPTED_OUT
from channels.touch import Automatic, Direction, Identity, Kind, Raw, Receipt, ReceiptState, Touch
from channels.untrusted import Json, clean, digest, instant, load, number_of
from channels.viber.contents import read_contents

SCHEME = "viber"
MEDIA_TYPE = "application/vnd.viber.callback+json"


@dataclass(frozen=True, slots=True)
class Reading:
    """What became of a callback. `welcome`: whoever has opened the chat may be greeted in the answer."""

    touch: Touch | None = None
    receipt: Receipt | None = None
    files: tuple[Linked, ...] = ()
    sender: str = ""
    welcome: bool = False


def read(raw: bytes, line: str, now: datetime) -> Reading:
    """One callback as it came over the wire."""
    event: Any = None
    try:
        event = load(raw)
        reader = _READERS.get(clean(event["event"]), _unknown)
        return reader(event, raw, line, now)
    except Exception as error:  # whatever a stranger wrote: it is kept, and the line goes on
        return _unreadable(event, raw, line, now, error)


def read_again(raw: bytes, line: str, at: datetime) -> Touch | None:
    """The touch of one callback as it was kept; None for one that is no more readable than before."""
    try:
        event = load(raw)
        return _READERS[event["event"]](event, raw, line, at).touch
    except Exception:
        return None


def _at(event: Json, now: datetime) -> datetime:
    """Viber tells milliseconds."""
    return instant(number_of(event["timestamp"]) / 1000, now)


def _token(event: Json) -> str:
    return str(number_of(event["message_token"]))


def _identity(user: Json) -> Identity:
    return Identity(SCHEME, clean(user["id"]), clean(user.get("name") or "") or None)


def _language(user: Json) -> str | None:
    code = user.get("language")
    return clean(code)[:2].lower() or None if code else None


def _message(event: Json, raw: bytes, line: str, now: datetime) -> Reading:
    sender, token = event["sender"], _token(event)
    found = read_contents(event["message"], sender, token)
    identity = _identity(sender)
    tracking = event["message"].get("tracking_data")
    touch = Touch(
        line=line,
        event_key=token,
        kind=Kind.NOTE if found.note else Kind.MESSAGE,
        direction=Direction.INBOUND,
        at=_at(event, now),
        party=(identity, *found.phones),
        external_id=token,
        text=found.text,
        fields=found.fields,
        origin={"tracking_data": clean(tracking)[:200]} if isinstance(tracking, str) and tracking else {},
        language=_language(sender),
        remarks=tuple(found.remarks),
        raw=Raw(raw, MEDIA_TYPE),
    )
    return Reading(touch, files=tuple(found.files), sender=identity.value)


def _note(event: Json, raw: bytes, line: str, now: datetime, user: Json, **more: Any) -> Touch:
    """What Viber itself tells of a client: nobody is expected to answer."""
    return Touch(
        line=line,
        event_key=f"{clean(event['event'])}:{_token(event)}",
        kind=Kind.NOTE,
        direction=Direction.INBOUND,
        at=_at(event, now),
        party=(_identity(user),),
        automatic=Automatic.AUTO_REPLY,
        language=_language(user),
        raw=Raw(raw, MEDIA_TYPE),
        **more,
    )


def _subscribed(event: Json, raw: bytes, line: str, now: datetime) -> Reading:
    told = {"fields": {OPTED_OUT: False}, "remarks": ("the client lets the bot write",)}
    touch = _note(event, raw, line, now, event["user"], **told)
    return Reading(touch, sender=touch.party[0].value)


def _unsubscribed(event: Json, raw: bytes, line: str, now: datetime) -> Reading:
    told = {"fields": {OPTED_OUT: True}, "remarks": ("the client has unsubscribed from the bot",)}
    touch = _note(event, raw, line, now, {"id": event["user_id"]}, **told)
    return Reading(touch, sender=touch.party[0].value)


def _started(event: Json, raw: bytes, line: str, now: datetime) -> Reading:
    """Somebody has opened the chat and said nothing yet: noted only when he came by a link that tells something."""
    context = event.get("context")
    if not isinstance(context, str) or not context:
        return Reading(welcome=True)
    told = {"fields": {"start": clean(context)[:500]}, "remarks": ("the client has opened the chat by a link",)}
    touch = _note(event, raw, line, now, event["user"], **told)
    return Reading(touch, sender=touch.party[0].value, welcome=True)


def _receipt(state: ReceiptState) -> Callable[[Json, bytes, str, datetime], Reading]:
    def read_receipt(event: Json, raw: bytes, line: str, now: datetime) -> Reading:
        who = event.get("user_id")
        recipient = f"{SCHEME}:{clean(who)}" if isinstance(who, str) else None
        reason = (clean(event.get("desc") or "") or "Viber reports a failure") if state is ReceiptState.FAILED else None
        return Reading(receipt=Receipt(line, _token(event), state, _at(event, now), recipient, reason))

    return read_receipt


def _nothing(event: Json, raw: bytes, line: str, now: datetime) -> Reading:
    """Viber tries whether we are there."""
    return Reading()


def _unknown(event: Json, raw: bytes, line: str, now: datetime) -> Reading:
    """An event of a kind that we did not ask for: kept, and nobody is expected to answer it."""
    known_as = event.get("message_token")
    touch = Touch(
        line=line,
        event_key=f"event:{known_as}" if isinstance(known_as, int) else f"raw:{digest(raw)}",
        kind=Kind.NOTE,
        direction=Direction.INBOUND,
        at=now,
        automatic=Automatic.AUTO_REPLY,
        remarks=(f"an event of a kind that is not read: {clean(event['event'])[:100]}",),
        raw=Raw(raw, MEDIA_TYPE),
    )
    return Reading(touch)


def _unreadable(event: Any, raw: bytes, line: str, now: datetime, error: Exception) -> Reading:
    """Whoever seems to have written it is asked for, as far as that can be told."""
    party: tuple[Identity, ...] = ()
    with suppress(Exception):
        party = (_identity(event["sender"]),)
    touch = Touch(
        line=line,
        event_key=f"raw:{digest(raw)}",
        kind=Kind.MESSAGE,
        direction=Direction.INBOUND,
        at=now,
        party=party,
        remarks=(f"this event could not be read: {type(error).__name__}",),
        raw=Raw(raw, MEDIA_TYPE),
    )
    return Reading(touch, sender=party[0].value if party else "")


_READERS: Mapping[str, Callable[[Json, bytes, str, datetime], Reading]] = {
    "message": _message,
    "delivered": _receipt(ReceiptState.DELIVERED),
    "seen": _receipt(ReceiptState.READ),
    "failed": _receipt(ReceiptState.FAILED),
    "subscribed": _subscribed,
    "unsubscribed": _unsubscribed,
    "conversation_started": _started,
    "webhook": _nothing,
    "client_status": _nothing,
    "action": _nothing,
}
