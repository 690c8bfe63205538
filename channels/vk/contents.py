"""What one message of VK has in it: words, files still to be fetched, places, links. Pure.

Source: dev.vk.com/ru/reference/objects/message and the objects of its attachments.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from channels.buttons import read_button
from channels.contents import Contents, Linked
from channels.optout import read_word
from channels.untrusted import Json, clean, load, number_of

_MOST_FORWARDED = 20
_SITE = "https://vk.com"


Found = Contents[Linked]


def read_contents(message: Json) -> Found:
    """Everything of a message that can be shown. Raises what malformed ones raise."""
    found = Found(clean(message.get("text") or ""))
    found.fields |= read_word(found.text)
    read_payload(found, message.get("payload"))
    for attachment in message.get("attachments") or ():
        kind = clean(attachment["type"])
        _READERS.get(kind, _unknown)(found, attachment.get(kind) or {}, kind)
    _read_place(found, message.get("geo"))
    _read_action(found, message.get("action"))
    for forwarded in (message.get("fwd_messages") or ())[:_MOST_FORWARDED]:
        found.say(f"» {clean(forwarded.get('text') or '') or '…'}")
    if not found.text and not found.files and not found.remarks:
        found.remarks.append("this message cannot be shown here, look into VK")
    return found


def read_payload(found: Found, payload: Any) -> None:
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


def _read_place(found: Found, geo: Any) -> None:
    if not geo:
        return
    place, at = geo.get("place") or {}, geo["coordinates"]
    found.say(clean(place.get("title") or ""))
    found.locate(at["latitude"], at["longitude"])


def _read_action(found: Found, action: Any) -> None:
    """VK itself tells: somebody was invited to a talk of many, or it was renamed."""
    if action:
        found.note = True
        found.remarks.append(f"told by VK: {clean(action['type'])[:60]}")


def _photo(found: Found, photo: Json, kind: str) -> None:
    sizes = [*(photo.get("sizes") or ()), *([photo["orig_photo"]] if photo.get("orig_photo") else [])]
    best = max(sizes, key=lambda one: int(one.get("width") or 0) * int(one.get("height") or 0))
    found.files.append(Linked(clean(best["url"]), f"photo-{number_of(photo['id'])}.jpg", "image/jpeg"))


def _document(found: Found, file: Json, kind: str) -> None:
    ending = clean(file.get("ext") or "").casefold()
    name = clean(file.get("title") or "") or f"file-{number_of(file['id'])}"
    name = name if not ending or name.casefold().endswith(f".{ending}") else f"{name}.{ending}"
    found.files.append(Linked(clean(file["url"]), name, _TYPES.get(ending, "application/octet-stream")))


def _voice(found: Found, voice: Json, kind: str) -> None:
    found.files.append(Linked(clean(voice["link_ogg"]), f"voice-{number_of(voice['id'])}.ogg", "audio/ogg"))
    if voice.get("transcript"):
        found.say(clean(voice["transcript"]))


def _sticker(found: Found, sticker: Json, kind: str) -> None:
    best = max(sticker["images"], key=lambda one: int(one["width"]))
    found.files.append(Linked(clean(best["url"]), f"sticker-{number_of(sticker['sticker_id'])}.png", "image/png"))


def _graffiti(found: Found, drawing: Json, kind: str) -> None:
    found.files.append(Linked(clean(drawing["url"]), f"graffiti-{number_of(drawing['id'])}.png", "image/png"))


def _link(found: Found, link: Json, kind: str) -> None:
    found.say(" ".join(clean(link[key]) for key in ("title", "url") if link.get(key)))


def _page(found: Found, thing: Json, kind: str) -> None:
    """What has a page of its own in VK: a video, a post, goods, a story."""
    owner = thing.get("owner_id") or thing.get("from_id") or thing.get("to_id")
    words = [clean(thing[key]) for key in ("title", "text", "question") if thing.get(key)]
    found.say(" ".join((*words[:1], f"{_SITE}/{kind}{number_of(owner)}_{number_of(thing['id'])}")))


def _audio(found: Found, audio: Json, kind: str) -> None:
    found.say(f"♪ {clean(audio.get('artist') or '')} – {clean(audio.get('title') or '')}")


def _unknown(found: Found, attachment: Json, kind: str) -> None:
    found.remarks.append(f"an attachment that cannot be shown here, look into VK: {kind[:40]}")


_READERS: Mapping[str, Callable[[Found, Json, str], None]] = {
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
