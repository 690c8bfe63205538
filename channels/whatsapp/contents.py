"""What one message of WhatsApp has in it: words, files still to be fetched, places, contacts, choices. Pure.

Source: developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from channels import contents
from channels.buttons import read_button
from channels.contents import international
from channels.optout import read_word
from channels.untrusted import Json, clean, load


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file that a message refers to."""

    media_id: str
    name: str
    media_type: str


@dataclass(slots=True)
class Contents(contents.Contents[Wanted]):
    """What was found so far. `answers`: the message that it is about. `automatic`: WhatsApp itself tells it.

    `edits`: this is the new wording of that message.
    """

    automatic: bool = False
    answers: str | None = None
    edits: str | None = None


_STOP_PROMOTIONS, _MARKETING = "stop promotions", "stop:marketing"


def read_contents(message: Json) -> Contents:
    """Everything of a message that can be shown. Raises what malformed ones raise."""
    found = Contents()
    kind = clean(message["type"])
    reader = _READERS.get(kind, _unknown)
    reader(found, message, kind)
    for error in message.get("errors") or ():
        found.remarks.append(f"WhatsApp says: {explain(error)}")
    return found


def explain(error: Json) -> str:
    """An error object in words: its number, its title and whatever details it has."""
    details = (error.get("error_data") or {}).get("details")
    words = [clean(one) for one in (error.get("title") or error.get("message"), details) if one]
    return f"{error.get('code')} {': '.join(dict.fromkeys(words))}".strip()[:500]


def _text(found: Contents, message: Json, kind: str) -> None:
    found.text = clean(message["text"]["body"])
    found.fields |= read_word(found.text)


def _media(found: Contents, message: Json, kind: str) -> None:
    file = message[kind]
    if file.get("caption"):
        found.say(clean(file["caption"]))
    media_type = clean(file.get("mime_type") or "application/octet-stream").partition(";")[0].strip()
    name = clean(file.get("filename") or "") or f"{_name(kind, file)}-{str(file['id'])[-8:]}{_ending(media_type)}"
    found.files.append(Wanted(clean(str(file["id"])), name, media_type))


def _name(kind: str, file: Json) -> str:
    return "voice" if kind == "audio" and file.get("voice") else kind


def _ending(media_type: str) -> str:
    return _ENDINGS.get(media_type, ".bin")


_ENDINGS = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
    "video/mp4": ".mp4",
    "video/3gpp": ".3gp",
    "audio/ogg": ".ogg",
    "audio/mpeg": ".mp3",
    "audio/mp4": ".m4a",
    "audio/aac": ".aac",
    "audio/amr": ".amr",
    "application/pdf": ".pdf",
    "text/plain": ".txt",
}


def _location(found: Contents, message: Json, kind: str) -> None:
    place = message["location"]
    called = ", ".join(clean(place[key]) for key in ("name", "address") if place.get(key))
    if called:
        found.say(called)
    found.locate(place["latitude"], place["longitude"])


def _contacts(found: Contents, message: Json, kind: str) -> None:
    """Cards. Whose they are nobody vouches for, so they join nobody, unless we asked him for his own (contact_request).

    Source: …/whatsapp/business-scoped-user-ids ("Request contact information button").
    """
    if message.get("origin") == "contact_request":
        for number in (one for card in message["contacts"] for one in card.get("phones") or () if one.get("phone")):
            found.introduce("", international(clean(number["phone"])), own=True)
        return
    cards = []
    for card in message["contacts"]:
        name = clean((card.get("name") or {}).get("formatted_name") or "")
        numbers = [clean(one["phone"]) for one in card.get("phones") or () if one.get("phone")]
        addresses = [clean(one["email"]) for one in card.get("emails") or () if one.get("email")]
        cards.append(" ".join(filter(None, (name, *numbers, *addresses))))
    for card in cards:
        found.say(f"☎ {card}")
    found.fields["contact"] = "; ".join(cards)


def _button(found: Contents, message: Json, kind: str) -> None:
    """A quick reply under a template. That which Meta puts under marketing ones has no value of ours."""
    value, label = clean(message["button"].get("payload") or ""), clean(message["button"].get("text") or "")
    _choose(found, _MARKETING if value.casefold() == _STOP_PROMOTIONS else value, label)


def _interactive(found: Contents, message: Json, kind: str) -> None:
    answer = message["interactive"]
    which = clean(answer["type"])
    chosen = answer.get(which)
    if which == "nfm_reply":
        _form(found, answer[which])
        return
    if which not in ("button_reply", "list_reply"):
        _other_interactive(found, which, chosen or {})
        return
    _choose(found, clean(chosen["id"]), clean(chosen["title"]))
    if chosen.get("description"):
        found.say(clean(chosen["description"]))


