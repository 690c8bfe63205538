"""Who wrote, and where: identities and the surroundings of an update. Pure.

Source: core.telegram.org/bots/api#user, #chat, #messageorigin
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from channels.touch import Identity
from channels.untrusted import clean, number_of

SCHEME = "telegram"

Json = Mapping[str, Any]


def identity_of(sender: Json) -> Identity:
    """`from` has first and last name, `sender_chat` a title."""
    names = (sender.get("first_name"), sender.get("last_name")) if "first_name" in sender else (sender.get("title"),)
    name = " ".join(clean(part) for part in names if part).strip()
    return Identity(SCHEME, str(number_of(sender["id"])), name or None)


def sender_of(update: Any) -> Identity | None:
    """Whoever an update that cannot be read is from, if that much can be."""
    for inner in update.values() if isinstance(update, dict) else ():
        try:
            return identity_of(inner["from"])
        except (KeyError, TypeError, ValueError, AttributeError):
            continue
    return None


def origin_of(message: Json, chat: Json, sender: Json) -> dict[str, Any]:
    """Where a message was written, under which name, whose words it forwards."""
    origin: dict[str, Any] = {"chat": chat.get("id")}
    for key, value in (
        ("chat_type", chat.get("type")),
        ("username", sender.get("username")),
        ("chat_title", chat.get("title")),
    ):
        origin[key] = clean(value) if value else None
    forwarded = message.get("forward_origin")
    if forwarded:
        whose = forwarded.get("sender_user") or forwarded.get("sender_chat") or forwarded.get("chat") or {}
        hidden = forwarded.get("sender_user_name")
        origin["forwarded_from"] = clean(hidden) if hidden else (identity_of(whose).name if whose else "?")
    if message.get("media_group_id"):
        origin["album"] = clean(message["media_group_id"])
    return {key: value for key, value in origin.items() if value is not None}


def language_of(sender: Json) -> str | None:
    """Two letters of his Telegram's language."""
    code = sender.get("language_code")
    return clean(code)[:2].lower() or None if code else None
