"""WhatsApp: a number at Meta's Cloud API, by webhook. See README.md for the decisions and why they were taken."""

from __future__ import annotations

from datetime import datetime, timedelta

from channels.contract import Door
from channels.touch import Touch
from channels.whatsapp.adapter import WhatsAppChannel
from channels.whatsapp.parse import MEDIA_TYPE, read_again
from channels.whatsapp.settings import Settings

__all__ = ["BUTTONS", "FREE_TEXT", "SCHEMES", "Settings", "create", "parse_again"]

BUTTONS = True

SCHEMES = ("whatsapp", "phone")

FREE_TEXT = timedelta(hours=24)
"""The customer service window (developers.facebook.com, WhatsApp, "Sending messages"): after it only templates."""


def create(line: str, settings: Settings, door: Door) -> WhatsAppChannel:
    """One number, not yet connected to anything."""
    return WhatsAppChannel(line, settings, door)


def parse_again(
    line: str, settings: Settings, raw: bytes, media_type: str, at: datetime, door: Door | None = None
) -> Touch | None:
    """Read a kept message once more. Its files are not asked for again: they are kept, or out of reach by now."""
    return read_again(raw, line, at) if media_type == MEDIA_TYPE else None
