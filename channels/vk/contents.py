"""What one message of VK has in it: words, files still to be fetched, places, links. Pure.

Source: dev.vk.com/ru/reference/objects/message and the objects of its attachments.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from channels.buttons import read_button
from channels.optout import read_word
from channels.untrusted import Json, clean, load, number_of

MOST_BYTES = 25 * 1024 * 1024
_MOST_FORWARDED = 20
_SITE = "https://vk.com"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file that a message refers to."""

    url: str
    name: str
    media_type: str


@dataclass(slots=True)
class Contents:
    """What was found so far. `note`: nobody waits for an answer to it."""

    text: str = ""
    fields: dict[str, Any] = field(default_factory=dict)
    files: list[Wanted] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    note: bool = False

    def say(self, line: str) -> None:
        """One more line of text."""
        if line:
            self.text = f"{self.text}\n{line}" if self.text else line


def read_contents(message: Json) -> Contents:
    """Everything of a message that can be shown. Raises what malformed ones raise."""
    found = Contents(clean(message.get("text") or ""))
    found.fields |= read_word(found.text)
    _read_payload(found, message.get("payload"))
    for attachment in message.get("attachments") or ():
        kind = clean(attachment["type"])
        _READERS.get(kind, _unknown)(found, attachment.get(kind) or {}, kind)
    _read_place(found, message.get("geo"))
    for forwarded in (message.get("fwd_messages") or ())[:_MOST_FORWARDED]:
        found.say(f"» {clean(forwarded.get('text') or '') or '…'}")
    if not found.text and not found.files and not found.remarks:
        found.remarks.append("this message cannot be shown here, look into VK")
    return found


def _read_payload(found: Contents, payload: Any) -> None:
    """A button of ours was pressed, or the one with which everybody begins."""
    if not payload:
        return
    told = load(clean(payload).encode()) if isinstance(payload, str) else payload
    if not isinstance(told, dict):
        return
    if told.get("command") == "start":
        found.note = True
    elif isinstance(told.get("button"), str):
        found.fields |= read_button(clean(told["button"]))
        found.note = True


def _read_place(found: Contents, geo: Any) -> None:
    if not geo:
        return
    place, at = geo.get("place") or {}, geo["coordinates"]
    where = f"{float(at['latitude']):.6f}, {float(at['longitude']):.6f}"
    found.fields["location"] = where
    found.say(clean(place.get("title") or ""))
    found.say(f"📍 {where}")


def _photo(found: Contents, photo: Json, kind: str) -> None:
    sizes = [*(photo.get("sizes") or ()), *([photo["orig_photo"]] if photo.get("orig_photo") else [])]
    best = max(sizes, key=lambda one: int(one.get("width") or 0) * int(one.get("height") or 0))
    found.files.append(Wanted(clean(best["url"]), f"photo-{number_of(photo['id'])}.jpg", "image/jpeg"))


def _document(found: Contents, file: Json, kind: str) -> None:
    ending = clean(file.get("ext") or "").casefold()
    name = clean(file.get("title") or "") or f"file-{number_of(file['id'])}"
    name = name if not ending or name.casefold().endswith(f".{ending}") else f"{name}.{ending}"
    found.files.append(Wanted(clean(file["url"]), name, _TYPES.get(ending, "application/octet-stream")))


def _voice(found: Contents, voice: Json, kind: str) -> None:
    found.files.append(Wanted(clean(voice["link_ogg"]), f"voice-{number_of(voice['id'])}.ogg", "audio/ogg"))
    if voice.get("transcript"):
        found.say(clean(voice["transcript"]))


def _sticker(found: Contents, sticker: Json, kind: str) -> None:
    best = max(sticker["images"], key=lambda one: int(one["width"]))
    found.files.append(Wanted(clean(best["url"]), f"sticker-{number_of(sticker['sticker_id'])}.png", "image/png"))


def _graffiti(found: Contents, drawing: Json, kind: str) -> None:
    found.files.append(Wanted(clean(drawing["url"]), f"graffiti-{number_of(drawing['id'])}.png", "image/png"))


def _link(found: Contents, link: Json, kind: str) -> None:
    found.say(" ".join(clean(link[key]) for key in ("title", "url") if link.get(key)))


def _page(found: Contents, thing: Json, kind: str) -> None:
    """What has a page of its own in VK: a video, a post, goods, a story."""
    owner = thing.get("owner_id") or thing.get("from_id") or thing.get("to_id")
    words = [clean(thing[key]) for key in ("title", "text", "question") if thing.get(key)]
    found.say(" ".join((*words[:1], f"{_SITE}/{kind}{number_of(owner)}_{number_of(thing['id'])}")))


def _audio(found: Contents, audio: Json, kind: str) -> None:
    found.say(f"♪ {clean(audio.get('artist') or '')} – {clean(audio.get('title') or '')}")


def _unknown(found: Contents, attachment: Json, kind: str) -> None:
    found.remarks.append(f"an attachment that cannot be shown here, look into VK: {kind[:40]}")


_READERS: Mapping[str, Callable[[Contents, Json, str], None]] = {
    "photo": _photo,
    "doc": _document,
    "audio_message": _voice,
    "sticker": _sticker,
    "graffiti": _graffiti,
    "link": _link,
    "audio": _audio,
    **dict.fromkeys(("video", "wall", "market", "story", "poll", "wall_reply"), _page),
}
_TYPES = {
    "pdf": "application/pdf",
    "txt": "text/plain",
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
    "zip": "application/zip",
    "doc": "application/msword",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xls": "application/vnd.ms-excel",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
