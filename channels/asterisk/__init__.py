"""Asterisk: calls, operators and queues over AMI. See README.md for the decisions and why they were taken."""

from __future__ import annotations

from datetime import datetime

from channels.asterisk.adapter import AsteriskChannel
from channels.asterisk.settings import Settings
from channels.contract import Door
from channels.touch import Touch

__all__ = ["WRITES", "Settings", "create", "parse_again"]

WRITES = False
"""A telephone line carries no messages: it is offered to nobody who writes."""


def create(line: str, settings: Settings, door: Door) -> AsteriskChannel:
    """One PBX line, not yet connected to anything."""
    return AsteriskChannel(line, settings, door)


def parse_again(
    line: str, settings: Settings, raw: bytes, media_type: str, at: datetime, door: Door | None = None
) -> Touch | None:
    """A call is folded from many events and keeps no bytes of its own: there is nothing to read again."""
    return None
