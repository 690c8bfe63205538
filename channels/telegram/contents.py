"""What one message of Telegram has in it: words, files still to be fetched, places, contacts. Pure.

Source: core.telegram.org/bots/api#message
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from channels import contents
from channels.contents import international
from channels.untrusted import clean

MOST_BYTES = 20 * 1024 * 1024
"""What the Bot API hands out (core.telegram.org/bots/api#getfile)."""

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file that a message refers to, within the limit."""

    file_id: str
    name: str
    media_type: str


@dataclass(slots=True)
class Contents(contents.Contents[Wanted]):
    """What was found so far. `empty`: nothing that could be shown."""

    empty: bool = True


def read_contents(message: Json) -> Contents:
    """Everything of a message that can be shown. Raises what malformed ones raise."""
    found = Contents(clean(message.get("text") or message.get("caption") or ""))
    found.empty = not found.text
    for key, read in _READERS.items():
        if message.get(key) is not None:
            read(found, message, key)
            found.empty = False
    return found


def _file(found: Contents, message: Json, key: str) -> None:
    if key == "document" and "animation" in message:
        return  # the same file once more, for old clients
    _want(found, message[key], key, message["message_id"])


def _photo(found: Contents, message: Json, key: str) -> None:
    sizes = [size for size in message[key] if size.get("file_size", 0) <= MOST_BYTES]
    best = max(sizes or message[key], key=lambda size: size.get("width", 0) * size.get("height", 0))
    _want(found, best, key, message["message_id"])


def _sticker(found: Contents, message: Json, key: str) -> None:
    sticker = message[key]
    found.say(clean(sticker.get("emoji") or "🖼"))
    shape = "animated" if sticker.get("is_animated") else "moving" if sticker.get("is_video") else "sticker"
    _want(found, sticker, shape, message["message_id"])


def _want(found: Contents, file: Json, kind: str, number: int) -> None:
    ending, usual = _USUAL[kind]
    name = clean(file.get("file_name") or f"{kind}-{number}{ending}")
    media_type = clean(file.get("mime_type") or usual)
    size = file.get("file_size") or 0
    if size > MOST_BYTES:
        found.remarks.append(
            f"the file {name} ({size / 1048576:.0f} MB) is larger than the 20 MB that Telegram hands out to bots: "
            "ask for it by mail"
        )
    else:
        found.files.append(Wanted(clean(file["file_id"]), name, media_type))


_USUAL = {
    "photo": (".jpg", "image/jpeg"),
    "document": (".bin", "application/octet-stream"),
    "animation": (".mp4", "video/mp4"),
    "audio": (".mp3", "audio/mpeg"),
    "voice": (".ogg", "audio/ogg"),
    "video": (".mp4", "video/mp4"),
    "video_note": (".mp4", "video/mp4"),
    "sticker": (".webp", "image/webp"),
    "animated": (".tgs", "application/x-tgsticker"),
    "moving": (".webm", "video/webm"),
}


def _location(found: Contents, message: Json, key: str) -> None:
    place = message[key]
    if key == "location" and "venue" in message:
        return
    if key == "venue":
        found.say(f"{clean(place.get('title') or '')}, {clean(place.get('address') or '')}".strip(", "))
        place = place["location"]
    found.locate(place["latitude"], place["longitude"])


def _contact(found: Contents, message: Json, key: str) -> None:
    """A shared phone is the sender's own only when Telegram says whose account it is."""
    contact = message[key]
    name = " ".join(clean(contact[part]) for part in ("first_name", "last_name") if contact.get(part))
    whose, sender = contact.get("user_id"), message.get("from") or {}
    own = whose is not None and whose == sender.get("id")
    found.introduce(name, international(clean(contact["phone_number"])), own=own)


def _poll(found: Contents, message: Json, key: str) -> None:
    found.say(f"📊 {clean(message[key]['question'])}")


def _dice(found: Contents, message: Json, key: str) -> None:
    found.say(f"{clean(message[key]['emoji'])} {int(message[key]['value'])}")


_READERS: Mapping[str, Callable[[Contents, Json, str], None]] = {
    "photo": _photo,
    "document": _file,
    "animation": _file,
    "audio": _file,
    "voice": _file,
    "video": _file,
    "video_note": _file,
    "sticker": _sticker,
    "location": _location,
    "venue": _location,
    "contact": _contact,
    "poll": _poll,
    "dice": _dice,
}
