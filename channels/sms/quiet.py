"""Quiet hours where the recipient lives. Pure.

A fixed number tells its zone. A mobile number of a wide country tells many (a Russian one sixteen): then the line's own
zone counts if it is among them; without one, it must be loud in all of them, for somebody may sleep in any.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import phonenumbers
from phonenumbers import NumberParseException, timezone

_SPAN = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)", re.ASCII)
_UNKNOWN = "Etc/Unknown"


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From `begin` until `end` on the recipient's wall clock; may pass midnight."""

    begin: time
    end: time

    def hold(self, at: datetime, zone: ZoneInfo) -> bool:
        """Is it quiet there at this instant?"""
        wall = at.astimezone(zone).time()
        if self.begin <= self.end:
            return self.begin <= wall < self.end
        return wall >= self.begin or wall < self.end


def read_hours(text: str) -> QuietHours:
    """`21:00-08:00`. Raises `ValueError`."""
    found = _SPAN.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not a span of hours like 21:00-08:00")
    begin, end = time(int(found[1]), int(found[2])), time(int(found[3]), int(found[4]))
    if begin == end:
        raise ValueError("quiet hours that end when they begin would be quiet for ever, or never")
    return QuietHours(begin, end)


@lru_cache(maxsize=4096)
def zones_of(number: str) -> tuple[str, ...]:
    """The zones where a number may be; none for short codes and what is no number."""
    try:
        found = timezone.time_zones_for_number(phonenumbers.parse(number))
    except NumberParseException:
        return ()
    return tuple(zone for zone in found if zone != _UNKNOWN)


def choose_zones(number: str, own: str | None) -> tuple[ZoneInfo, ...]:
    """The zones whose clocks count for a number; `own` is the line's zone."""
    found = zones_of(number)
    if len(found) == 1:
        return (ZoneInfo(found[0]),)
    if own is not None:
        return (ZoneInfo(own),)
    return tuple(ZoneInfo(zone) for zone in found) or (ZoneInfo("UTC"),)


def loud_again(hours: QuietHours, number: str, own: str | None, now: datetime) -> datetime | None:
    """When a message may go out; None = now. Where no hour is loud everywhere, the first zone's clock counts."""
    zones = choose_zones(number, own)
    if not _held(hours, zones, now):
        return None
    return _first_loud(hours, zones, now) or _first_loud(hours, zones[:1], now)


def _first_loud(hours: QuietHours, zones: Sequence[ZoneInfo], now: datetime) -> datetime | None:
    """Hours end on minutes and zones differ by quarters of an hour, so the ends themselves are tried."""
    for day in range(3):
        ends = sorted(_end(hours, zone, now, day) for zone in zones)
        for end in ends:
            if end > now and not _held(hours, zones, end):
                return end
    return None


def _end(hours: QuietHours, zone: ZoneInfo, now: datetime, day: int) -> datetime:
    wall = now.astimezone(zone)
    ended = datetime.combine(wall.date() + timedelta(days=day), hours.end, zone)
    return ended.astimezone(now.tzinfo)


def _held(hours: QuietHours, zones: Sequence[ZoneInfo], at: datetime) -> bool:
    return any(hours.hold(at, zone) for zone in zones)
