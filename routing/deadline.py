"""Deadlines. With A(t) the running, unpaused time in [start, t):  due = min { t : A(t) >= target }.

Targets in clock or working time run on a pace: every hour counts, or only open ones; pauses stop it, so only the part
of a pause that would have counted moves the due. Targets in days or months name a day instead, and pauses do not move
them. Everything here is a pure function of its arguments; what comes back is UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from math import ceil
from typing import Protocol

from routing.calendar import Calendar, Interval, OpenDay, add_months, merged
from routing.duration import BadDuration, Duration, Measure, StepTime

ZERO = timedelta()
TICK = timedelta.resolution


class Roll(StrEnum):
    """Where a day or month target goes that lands in closed time."""

    NONE = "none"
    BACK = "back"
    """To the last closing before it: right for "at least every"."""
    FORWARD = "forward"
    """To the closing time of the first open day after it."""


class StandsStill(ValueError):
    """A pause that nobody has ended stops the clock before its due: there is none yet, only what remains."""


class Pace(Protocol):
    """How time counts towards a target."""

    def open_between(self, start: datetime, end: datetime) -> timedelta:
        """Time that counts in [start, end)."""

    def open_after(self, instant: datetime, amount: timedelta) -> datetime:
        """The first instant by which so much has counted."""

    def open_before(self, instant: datetime, amount: timedelta) -> datetime:
        """The last instant from which so much is left to count."""


class RoundTheClock:
    """The pace of clock time: every hour counts."""

    def open_between(self, start: datetime, end: datetime) -> timedelta:
        """Time in [start, end); nothing when it ends before it starts."""
        return max(end - start, ZERO)

    def open_after(self, instant: datetime, amount: timedelta) -> datetime:
        """The instant so much later."""
        return instant.astimezone(UTC) + amount

    def open_before(self, instant: datetime, amount: timedelta) -> datetime:
        """The instant so much earlier."""
        return instant.astimezone(UTC) - amount


CLOCK = RoundTheClock()


def compute(
    target: Duration,
    start: datetime,
    calendar: Calendar,
    pauses: Sequence[Interval] = (),
    roll: Roll = Roll.NONE,
) -> datetime:
    """The due of a promise. StandsStill when a pause without end comes before it."""
    if target.amount <= 0:
        raise BadDuration(f'"{target}": a target must be longer than nothing')
    start = start.astimezone(UTC)
    try:
        if target.in_time:
            return _run(pace_of(target, calendar), target.span, start, pauses)
        if target.measure is Measure.WORKING_DAYS:
            return calendar.open_day_after(calendar.date_of(start), target.amount).closes
        return rolled(shifted(start, target, calendar), calendar, roll)
    except OverflowError:
        raise BadDuration(f'"{target}" from {start:%Y-%m-%d} lies beyond the end of all calendars') from None


def remaining(
    target: Duration, start: datetime, now: datetime, calendar: Calendar, pauses: Sequence[Interval] = ()
) -> timedelta:
    """What is left of a target at an instant, in its own time, wall time for days; negative once it is overdue."""
    if not target.in_time:
        return compute(target, start, calendar) - now
    pace = pace_of(target, calendar)
    stopped = (pause.within(start, now) for pause in merged(pauses))
    paused = sum((pace.open_between(each.start, each.end) for each in stopped if each), ZERO)
    return target.span - pace.open_between(start, now) + paused


def at_share(
    target: Duration,
    start: datetime,
    calendar: Calendar,
    pauses: Sequence[Interval] = (),
    share: Fraction | float = 1,
    roll: Roll = Roll.NONE,
) -> datetime:
    """When a share of a target is spent, in the target's own time, and never after its rolled due.

    Half of four working hours are two working hours; half of 14 days is the same wall time seven days on; half of five
    working days is the middle of the third open day's hours.
    """
    part = Fraction(share)
    start = start.astimezone(UTC)
    if target.in_time:
        return _run(pace_of(target, calendar), _part(target.span, part), start, pauses)
    if target.measure is Measure.WORKING_DAYS:
        days = part * target.amount
        last = calendar.open_day_after(calendar.date_of(start), ceil(days))
        return _into(last, 1 - (ceil(days) - days))
    wall = calendar.wall(start)
    spent = _part(_shifted_wall(wall, target) - wall, part)
    return min(calendar.at_wall(wall + spent), compute(target, start, calendar, roll=roll))


def offset(due: datetime, by: Duration, calendar: Calendar) -> datetime:
    """So long after a due, or before it when negative.

    "+1 working days" is the closing time of the next open day; backwards it mirrors that: "-3 working days" is the
    opening of the third open day before, so that the whole of those days is still there to act in.
    """
    length = abs(by)
    if by.in_time:
        pace = pace_of(by, calendar)
        return pace.open_after(due, length.span) if by.amount >= 0 else pace.open_before(due, length.span)
    if by.measure is not Measure.WORKING_DAYS:
        return shifted(due, by, calendar)
    if by.amount >= 0:
        return calendar.open_day_after(calendar.date_of(due), length.amount).closes
    return calendar.open_day_before(calendar.date_of(due), length.amount).opens


def step_at(
    step: StepTime,
    target: Duration,
    start: datetime,
    due: datetime,
    calendar: Calendar,
    pauses: Sequence[Interval] = (),
    roll: Roll = Roll.NONE,
) -> datetime:
    """When a step of a promise is taken."""
    if step.share is not None:
        return at_share(target, start, calendar, pauses, step.share, roll)
    return due if step.offset is None else offset(due, step.offset, calendar)


def rolled(instant: datetime, calendar: Calendar, roll: Roll) -> datetime:
    """An instant moved out of closed time; a closing time itself is not closed yet, an answer then is in time."""
    just_open = calendar.is_open(instant) or calendar.open_between(instant - TICK, instant)
    if roll is Roll.NONE or just_open:
        return instant
    if roll is Roll.BACK:
        return calendar.last_closing(instant)
    return calendar.open_day_closing_after(instant).closes


def shifted(instant: datetime, by: Duration, calendar: Calendar) -> datetime:
    """The same wall time so many days or months away; in a gap shifted forward by the gap, of two the first."""
    return calendar.at_wall(_shifted_wall(calendar.wall(instant), by))


def pace_of(target: Duration, calendar: Calendar) -> Pace:
    """The pace a target in time runs at."""
    return calendar if target.measure is Measure.WORKING else CLOCK


def _run(pace: Pace, length: timedelta, start: datetime, pauses: Sequence[Interval]) -> datetime:
    due = pace.open_after(start, length)
    for pause in merged(pauses) if pauses else ():
        if pause.start >= due:
            break
        if not pause.ended:
            raise StandsStill(f"paused since {pause.start:%Y-%m-%dT%H:%MZ} without an end: there is no due yet")
        length += pace.open_between(max(start, pause.start), pause.end)
        due = pace.open_after(start, length)
    return due


def _shifted_wall(wall: datetime, by: Duration) -> datetime:
    return add_months(wall, by.amount) if by.measure is Measure.MONTHS else wall + timedelta(days=by.amount)


def _part(length: timedelta, share: Fraction) -> timedelta:
    return timedelta(microseconds=round(length // TICK * share))


def _into(day: OpenDay, share: Fraction) -> datetime:
    """The instant at which a share of a day's open time is over."""
    left = _part(sum((interval.length for interval in day.intervals), ZERO), share)
    for interval in day.intervals:
        if left <= interval.length:
            return interval.start + left
        left -= interval.length
    return day.closes
