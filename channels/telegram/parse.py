"""One update of the Bot API to one touch. Pure: files are named here and fetched elsewhere; never raises.

Source: core.telegram.org/bots/api#update. What cannot be read is kept raw, with a remark, as somebody's message.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from channels.buttons import read_button
from channels.optout import OPTED_OUT, read_word
from channels.telegram.commands import read_command
from channels.telegram.contents import Contents, Wanted, read_contents
from channels.telegram.sender import identity_of, language_of, origin_of, sender_of
from channels.touch import Automatic, Direction, Kind, Raw, Thread, Touch
from channels.untrusted import clean, digest, dump, instant, is_number, load, number_of

MEDIA_TYPE = "application/vnd.telegram.update+json"
_LIVE_STEP_S = 60

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Ours:
    """What the parser must know of the line. Without a `username` nobody can address the bot by it."""

    line: str
    bot_id: int
    username: str = ""
    groups: Literal["addressed", "all", "ignored"] = "all"


@dataclass(frozen=True, slots=True)
class Reading:
    """What became of an update. No touch = nothing to log. `chat` keeps the order; `press` is a button's to answer."""

    touch: Touch | None
    files: tuple[Wanted, ...] = ()
    chat: int | None = None
    press: str | None = None


def read(raw: bytes, ours: Ours, now: datetime) -> Reading:
    """The touch of one update as it came over the wire."""
    try:
        update = load(raw)
    except ValueError:
        return unreadable(raw, ours, now, "this update is not JSON")
    return parse(update, raw, ours, now)


def parse(update: Any, raw: bytes, ours: Ours, now: datetime) -> Reading:
    """The touch of one update. `raw` are its bytes."""
    try:
        for kind, reader in _READERS.items():
            if update.get(kind) is not None:
                return reader(update, update[kind], raw, ours, now)
        return _unknown(update, raw, ours, now)
    except Exception as error:  # whatever a stranger wrote: it is kept, and the line goes on
        return unreadable(raw, ours, now, f"this update could not be read: {type(error).__name__}", update)


def unreadable(raw: bytes, ours: Ours, now: datetime, remark: str, update: Any = None) -> Reading:
    """A touch for what cannot be read. Whoever seems to have written it is asked for, as far as that can be told."""
    number = update.get("update_id") if isinstance(update, dict) else None
    known_as = f"update:{number}" if is_number(number) else f"raw:{digest(raw)}"
    sender = sender_of(update)
    return Reading(
        Touch(
            line=ours.line,
            event_key=f"{ours.bot_id}:{known_as}",
            kind=Kind.MESSAGE,
            direction=Direction.INBOUND,
            at=now,
            party=(sender,) if sender else (),
            remarks=(remark,),
            raw=Raw(raw, MEDIA_TYPE),
        )
    )


def _message(update: Json, message: Json, raw: bytes, ours: Ours, now: datetime) -> Reading:
    return _message_touch(message, raw, ours, now, phase=None)


def _edit(update: Json, message: Json, raw: bytes, ours: Ours, now: datetime) -> Reading:
    return _message_touch(message, raw, ours, now, phase="edited")


def _message_touch(message: Json, raw: bytes, ours: Ours, now: datetime, phase: str | None) -> Reading:
    chat = message["chat"]
    number = number_of(chat["id"])
    sender = message.get("from") or message["sender_chat"]
    if sender["id"] == ours.bot_id or not _is_for_us(message, chat, ours):
        return Reading(None, chat=number)
    found = read_contents(message)
    service = _service(message) if found.empty else None
    if service is not None and chat["type"] != "private":
        return Reading(None, chat=number)
    name = f"{number}:{number_of(message['message_id'])}"
    at = instant(number_of(message.get("edit_date") or message["date"]), now)
    command = read_command(found.text, ours.username)
    found.fields |= command if command is not None else read_word(found.text)
    touch = Touch(
        line=ours.line,
        event_key=f"{ours.bot_id}:{name}{_edit_key(message, found) if phase else ''}",
        kind=Kind.MESSAGE if command is None and not service else Kind.NOTE,
        direction=Direction.INBOUND,
        at=at,
        party=(identity_of(sender), *found.phones),
        external_id=name,
        thread=_thread(message, number),
        text=found.text,
        fields=found.fields,
        origin=origin_of(message, chat, sender),
        automatic=Automatic.AUTO_REPLY if sender.get("is_bot") or service else None,
        phase=phase,
        language=language_of(sender),
        remarks=(*found.remarks, *_remarks(message, found, service)),
        raw=Raw(raw, MEDIA_TYPE),
    )
    return Reading(touch, tuple(found.files), number)


def _edit_key(message: Json, found: Contents) -> str:
    """An edit is known by its time and content; of somebody who walks, one place a minute is kept."""
    edited = number_of(message.get("edit_date") or message["date"])
    if (message.get("location") or {}).get("live_period"):
        return f":live:{edited // _LIVE_STEP_S}"
    files = [file.file_id for file in found.files]
    return f":{edited}:{digest(dump([found.text, found.fields, files]))[:16]}"


def _press(update: Json, query: Json, raw: bytes, ours: Ours, now: datetime) -> Reading:
    """Presses of the buttons under one message are one row: the last one counts."""
    sender, message = query["from"], query.get("message")
    value = clean(query.get("data") or "")
    press = clean(query["id"])
    chat = number_of(message["chat"]["id"]) if message else None
    name = f"{chat}:{number_of(message['message_id'])}" if message else None
    touch = Touch(
        line=ours.line,
        event_key=f"{ours.bot_id}:press:{press}",
        kind=Kind.NOTE,
        direction=Direction.INBOUND,
        at=now,
        party=(identity_of(sender),),
        external_id=f"{name}:pressed:{number_of(sender['id'])}" if name else None,
        thread=Thread(answers=(name,)) if name else None,
        text=_label(message or {}, value),
        fields=read_button(value),
        origin=origin_of(message or {}, (message or {}).get("chat") or {}, sender),
        phase="pressed" if name else None,
        language=language_of(sender),
        raw=Raw(raw, MEDIA_TYPE),
    )
    return Reading(touch, (), chat, press)


