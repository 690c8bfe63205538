"""One event of the Callback API to a touch or a receipt. Pure: files and names are asked elsewhere; never raises.

Source: dev.vk.com/ru/api/community-events/json-schema. An event is one JSON object with `type`, `object`, `group_id`,
`event_id` and the agreed `secret`, which is never kept. What cannot be read is kept raw, with a remark.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from channels.contents import Linked
from channels.optout import OPTED_OUT
from channels.touch import Automatic, Direction, Identity, Kind, Raw, Receipt, ReceiptState, Thread, Touch
from channels.untrusted import Json, clean, digest, dump, instant, load, number_of
from channels.vk.contents import Found, read_contents, read_payload

SCHEME = "vk"
MEDIA_TYPE = "application/vnd.vk.event+json"


@dataclass(frozen=True, slots=True)
class Reading:
    """What became of an event; neither touch nor receipt: nothing to log. `peer` keeps the order of one talk."""

    touch: Touch | None = None
    receipt: Receipt | None = None
    files: tuple[Linked, ...] = ()
    peer: int = 0


def read(event: Any, line: str, now: datetime) -> Reading:
    """The touch or the receipt of one event."""
    try:
        kind = clean(event["type"])
        reader = _READERS.get(kind)
        if reader is not None:
            return reader(event, line, now)
        return _unknown(event, kind, line, now) if kind.startswith("message_") else Reading()
    except Exception as error:  # whatever a stranger wrote: it is kept, and the line goes on
        return unreadable(_kept(event), line, now, f"this event could not be read: {type(error).__name__}")


def read_again(raw: bytes, line: str, at: datetime) -> Touch | None:
    """The touch of one event as it was kept."""
    try:
        return read(load(raw), line, at).touch
    except ValueError:
        return None


def unreadable(raw: bytes, line: str, now: datetime, remark: str) -> Reading:
    """A touch for what cannot be read."""
    return Reading(
        Touch(
            line=line,
            event_key=f"raw:{digest(raw)}",
            kind=Kind.MESSAGE,
            direction=Direction.INBOUND,
            at=now,
            remarks=(remark,),
            raw=Raw(raw, MEDIA_TYPE),
        )
    )


def _kept(event: Any) -> bytes:
    """The bytes of an event without what only VK and we may know."""
    return dump({key: one for key, one in event.items() if key != "secret"} if isinstance(event, dict) else event)


def _message_of(event: Json) -> Json:
    """Since version 5.103 a new message is wrapped; edits and answers never were."""
    thing: Json = event["object"]
    message: Json = thing.get("message", thing)
    return message


def _new(event: Json, line: str, now: datetime) -> Reading:
    message = _message_of(event)
    return _message_touch(event, message, line, now, number_of(message["from_id"]), Direction.INBOUND)


def _edited(event: Json, line: str, now: datetime) -> Reading:
    message = _message_of(event)
    ours = number_of(message["from_id"]) < 0
    if ours:
        return Reading()
    return _message_touch(event, message, line, now, number_of(message["from_id"]), Direction.INBOUND, "edited")


def _answered(event: Json, line: str, now: datetime) -> Reading:
    """Our words. Those that a person of ours wrote in VK itself are an answer; those sent by programs are known."""
    message = _message_of(event)
    if not message.get("admin_author_id"):
        return Reading()
    return _message_touch(event, message, line, now, number_of(message["peer_id"]), Direction.OUTBOUND)


def _message_touch(
    event: Json, message: Json, line: str, now: datetime, who: int, direction: Direction, phase: str | None = None
) -> Reading:
    peer, found = number_of(message["peer_id"]), read_contents(message)
    name = _name_of(message, peer)
    changed = number_of(message.get("update_time") or message["date"])
    touch = Touch(
        line=line,
        event_key=f"{name}:{changed}:{_fingerprint(found)}" if phase else name,
        kind=Kind.NOTE if found.note else Kind.MESSAGE,
        direction=direction,
        at=instant(changed if phase else number_of(message["date"]), now),
        party=(Identity(SCHEME, str(who)),),
        external_id=name,
        thread=_thread(message, peer),
        text=found.text,
        fields=found.fields,
        origin=_origin(message, peer, who),
        automatic=Automatic.AUTO_REPLY if who < 0 else None,
        phase=phase,
        remarks=tuple(found.remarks),
        raw=Raw(_kept(event), MEDIA_TYPE),
    )
    return Reading(touch, None, tuple(found.files), peer)


def _name_of(message: Json, peer: int) -> str:
    """`PEER:NUMBER`: the number in the talk, which old versions of the API do not tell."""
    number = message.get("conversation_message_id")
    return f"{peer}:{number_of(number)}" if number else f"{peer}:id{number_of(message['id'])}"


def _fingerprint(found: Found) -> str:
    return digest(dump([found.text, found.fields, [file.url for file in found.files]]))[:16]


def _thread(message: Json, peer: int) -> Thread | None:
    answered = message.get("reply_message")
    return Thread(answers=(_name_of(answered, peer),)) if answered else None


def _origin(message: Json, peer: int, who: int) -> dict[str, Any]:
    """Where it came from: a talk of many, the page and the advertisement that led to us."""
    origin = {"chat": peer if peer != who else None, "ref": message.get("ref"), "ref_source": message.get("ref_source")}
    return {key: clean(one) if isinstance(one, str) else one for key, one in origin.items() if one}


def _pressed(event: Json, line: str, now: datetime) -> Reading:
    """A button that says nothing in the talk (a `callback` one, set up in VK) was pressed.

    Source: dev.vk.com/ru/api/community-events/json-schema#message_event
    """
    thing, found = event["object"], Found()
    who, peer = number_of(thing["user_id"]), number_of(thing["peer_id"])
    read_payload(found, thing.get("payload"))
    number = thing.get("conversation_message_id")
    touch = Touch(
        line=line,
        event_key=f"press:{clean(str(thing['event_id']))}",
        kind=Kind.NOTE,
        direction=Direction.INBOUND,
        at=now,
        party=(Identity(SCHEME, str(who)),),
        thread=Thread(answers=(f"{peer}:{number_of(number)}",)) if number else None,
        fields=found.fields,
        remarks=() if found.fields else ("pressed a button",),
        raw=Raw(_kept(event), MEDIA_TYPE),
    )
    return Reading(touch, peer=peer)


def _allowed(event: Json, line: str, now: datetime) -> Reading:
    return _permission(event, line, now, False)


def _denied(event: Json, line: str, now: datetime) -> Reading:
    return _permission(event, line, now, True)


def _permission(event: Json, line: str, now: datetime, refused: bool) -> Reading:
    """Somebody forbids the community to write to him, or allows it. The event has no time of its own."""
    who = number_of(event["object"]["user_id"])
    known_as = clean(str(event.get("event_id") or "")) or digest(_kept(event))
    remark = "the client has forbidden us to write" if refused else "the client lets us write"
    return Reading(
        Touch(
            line=line,
            event_key=f"permission:{who}:{known_as}",
            kind=Kind.NOTE,
            direction=Direction.INBOUND,
            at=now,
            party=(Identity(SCHEME, str(who)),),
            fields={OPTED_OUT: refused},
            automatic=Automatic.AUTO_REPLY,
            remarks=(remark,),
            raw=Raw(_kept(event), MEDIA_TYPE),
        ),
        peer=who,
    )


def _seen(event: Json, line: str, now: datetime) -> Reading:
    """The client has read our words up to one of them."""
    thing = event["object"]
    name = f"{number_of(thing['peer_id'])}:{number_of(thing['conversation_message_id'])}"
    return Reading(receipt=Receipt(line, name, ReceiptState.READ, now))


def _nothing(event: Json, line: str, now: datetime) -> Reading:
    return Reading()


def _unknown(event: Json, kind: str, line: str, now: datetime) -> Reading:
    """Something about messages that we did not ask for: kept, and nobody is expected to answer it."""
    raw = _kept(event)
    return Reading(
        Touch(
            line=line,
            event_key=f"event:{clean(str(event.get('event_id') or '')) or digest(raw)}",
            kind=Kind.NOTE,
            direction=Direction.INBOUND,
            at=now,
            automatic=Automatic.AUTO_REPLY,
            remarks=(f"an event of a kind that is not read: {kind[:60]}",),
            raw=Raw(raw, MEDIA_TYPE),
        )
    )


_READERS: Mapping[str, Callable[[Json, str, datetime], Reading]] = {
    "message_new": _new,
    "message_edit": _edited,
    "message_reply": _answered,
    "message_event": _pressed,
    "message_allow": _allowed,
    "message_deny": _denied,
    "message_read": _seen,
    "message_typing_state": _nothing,
    "message_reaction_event": _nothing,
}
