"""What one message of MAX has in it: words, files still to be fetched, places, contacts, what was passed on. Pure.

Source: dev.max.ru/docs-api/objects/Message
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from channels import phone
from channels.contents import Contents, Linked
from channels.optout import read_word
from channels.untrusted import Json, clean, digest

_TELEPHONE = re.compile(r"^TEL[^:\r\n]*:\s*(?:tel:)?([+\d][\d\s()\-]*)", re.MULTILINE | re.IGNORECASE)
_CALLED = re.compile(r"^FN[^:\r\n]*:(.*)$", re.MULTILINE | re.IGNORECASE)


Found = Contents[Linked]


def read_contents(message: Json) -> Found:
    """Everything of a message that can be shown. Raises what malformed ones raise."""
    body = message.get("body") or {}
    found = Found(clean(body.get("text") or ""))
    found.fields |= read_word(found.text)
    _read_attachments(found, body, message)
    link = message.get("link") or {}
    if link.get("type") == "forward":
        passed_on = link.get("message") or {}
        found.say(f"» {clean(passed_on.get('text') or '') or '…'}")
        _read_attachments(found, passed_on, message)
    if not found.text and not found.files and not found.remarks:
        found.remarks.append("this message cannot be shown here, look into MAX")
    return found


def _read_attachments(found: Found, body: Json, message: Json) -> None:
    for attachment in body.get("attachments") or ():
        kind = clean(attachment["type"])
        _READERS.get(kind, _unknown)(found, attachment, message)


def _file(found: Found, attachment: Json, message: Json) -> None:
    payload, kind = attachment["payload"], clean(attachment["type"])
    url = clean(payload["url"])
    ending, media_type = _TYPES.get(kind, ("", "application/octet-stream"))
    name = clean(attachment.get("filename") or "") or f"{kind}-{digest(url.encode())[:8]}{ending}"
    found.files.append(Linked(url, name, media_type))
    if attachment.get("transcription"):
        found.say(clean(attachment["transcription"]))


def _place(found: Found, attachment: Json, message: Json) -> None:
    found.locate(attachment["latitude"], attachment["longitude"])


def _contact(found: Found, attachment: Json, message: Json) -> None:
    """A card. Whose own it is, MAX says; for others' nobody vouches, so they join nobody."""
    payload = attachment["payload"]
    card, whose = clean(payload.get("vcf_info") or ""), payload.get("max_info") or {}
    numbers = [phone.normalise(number, "RU") for number in _TELEPHONE.findall(card)]
    called = clean(whose.get("name") or "") or next(iter(_CALLED.findall(card)), "").strip()
    said = " ".join(filter(None, (called, *(one.value for one in numbers))))
    found.say(f"☎ {said}")
    if whose.get("user_id") is not None and whose["user_id"] == message["sender"]["user_id"]:
        found.phones += [one for one in numbers if not one.odd]
    else:
        found.fields["contact"] = said


def _share(found: Found, attachment: Json, message: Json) -> None:
    found.say(" ".join(clean(one) for one in (attachment.get("title"), attachment["payload"].get("url")) if one))


def _keyboard(found: Found, attachment: Json, message: Json) -> None:
    """Buttons of ours."""


def _unknown(found: Found, attachment: Json, message: Json) -> None:
    found.remarks.append(f"an attachment that cannot be shown here, look into MAX: {clean(attachment['type'])[:40]}")


_READERS: Mapping[str, Callable[[Found, Json, Json], None]] = {
    **dict.fromkeys(("image", "video", "audio", "file", "sticker"), _file),
    "location": _place,
    "contact": _contact,
    "share": _share,
    "inline_keyboard": _keyboard,
}
_TYPES = {
    "image": (".jpg", "image/jpeg"),
    "video": (".mp4", "video/mp4"),
    "audio": (".m4a", "audio/mp4"),
    "sticker": (".webp", "image/webp"),
}
