"""What one message of Viber has in it: words, a file still to be fetched, a place, a contact. Pure.

Source: developers.viber.com/docs/api/rest-bot-api/#receive-message-from-user
"""

from __future__ import annotations

import mimetypes
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from channels.buttons import RATING, read_button
from channels.contents import MOST_BYTES, Contents, Linked, international
from channels.optout import OPTED_OUT_OF, read_word
from channels.untrusted import Json, clean

Found = Contents[Linked]


def read_contents(message: Json, sender: Json, token: str) -> Found:
    """Everything of a message that can be shown. Raises what malformed ones raise."""
    found = Found(clean(message.get("text") or ""))
    kind = clean(message["type"])
    if kind == "text":
        _text(found)
    elif kind in _FILES:
        _file(found, message, kind, token)
    elif kind in _READERS:
        _READERS[kind](found, message, sender)
    else:
        found.remarks.append(f"a message of a kind that is not read: {kind[:100]}")
    return found


def _text(found: Found) -> None:
    """A pressed button of ours comes as its value, written by the client."""
    pressed = read_button(found.text)
    if RATING in pressed or OPTED_OUT_OF in pressed:
        found.fields |= pressed
        found.text = str(pressed.get(RATING, found.text))
        found.note = True
    else:
        found.fields |= read_word(found.text)


def _file(found: Found, message: Json, kind: str, token: str) -> None:
    url = clean(message["media"])
    told = clean(message.get("file_name") or "") or PurePosixPath(urlsplit(url).path).name
    ending = PurePosixPath(told).suffix
    usual, usual_type = _FILES[kind]
    name = told if kind == "file" and told else f"{kind}-{token[-8:]}{ending or usual}"
    media_type = mimetypes.guess_type(name)[0] or usual_type
    size = message.get("file_size") or message.get("size") or 0
    if isinstance(size, int) and size > MOST_BYTES:
        found.remarks.append(
            f"the file {name} ({size / 1048576:.0f} MB) is larger than the {MOST_BYTES // 1048576} MB that are taken: "
            "ask for it by mail"
        )
    else:
        found.files.append(Linked(url, name, media_type))


_FILES: Mapping[str, tuple[str, str | None]] = {
    "picture": (".jpg", "image/jpeg"),
    "video": (".mp4", "video/mp4"),
    "file": ("", None),
}


def _url(found: Found, message: Json, sender: Json) -> None:
    address = clean(message["media"])
    if address not in found.text:
        found.say(address)


def _sticker(found: Found, message: Json, sender: Json) -> None:
    found.say("🖼")
    found.fields["sticker"] = clean(str(message.get("sticker_id") or ""))


def _location(found: Found, message: Json, sender: Json) -> None:
    place = message["location"]
    found.locate(place["lat"], place["lon"])


def _contact(found: Found, message: Json, sender: Json) -> None:
    """A shared number is the sender's own when Viber shows his own picture and name beside it."""
    contact = message["contact"]
    name = clean(contact.get("name") or "")
    found.introduce(name, international(clean(contact["phone_number"])), own=_is_own(contact, sender))


def _is_own(contact: Json, sender: Json) -> bool:
    pictures = contact.get("avatar"), sender.get("avatar")
    return bool(pictures[0]) and pictures[0] == pictures[1] and contact.get("name") == sender.get("name")


_READERS: Mapping[str, Callable[[Found, Json, Json], None]] = {
    "url": _url,
    "sticker": _sticker,
    "location": _location,
    "contact": _contact,
}
