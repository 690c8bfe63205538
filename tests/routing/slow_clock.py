"""Deadlines the slow and obvious way: every minute is looked at, and nothing of the real thing is used.

The real calendar knows no minutes, lays intervals out on UTC and bisects; this one asks of each single minute whether
it is open and whether it is paused. What both say must be the same.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
Week = list[list[tuple[int, int]]]
Pauses = list[tuple[datetime, datetime]]


def instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """The first instant at which the wall clock shows this; if it never does, as if the clock had not been changed."""
    naive = wall.replace(tzinfo=UTC)
    offsets = [(naive + shift).astimezone(zone).utcoffset() for shift in (-DAY, DAY)]
    possible = [naive - offset for offset in offsets if offset is not None]
    shown = [each for each in possible if each.astimezone(zone).replace(tzinfo=None) == wall]
    return min(shown) if shown else possible[0]


def open_minutes(
    week: Week, own: dict[date, list[tuple[int, int]]], zone: ZoneInfo, first: date, days: int
) -> set[datetime]:
    """Every open minute of a run of days (a night belongs to the day it starts)."""
    minutes: set[datetime] = set()
    for number in range(days):
        day = first + number * DAY
        midnight = datetime.combine(day, time())
        for opens, closes in own.get(day, week[day.weekday()]):
            minute = instant(midnight + opens * MINUTE, zone)
            end = instant(midnight + closes * MINUTE, zone)
            while minute < end:
                minutes.add(minute)
                minute += MINUTE
    return minutes


def paused(minute: datetime, pauses: Pauses) -> bool:
    return any(start <= minute < end for start, end in pauses)


def walk(
    minutes: set[datetime] | None, start: datetime, target: int, pauses: Pauses, last: datetime
) -> datetime | None:
    """Count open, unpaused minutes (None: all are open) until the target is reached; None if it is not by then."""
    minute = start
    while minute < last:
        counts = (minutes is None or minute in minutes) and not paused(minute, pauses)
        minute += MINUTE
        target -= counts
        if target == 0:
            return minute
    return None


def count(minutes: set[datetime], start: datetime, end: datetime, pauses: Pauses) -> int:
    """Open, unpaused minutes in [start, end)."""
    return sum(start <= minute < end and not paused(minute, pauses) for minute in minutes)
