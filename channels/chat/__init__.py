"""Website chat: a widget on other people's pages, live in both directions. See README.md for the decisions."""

from __future__ import annotations

from datetime import datetime

from channels.chat.adapter import ChatChannel
from channels.chat.parse import MEDIA_TYPE, read
from channels.chat.settings import Settings
from channels.contract import Door
from channels.touch import Touch

__all__ = ["SCRIPT", "Settings", "create", "parse_again"]

SCRIPT = True


def create(line: str, settings: Settings, door: Door) -> ChatChannel:
    """One widget; nothing is connected."""
    return ChatChannel(line, settings, door)


def parse_again(
    line: str, settings: Settings, raw: bytes, media_type: str, at: datetime, door: Door | None = None
) -> Touch | None:
    """Read a kept message once more; its files are kept beside it."""
    if media_type != MEDIA_TYPE:
        return None
    return read(raw, line, door.default_region() if door is not None else "RU")
