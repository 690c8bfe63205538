"""Telegram: a bot, by long polling or webhook. See README.md for the decisions and why they were taken."""

from __future__ import annotations

from datetime import datetime

from channels.contract import Door
from channels.telegram.adapter import TelegramChannel
from channels.telegram.parse import MEDIA_TYPE, Ours, read
from channels.telegram.settings import Settings
from channels.touch import Touch

__all__ = ["BUTTONS", "Settings", "create", "parse_again"]

BUTTONS = True


def create(line: str, settings: Settings, door: Door) -> TelegramChannel:
    """One bot, not yet connected to anything."""
    return TelegramChannel(line, settings, door)


def parse_again(
    line: str, settings: Settings, raw: bytes, media_type: str, at: datetime, door: Door | None = None
) -> Touch | None:
    """Read a kept update once more. Its files are not asked for again: they are kept, or out of reach by now."""
    if media_type != MEDIA_TYPE:
        return None
    return read(raw, Ours(line, settings.bot_id), at).touch