def _other_interactive(found: Contents, which: str, chosen: Json) -> None:
    """An answer to "may we call you?", an article out of the catalogue, and whatever else there will be."""
    if which == "call_permission_reply":
        allowed = clean(str(chosen.get("response") or ""))
        found.note = True
        found.remarks.append(f"may we call him by WhatsApp: {allowed[:40]}")
        return
    if which == "product" and chosen.get("product_retailer_id"):
        found.say(f"🛒 {clean(str(chosen['product_retailer_id']))}")
        return
    found.remarks.append(f"a choice of a kind that is not read: {which[:60]}")


def _choose(found: Contents, value: str, label: str) -> None:
    """What our own questions ask for is noted; any other choice is what the client says, and is answered."""
    found.text = label or value
    found.fields |= read_button(value)
    found.note = "button" not in found.fields


def _form(found: Contents, chosen: Json) -> None:
    """A Flow that was filled in: its answers are fields."""
    found.text = clean(chosen.get("body") or chosen.get("name") or "")
    answers = load(clean(chosen["response_json"]).encode())
    told = {key: value for key, value in answers.items() if isinstance(value, str | int | float | bool)}
    for key, value in told.items():
        if key != "flow_token":
            found.fields[clean(key)[:100]] = clean(value) if isinstance(value, str) else value
            found.say(f"{key}: {value}")


def _reaction(found: Contents, message: Json, kind: str) -> None:
    """Without an emoji it is taken back."""
    found.note = True
    found.answers = clean(message["reaction"]["message_id"])
    emoji = message["reaction"].get("emoji")
    found.text = clean(emoji) if emoji else ""
    found.remarks.append("reacted to a message" if emoji else "took a reaction back")


def _order(found: Contents, message: Json, kind: str) -> None:
    order = message["order"]
    if order.get("text"):
        found.say(clean(order["text"]))
    for item in order["product_items"]:
        cost = f"{item.get('item_price')} {clean(item.get('currency') or '')}".strip()
        found.say(f"🛒 {clean(str(item['product_retailer_id']))} × {item.get('quantity')}, {cost}")
    found.fields["order"] = clean(str(order.get("catalog_id") or ""))


def _edit(found: Contents, message: Json, kind: str) -> None:
    """The words of an earlier message are others now; its file is the same, and here already.

    Source: …/webhooks/reference/messages/edit
    """
    inner = message["edit"]["message"]
    reread = read_contents(inner)
    found.text, found.fields, found.remarks = reread.text, reread.fields, reread.remarks
    found.edits = clean(message["edit"]["original_message_id"])


def _revoke(found: Contents, message: Json, kind: str) -> None:
    """An earlier message was taken back; what it said stays in the log. Source: …/webhooks/reference/messages/revoke"""
    found.note = found.automatic = True
    found.answers = clean(message["revoke"]["original_message_id"])
    found.remarks.append("deleted in WhatsApp")


def _welcome(found: Contents, message: Json, kind: str) -> None:
    """Somebody has opened the chat for the first time, and said nothing yet."""
    found.note = found.automatic = True
    found.remarks.append("has opened the chat")


def _system(found: Contents, message: Json, kind: str) -> None:
    """WhatsApp itself tells: the number has changed, the identity is another."""
    found.note = found.automatic = True
    found.text = clean(message["system"].get("body") or "")
    found.remarks.append(f"told by WhatsApp: {clean(message['system'].get('type') or 'system')}")


def _unsupported(found: Contents, message: Json, kind: str) -> None:
    what = (message.get("unsupported") or {}).get("type")
    shown = f" ({clean(what)})" if isinstance(what, str) else ""
    found.remarks.append(f"this message cannot be shown here{shown}: WhatsApp does not hand it out, look at the phone")


def _unknown(found: Contents, message: Json, kind: str) -> None:
    found.remarks.append(f"a message of a kind that is not read: {kind[:100]}")


_READERS: Mapping[str, Callable[[Contents, Json, str], None]] = {
    "text": _text,
    "image": _media,
    "video": _media,
    "audio": _media,
    "voice": _media,
    "document": _media,
    "sticker": _media,
    "location": _location,
    "contacts": _contacts,
    "button": _button,
    "interactive": _interactive,
    "reaction": _reaction,
    "order": _order,
    "system": _system,
    "edit": _edit,
    "revoke": _revoke,
    "request_welcome": _welcome,
    "unsupported": _unsupported,
}
