"""Viber: a bot, by webhook. See README.md for the decisions and why they were taken."""

from __future__ import annotations

from datetime import datetime

from channels.contract import Door
from channels.touch import Touch
from channels.viber.adapter import ViberChannel
from channels.viber.parse import MEDIA_TYPE, read_again
from channels.viber.settings import Settings

__all__ = ["BUTTONS", "Settings", "create", "parse_again"]

BUTTONS = True


def create(line: str, settings: Settings, door: Door) -> ViberChannel:
    """One bot, not yet connected to anything."""
    return ViberChannel(line, settings, door)


def parse_again(
    line: str, settings: Settings, raw: bytes, media_type: str, at: datetime, door: Door | None = None
) -> Touch | None:
    """Read a kept event once more. Its files are not asked for again: they are kept, or out of reach by now."""
    return read_again(raw, line, at) if media_type == MEDIA_TYPE else None
