"""VK: messages to a community, by the Callback API and the API's methods. See README.md for the decisions."""

from __future__ import annotations

from datetime import datetime

from channels.contract import Door
from channels.touch import Touch
from channels.vk.adapter import VkChannel
from channels.vk.parse import MEDIA_TYPE, read_again
from channels.vk.settings import Settings

__all__ = ["BUTTONS", "Settings", "create", "parse_again"]

BUTTONS = True


def create(line: str, settings: Settings, door: Door) -> VkChannel:
    """One community, not yet connected to anything."""
    return VkChannel(line, settings, door)


def parse_again(
    line: str, settings: Settings, raw: bytes, media_type: str, at: datetime, door: Door | None = None
) -> Touch | None:
    """Read a kept event once more."""
    return read_again(raw, line, at) if media_type == MEDIA_TYPE else None