def _label(message: Json, value: str) -> str:
    for row in (message.get("reply_markup") or {}).get("inline_keyboard") or ():
        for button in row:
            if button.get("callback_data") == value:
                return clean(button["text"])
    return value


def _membership(update: Json, change: Json, raw: bytes, ours: Ours, now: datetime) -> Reading:
    """Somebody blocks the bot, or lets it in again. What groups do with the bot concerns no client."""
    chat, sender = change["chat"], change["from"]
    number = number_of(chat["id"])
    if chat["type"] != "private":
        return Reading(None, chat=number)
    status = clean(change["new_chat_member"]["status"])
    blocked = status in ("kicked", "left")
    touch = Touch(
        line=ours.line,
        event_key=f"{ours.bot_id}:member:{number}:{number_of(change['date'])}:{status}",
        kind=Kind.NOTE,
        direction=Direction.INBOUND,
        at=instant(number_of(change["date"]), now),
        party=(identity_of(sender),),
        fields={OPTED_OUT: blocked},
        origin=origin_of({}, chat, sender),
        automatic=Automatic.AUTO_REPLY,
        language=language_of(sender),
        remarks=("the client has blocked the bot" if blocked else "the client lets the bot write again",),
        raw=Raw(raw, MEDIA_TYPE),
    )
    return Reading(touch, (), number)


def _unknown(update: Json, raw: bytes, ours: Ours, now: datetime) -> Reading:
    """An update of a kind that we did not ask for: kept, and nobody is expected to answer it."""
    kinds = ", ".join(sorted(clean(key) for key in update if key != "update_id")) or "nothing"
    sender = sender_of(update)
    touch = Touch(
        line=ours.line,
        event_key=f"{ours.bot_id}:update:{number_of(update['update_id'])}",
        kind=Kind.NOTE,
        direction=Direction.INBOUND,
        at=now,
        party=(sender,) if sender else (),
        automatic=Automatic.AUTO_REPLY,
        remarks=(f"an update of a kind that is not read: {kinds[:200]}",),
        raw=Raw(raw, MEDIA_TYPE),
    )
    return Reading(touch)


_READERS: Mapping[str, Callable[[Json, Json, bytes, Ours, datetime], Reading]] = {
    "message": _message,
    "edited_message": _edit,
    "callback_query": _press,
    "my_chat_member": _membership,
}


def _is_for_us(message: Json, chat: Json, ours: Ours) -> bool:
    """In private always; in a group only what is said to the bot, unless the line wants all of it."""
    if chat["type"] == "private" or ours.groups == "all":
        return True
    if ours.groups == "ignored":
        return False
    answered = (message.get("reply_to_message") or {}).get("from") or {}
    text = message.get("text") or message.get("caption") or ""
    mentioned = bool(ours.username) and f"@{ours.username}".casefold() in text.casefold()
    return answered.get("id") == ours.bot_id or mentioned or read_command(text, ours.username) is not None


_SERVICE = frozenset(
    {
        *("pinned_message", "message_auto_delete_timer_changed", "new_chat_members", "left_chat_member"),
        *("new_chat_title", "new_chat_photo", "delete_chat_photo", "group_chat_created", "supergroup_chat_created"),
        *("channel_chat_created", "migrate_to_chat_id", "migrate_from_chat_id", "connected_website"),
        *("write_access_allowed", "proximity_alert_triggered", "boost_added", "chat_background_set"),
        *("forum_topic_created", "forum_topic_edited", "forum_topic_closed", "forum_topic_reopened"),
        *("general_forum_topic_hidden", "general_forum_topic_unhidden", "users_shared", "chat_shared"),
        *("video_chat_scheduled", "video_chat_started", "video_chat_ended", "video_chat_participants_invited"),
    }
)
_FRAME = frozenset(
    {
        *("message_id", "from", "chat", "date", "edit_date", "sender_chat", "sender_boost_count", "via_bot"),
        *("message_thread_id", "is_topic_message", "reply_to_message", "external_reply", "quote", "forward_origin"),
        *("forward_from", "forward_from_chat", "forward_date", "forward_sender_name", "forward_signature"),
        *("has_protected_content", "is_from_offline", "is_automatic_forward", "media_group_id", "author_signature"),
        *("entities", "caption_entities", "link_preview_options", "effect_id", "reply_markup", "text", "caption"),
    }
)


def _service(message: Json) -> str | None:
    """What Telegram itself tells, as opposed to what somebody says: pinned, joined, renamed."""
    return next((key for key in message if key in _SERVICE), None)


def _remarks(message: Json, found: Contents, service: str | None) -> tuple[str, ...]:
    if service is not None:
        return (f"told by Telegram: {service}",)
    if not found.empty:
        return ()
    unread = ", ".join(sorted(clean(key) for key in message if key not in _FRAME)) or "nothing"
    return (f"this message cannot be shown here, look into Telegram: {unread[:200]}",)


def _thread(message: Json, chat: int) -> Thread | None:
    answered = message.get("reply_to_message")
    return Thread(answers=(f"{chat}:{number_of(answered['message_id'])}",)) if answered else None
