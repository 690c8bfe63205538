"""One outbound message as the messages that the Cloud API takes: texts, files, choices, templates. Pure.

Limits: developers.facebook.com/documentation/business-messaging/whatsapp/messages (text, image, video, audio, document,
interactive reply buttons, interactive lists) and …/business-phone-numbers/media.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from channels.errors import Rejected
from channels.pieces import split, units
from channels.touch import Approved, Attachment, Button, Message

MOST_TEXT = 4096
MOST_CAPTION = 1024
MOST_BODY = 1024
MOST_FILE = 100 * 1024 * 1024
_MOST_PARTS = 20
_MOST_MEDIA = 16 * 1024 * 1024
_MOST_IMAGE = 5 * 1024 * 1024
_MOST_REPLIES, _MOST_REPLY = 3, 20
_MOST_ROWS, _MOST_ROW, _MOST_DESCRIPTION, _MOST_VALUE = 10, 24, 72, 200
_KINDS = {
    "image": (_MOST_IMAGE, frozenset({"image/jpeg", "image/png"})),
    "video": (_MOST_MEDIA, frozenset({"video/mp4", "video/3gpp"})),
    "audio": (_MOST_MEDIA, frozenset({"audio/aac", "audio/amr", "audio/mpeg", "audio/mp4"})),
}


@dataclass(frozen=True, slots=True)
class Part:
    """One message of WhatsApp. A `file` has to be uploaded first; its id completes the content: that of a template as
    its header (…/whatsapp/templates/components, "media header")."""

    kind: str
    content: dict[str, Any]
    file: Attachment | None = None

    def with_media(self, media_id: str) -> Part:
        """The same, with its file uploaded."""
        if self.kind != "template" or self.file is None:
            return replace(self, content={**self.content, "id": media_id}, file=None)
        shape = _file(self.file)
        shown = {"type": shape.kind, shape.kind: {**shape.content, "id": media_id}}
        components = [{"type": "header", "parameters": [shown]}, *self.content.get("components", ())]
        return replace(self, content={**self.content, "components": components}, file=None)


def parts_of(message: Message) -> list[Part]:
    """What to send, in order. Raises `Rejected` for what WhatsApp would not take, before anything has gone out."""
    if message.template is not None:
        return [_with_header(_template(message.template), message.attachments)]
    files = [_file(file) for file in message.attachments]
    text = message.text.strip()
    if files and text and not message.buttons and files[0].kind != "audio" and units(text) <= MOST_CAPTION:
        files[0].content["caption"] = text
        text = ""
    parts = [*_texts(text, message.buttons), *files]
    if not parts:
        raise Rejected("the message is empty", remedy="Write something, or attach a file.")
    if len(parts) > _MOST_PARTS:
        raise Rejected(f"the message would be {len(parts)} messages in WhatsApp", remedy="Send the text as a file.")
    return parts


def _with_header(template: Part, files: Sequence[Attachment]) -> Part:
    """A file stands above the words of a template that was approved with one."""
    if not files:
        return template
    if len(files) > 1:
        raise Rejected("a template carries one file", remedy="Send the others when the client has answered.")
    if _file(files[0]).kind == "audio":
        raise Rejected("a template carries no sound", remedy="Send it when the client has answered.")
    return replace(template, file=files[0])


def _texts(text: str, buttons: Sequence[Button]) -> list[Part]:
    pieces = split(text, MOST_BODY if buttons else MOST_TEXT)
    if buttons and not pieces:
        raise Rejected("buttons need a text above them", remedy="Write something.")
    parts = [Part("text", {"body": piece}) for piece in pieces]
    if buttons:
        parts[-1] = Part("interactive", _choices(pieces[-1], buttons))
    return parts


def _file(file: Attachment) -> Part:
    if not file.data:
        raise Rejected(f"{file.name} is empty, and WhatsApp takes no empty files", remedy="Attach another file.")
    if len(file.data) > MOST_FILE:
        raise Rejected(
            f"{file.name} ({len(file.data) / 1048576:.0f} MB) is larger than the 100 MB that WhatsApp takes",
            remedy="Send a link to the file, or send it by mail.",
        )
    for kind, (most, types) in _KINDS.items():
        if file.media_type in types and len(file.data) <= most:
            return Part(kind, {}, file)
    return Part("document", {"filename": file.name}, file)


def _choices(text: str, buttons: Sequence[Button]) -> dict[str, Any]:
    """Up to three short choices are buttons, up to ten a list."""
    for one in buttons:
        if not one.text or not 1 <= len(one.value) <= _MOST_VALUE:
            raise Rejected(f"the button {one.text!r} needs a text and a value of at most {_MOST_VALUE} characters")
    if len(buttons) > _MOST_ROWS:
        raise Rejected(f"WhatsApp shows at most {_MOST_ROWS} choices, not {len(buttons)}")
    body = {"text": text}
    if len(buttons) <= _MOST_REPLIES and all(units(one.text) <= _MOST_REPLY for one in buttons):
        replies = [{"type": "reply", "reply": {"id": one.value, "title": one.text}} for one in buttons]
        return {"type": "button", "body": body, "action": {"buttons": replies}}
    rows = [_row(one) for one in buttons]
    return {"type": "list", "body": body, "action": {"button": "☰", "sections": [{"rows": rows}]}}


def _row(one: Button) -> dict[str, str]:
    """A longer choice goes on below its title."""
    if units(one.text) <= _MOST_ROW:
        return {"id": one.value, "title": one.text}
    title = f"{split(one.text, _MOST_ROW - 1)[0]}…"
    return {"id": one.value, "title": title, "description": split(one.text, _MOST_DESCRIPTION)[0]}


def _template(approved: Approved) -> Part:
    content: dict[str, Any] = {"name": approved.name, "language": {"code": approved.language}}
    if approved.parameters:
        # a blank takes no line breaks and no more than four spaces in a row (error 132018)
        blanks = [{"type": "text", "text": " ".join(one.split())} for one in approved.parameters]
        if not all(blank["text"] for blank in blanks):
            raise Rejected("a blank of the template is empty", remedy="Fill in every blank.")
        content["components"] = [{"type": "body", "parameters": blanks}]
    return Part("template", content)
