"""One outbound message as the messages that Telegram takes: split texts, photos, documents, buttons. Pure.

Limits: core.telegram.org/bots/api (sendMessage, sendPhoto, "Sending files", InlineKeyboardButton). Texts go out plain,
so no formatting can be torn apart; lengths are counted in UTF-16 units, as Telegram's own entities are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from channels.errors import Rejected
from channels.pieces import split, units
from channels.touch import Attachment, Button, Message

MOST_TEXT = 4096
MOST_CAPTION = 1024
MOST_PHOTO = 10 * 1024 * 1024
MOST_FILE = 50 * 1024 * 1024
_MOST_PARTS = 20
_MOST_VALUE = 64
_PHOTOS = frozenset({"image/jpeg", "image/png", "image/webp"})


@dataclass(frozen=True, slots=True)
class Part:
    """One message of Telegram: a text, or a file with a caption."""

    text: str
    file: Attachment | None = None
    photo: bool = False


def parts_of(message: Message) -> list[Part]:
    """What to send, in order. Raises `Rejected` for what Telegram would not take, before anything has gone out."""
    for file in message.attachments:
        _check(file)
    files = [Part("", file, _is_photo(file)) for file in message.attachments]
    text = message.text.strip()
    if files and text and units(text) <= MOST_CAPTION:
        files[0] = Part(text, files[0].file, files[0].photo)
        text = ""
    parts = [*(Part(piece) for piece in split(text, MOST_TEXT)), *files]
    if not parts:
        raise Rejected("the message is empty", remedy="Write something, or attach a file.")
    if len(parts) > _MOST_PARTS:
        raise Rejected(f"the message would be {len(parts)} messages in Telegram", remedy="Send the text as a file.")
    return parts


def _check(file: Attachment) -> None:
    if len(file.data) > MOST_FILE:
        raise Rejected(
            f"{file.name} ({len(file.data) / 1048576:.0f} MB) is larger than the 50 MB that Telegram takes from bots",
            remedy="Send a link to the file, or send it by mail.",
        )
    if not file.data:
        raise Rejected(f"{file.name} is empty, and Telegram takes no empty files", remedy="Attach another file.")


def _is_photo(file: Attachment) -> bool:
    return file.media_type in _PHOTOS and len(file.data) <= MOST_PHOTO


def keyboard(buttons: Sequence[Button]) -> InlineKeyboardMarkup | None:
    """Buttons under a message: in one row when they are short, else one below the other."""
    for one in buttons:
        if not one.text or not 1 <= len(one.value.encode()) <= _MOST_VALUE:
            raise Rejected(f"the button {one.text!r} needs a text and a value of at most {_MOST_VALUE} bytes")
    keys = [InlineKeyboardButton(one.text, callback_data=one.value) for one in buttons]
    in_one_row = len(keys) <= 8 and sum(units(one.text) for one in buttons) <= 24
    return InlineKeyboardMarkup([keys] if in_one_row else [[key] for key in keys]) if keys else None
