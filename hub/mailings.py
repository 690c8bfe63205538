"""The way out of mailings, which every one of them carries: a link in mail (RFC 2369, with one click RFC 8058), a
button in messengers that have any. By SMS, and everywhere, a bare STOP does."""

from __future__ import annotations

from sqlalchemy import Connection

from hub.access.keys import agrees, sign
from hub.canned import Occasion, language_for
from hub.setup.lines import trait_of
from hub.setup.snapshot import SetUp

_PURPOSE = "unsubscribe"
_STOP = "stop:marketing"
_LABELS = {
    "ru": "Без рассылок",
    "uk": "Без розсилок",
    "pl": "Bez mailingów",
    "en": "No more mailings",
}
"""At most 20 characters: WhatsApp shows longer ones otherwise."""


def buttons_for(connection: Connection, setup: SetUp, line: str, occasion: Occasion) -> list[dict[str, str]]:
    """The button that stops mailings, as deliveries keep it; none where the line's channel has no buttons."""
    if not trait_of(setup.lines[line].channel, "BUTTONS", False):
        return []
    return [{"text": _LABELS[language_for(connection, setup, occasion)], "value": _STOP}]


def unsubscribe_path(key: bytes, reference: str) -> str:
    """Where whoever got the mailing with this reference stops them. The signature is the proof that he got it."""
    return f"/unsubscribe/{reference}/{sign(key, _PURPOSE, reference)}"


def is_proved(key: bytes, reference: str, signature: str) -> bool:
    """Is it an address that we have given out?"""
    return agrees(key, _PURPOSE, reference, signature)
