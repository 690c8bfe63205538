"""E-mail: IMAP in, SMTP out. See README.md for the decisions and why they were taken."""

from __future__ import annotations

from datetime import datetime

from channels.contract import Door
from channels.email.adapter import EmailChannel, where_of
from channels.email.headers import parameters
from channels.email.parse import INBOX, MEDIA_TYPE, parse
from channels.email.settings import Settings
from channels.touch import Touch

__all__ = ["Settings", "create", "parse_again"]


def create(line: str, settings: Settings, door: Door) -> EmailChannel:
    """One mailbox line, not yet connected to anything."""
    return EmailChannel(line, settings, door)


def parse_again(
    line: str, settings: Settings, raw: bytes, media_type: str, at: datetime, door: Door | None = None
) -> Touch | None:
    """Read kept bytes once more. Without `door` nothing can be proved: no tokens, no addresses but the line's own."""
    kind, details = parameters(media_type.encode("latin-1", "replace"))
    if kind != MEDIA_TYPE:
        return None
    total = int(details["total"]) if details.get("total", "").isdecimal() else None
    return parse(raw, where_of(line, settings, door, details.get("box", INBOX)), at, total).touch
