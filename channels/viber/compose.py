"""One outbound message as the messages that Viber takes: texts, pictures, videos, files, a keyboard. Pure.

Limits: developers.viber.com/docs/api/rest-bot-api/#message-types and /docs/tools/keyboards. Viber takes no bytes but
addresses: a file's is filled in when it is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

from channels.errors import Rejected
from channels.pieces import split, units
from channels.touch import Attachment, Button, Message

MOST_TEXT = 7000
MOST_CAPTION = 120
MOST_PICTURE = 1024 * 1024
MOST_VIDEO = 26 * 1024 * 1024
MOST_FILE = 50 * 1024 * 1024
_MOST_PARTS = 20
_MOST_BUTTONS, _MOST_VALUE, _MOST_LABEL = 24, 200, 250
_FORBIDDEN = frozenset(
    {
        *(".action", ".apk", ".app", ".bat", ".bin", ".cmd", ".com", ".command", ".cpl", ".csh", ".exe", ".gadget"),
        *(".inf", ".ins", ".inx", ".ipa", ".isu", ".job", ".jse", ".ksh", ".lnk", ".msc", ".msi", ".msp", ".mst"),
        *(".osx", ".out", ".paf", ".pif", ".prg", ".ps1", ".reg", ".rgs", ".run", ".sct", ".shb", ".shs", ".u3p"),
        *(".vb", ".vbe", ".vbs", ".vbscript", ".workflow", ".ws", ".wsf"),
    }
)


@dataclass(frozen=True, slots=True)
class Part:
    """One message of Viber. A `file` needs an address first, which completes the content."""

    content: dict[str, Any]
    file: Attachment | None = None

    def with_address(self, url: str) -> Part:
        """The same, with the address that Viber fetches its file from."""
        return replace(self, content={**self.content, "media": url}, file=None)


def parts_of(message: Message) -> list[Part]:
    """What to send, in order. Raises `Rejected` for what Viber would not take, before anything has gone out."""
    files = [_file(file) for file in message.attachments]
    text = message.text.strip()
    if files and text and files[0].content["type"] == "picture" and units(text) <= MOST_CAPTION:
        files[0].content["text"] = text
        text = ""
    parts = [*(Part({"type": "text", "text": piece}) for piece in split(text, MOST_TEXT)), *files]
    if not parts:
        raise Rejected("the message is empty", remedy="Write something, or attach a file.")
    if len(parts) > _MOST_PARTS:
        raise Rejected(f"the message would be {len(parts)} messages in Viber", remedy="Send the text as a file.")
    if message.buttons:
        parts[-1].content["keyboard"] = _keyboard(message.buttons)
    return parts


def _file(file: Attachment) -> Part:
    if not file.data:
        raise Rejected(f"{file.name} is empty, and Viber takes no empty files", remedy="Attach another file.")
    if PurePosixPath(file.name.lower()).suffix in _FORBIDDEN:
        raise Rejected(f"Viber takes no files like {file.name}", remedy="Send it by mail, or a link to it.")
    if len(file.data) > MOST_FILE:
        raise Rejected(
            f"{file.name} ({len(file.data) / 1048576:.0f} MB) is larger than the 50 MB that Viber takes",
            remedy="Send a link to the file, or send it by mail.",
        )
    if file.media_type in ("image/jpeg", "image/png") and len(file.data) <= MOST_PICTURE:
        return Part({"type": "picture", "text": ""}, file)
    if file.media_type == "video/mp4" and len(file.data) <= MOST_VIDEO:
        return Part({"type": "video", "size": len(file.data)}, file)
    return Part({"type": "file", "size": len(file.data), "file_name": _short(file.name)}, file)


def _short(name: str) -> str:
    """At most 256 characters, the ending among them."""
    ending = PurePosixPath(name).suffix[:20]
    return name if len(name) <= 256 else name[: 256 - len(ending)] + ending


def _keyboard(buttons: Sequence[Button]) -> dict[str, Any]:
    """What is pressed comes back as a message with the button's value. Short ones stand in one row."""
    if len(buttons) > _MOST_BUTTONS:
        raise Rejected(f"Viber shows at most {_MOST_BUTTONS} buttons, not {len(buttons)}")
    for one in buttons:
        if not one.text or len(one.text) > _MOST_LABEL or not 1 <= len(one.value) <= _MOST_VALUE:
            raise Rejected(f"the button {one.text!r} needs a text and a value of at most {_MOST_VALUE} characters")
    columns = 6 // len(buttons) if len(buttons) in (2, 3, 6) and all(units(one.text) <= 8 for one in buttons) else 6
    keys = [
        {"Columns": columns, "Rows": 1, "ActionType": "reply", "ActionBody": one.value, "Text": _plain(one.text)}
        for one in buttons
    ]
    return {"Type": "keyboard", "DefaultHeight": False, "Buttons": keys}


def _plain(text: str) -> str:
    """Labels may be HTML; ours are not."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
