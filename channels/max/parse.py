"""One update of MAX to a touch. Pure: files are named here and fetched elsewhere; never raises.

Source: dev.max.ru/docs-api/objects/Update. Instants are in milliseconds. What cannot be read is kept, with a remark.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from channels.buttons import read_button
from channels.contents import Linked
from channels.max.contents import Found, read_contents
from channels.optout import OPTED_OUT
from channels.touch import Automatic, Direction, Identity, Kind, Raw, Thread, Touch
from channels.untrusted import Json, clean, digest, dump, instant, load, number_of

SCHEME = "max"
MEDIA_TYPE = "application/vnd.max.update+json"
LANGUAGES = ("ru", "uk", "pl", "en")
SILENT = frozenset(
    {
        *("dialog_cleared", "dialog_muted", "dialog_unmuted", "dialog_removed", "bot_added", "bot_removed"),
        *("user_added", "user_removed", "chat_title_changed", "message_construction_request"),
    }
)
"""What concerns no client's words: `dialog_removed` comes together with `bot_stopped`, the others are of groups."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What became of an update. No touch: nothing to log. `who` keeps the order; `press` is a button's to answer."""

    touch: Touch | None = None
    files: tuple[Linked, ...] = ()
    who: str = ""
    press: str | None = None


def read(raw: bytes, line: str, now: datetime) -> Reading:
    """The touch of one update as it came over the wire."""
    try:
        update = load(raw)
        kind = clean(update["update_type"])
        if kind in SILENT:
            return Reading()
        return _READERS.get(kind, _unknown)(update, raw, line, now)
    except Exception as error:  # whatever a stranger wrote: it is kept, and the line goes on
        remark = f"this update could not be read: {type(error).__name__}"
        return Reading(_touch(line, f"raw:{digest(raw)}", now, (), raw, kind=Kind.MESSAGE, remarks=(remark,)))


def read_again(raw: bytes, line: str, at: datetime) -> Touch | None:
    """The touch of one update as it was kept."""
    return read(raw, line, at).touch


def _created(update: Json, raw: bytes, line: str, now: datetime) -> Reading:
    return _message(update, raw, line, now, None)


def _edited(update: Json, raw: bytes, line: str, now: datetime) -> Reading:
    return _message(update, raw, line, now, "edited")


def _message(update: Json, raw: bytes, line: str, now: datetime, phase: str | None) -> Reading:
    message = update["message"]
    sender, name = message["sender"], clean(message["body"]["mid"])
    if sender.get("is_bot"):
        return Reading()
    found = read_contents(message)
    at = number_of(update["timestamp"] if phase else message["timestamp"])
    who = _identity(sender)
    touch = _touch(
        line,
        f"{name}:{at}:{_fingerprint(found)}" if phase else name,
        instant(at / 1000, now),
        (who, *found.phones),
        raw,
        kind=Kind.MESSAGE,
        external_id=name,
        thread=_thread(message),
        text=found.text,
        fields=found.fields,
        origin=_origin(message, sender),
        phase=phase,
        language=_language(update),
        remarks=tuple(found.remarks),
    )
    return Reading(touch, tuple(found.files), who.value)


def _removed(update: Json, raw: bytes, line: str, now: datetime) -> Reading:
    """Somebody takes his words back; ours of them stay in the log."""
    who, name = str(number_of(update["user_id"])), clean(update["message_id"])
    touch = _touch(
        line,
        f"removed:{name}",
        instant(number_of(update["timestamp"]) / 1000, now),
        (Identity(SCHEME, who),),
        raw,
        thread=Thread(answers=(name,)),
        automatic=Automatic.AUTO_REPLY,
        remarks=("the client has deleted this message in MAX",),
    )
    return Reading(touch, who=who)


def _pressed(update: Json, raw: bytes, line: str, now: datetime) -> Reading:
    """Presses of the buttons under one message are one row: the last one counts."""
    press = update["callback"]
    who, value = _identity(press["user"]), clean(press.get("payload") or "")
    message = update.get("message") or {}
    name = clean((message.get("body") or {}).get("mid") or "")
    touch = _touch(
        line,
        f"press:{clean(press['callback_id'])}",
        instant(number_of(press["timestamp"]) / 1000, now),
        (who,),
        raw,
        external_id=f"{name}:pressed:{who.value}" if name else None,
        thread=Thread(answers=(name,)) if name else None,
        text=_label(message, value),
        fields=read_button(value),
        phase="pressed" if name else None,
        language=_language(update),
    )
    return Reading(touch, (), who.value, clean(press["callback_id"]))


def _label(message: Json, value: str) -> str:
    for attachment in (message.get("body") or {}).get("attachments") or ():
        for row in (attachment.get("payload") or {}).get("buttons") or ():
            for button in row:
                if button.get("payload") == value:
                    return clean(button["text"])
    return value


def _started(update: Json, raw: bytes, line: str, now: datetime) -> Reading:
    return _permission(update, raw, line, now, False)


def _stopped(update: Json, raw: bytes, line: str, now: datetime) -> Reading:
    return _permission(update, raw, line, now, True)


def _permission(update: Json, raw: bytes, line: str, now: datetime, stopped: bool) -> Reading:
    """Somebody stops the bot, or starts it (again); a link that led him here says which."""
    who, at = _identity(update["user"]), number_of(update["timestamp"])
    link = update.get("payload")
    touch = _touch(
        line,
        f"{'stopped' if stopped else 'started'}:{who.value}:{at}",
        instant(at / 1000, now),
        (who,),
        raw,
        fields={OPTED_OUT: stopped},
        origin={"ref": clean(link)} if isinstance(link, str) and link else {},
        automatic=Automatic.AUTO_REPLY,
        language=_language(update),
        remarks=("the client has stopped the bot" if stopped else "the client has started the bot",),
    )
    return Reading(touch, (), who.value)


def _unknown(update: Json, raw: bytes, line: str, now: datetime) -> Reading:
    """An update of a kind that we did not ask for: kept, and nobody is expected to answer it."""
    remark = f"an update of a kind that is not read: {clean(update['update_type'])[:60]}"
    key = f"update:{digest(raw)}"
    return Reading(_touch(line, key, now, (), raw, automatic=Automatic.AUTO_REPLY, remarks=(remark,)))


def _touch(
    line: str, key: str, at: datetime, party: tuple[Identity, ...], raw: bytes, *, kind: Kind = Kind.NOTE, **more: Any
) -> Touch:
    return Touch(line, key, kind, Direction.INBOUND, at, party, raw=Raw(raw, MEDIA_TYPE), **more)


def _identity(user: Json) -> Identity:
    named = clean(user.get("name") or "") or " ".join(
        clean(user[key]) for key in ("first_name", "last_name") if user.get(key)
    )
    return Identity(SCHEME, str(number_of(user["user_id"])), named or None)


def _thread(message: Json) -> Thread | None:
    link = message.get("link") or {}
    if link.get("type") != "reply":
        return None
    return Thread(answers=(clean(link["message"]["mid"]),))


def _origin(message: Json, sender: Json) -> dict[str, Any]:
    recipient = message.get("recipient") or {}
    in_group = recipient.get("chat_type") not in (None, "dialog")
    origin = {"username": sender.get("username"), "chat": recipient.get("chat_id") if in_group else None}
    return {key: clean(one) if isinstance(one, str) else one for key, one in origin.items() if one}


def _language(update: Json) -> str | None:
    written = str(update.get("user_locale") or "").replace("_", "-").partition("-")[0].casefold()
    return written if written in LANGUAGES else None


def _fingerprint(found: Found) -> str:
    return digest(dump([found.text, found.fields, [file.name for file in found.files]]))[:16]


_READERS: Mapping[str, Callable[[Json, bytes, str, datetime], Reading]] = {
    "message_created": _created,
    "message_edited": _edited,
    "message_removed": _removed,
    "message_callback": _pressed,
    "bot_started": _started,
    "bot_stopped": _stopped,
}
ASKED_FOR = tuple(_READERS)
