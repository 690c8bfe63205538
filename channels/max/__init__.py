"""MAX: messages to a bot, by webhook and HTTP. See README.md for the decisions and why they were taken."""

from __future__ import annotations

from datetime import datetime

from channels.contract import Door
from channels.max.adapter import MaxChannel
from channels.max.parse import MEDIA_TYPE, read_again
from channels.max.settings import Settings
from channels.touch import Touch

__all__ = ["BUTTONS", "Settings", "create", "parse_again"]

BUTTONS = True


def create(line: str, settings: Settings, door: Door) -> MaxChannel:
    """One bot, not yet connected to anything."""
    return MaxChannel(line, settings, door)


def parse_again(
    line: str, settings: Settings, raw: bytes, media_type: str, at: datetime, door: Door | None = None
) -> Touch | None:
    """Read a kept update once more."""
    return read_again(raw, line, at) if media_type == MEDIA_TYPE else None
