"""The two instants of a running promise: its due, and when the clock must look at it again. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from functools import lru_cache

from routing import deadline
from routing.calendar import Calendar, Interval
from routing.calendar.interval import FOREVER
from routing.calendar.span import DAY, Hours
from routing.duration import BadDuration, Duration
from routing.facts import ObligationFacts, Pause
from routing.rule import Rule

ON = "on "
"""Before the date of a target that names a day instead of a length."""


@lru_cache(maxsize=1024)
def length_of(target: str) -> Duration | None:
    """The length a stored target means; None for one that names a date, or none at all."""
    if not target or target.startswith(ON):
        return None
    try:
        return Duration.target(target)
    except BadDuration:
        return None


@lru_cache(maxsize=1024)
def words_of(target: Duration) -> str:
    """A length as it is stored."""
    return str(target)


def moves(obligation: ObligationFacts) -> bool:
    """Whether a pause moves its due: targets in clock or working time that nobody pinned."""
    length = length_of(obligation.target)
    return length is not None and length.in_time and not obligation.pinned


def stretches(pauses: Sequence[Pause]) -> tuple[Interval, ...]:
    """Pauses as the calendar counts them."""
    return tuple(Interval(each.start, FOREVER if each.end is None else max(each.end, each.start)) for each in pauses)


def due_of(
    rule: Rule, calendar: Calendar, target: Duration, started: datetime, pauses: Sequence[Pause] = ()
) -> datetime | None:
    """When it is due; None while a pause without end stops it."""
    try:
        return deadline.compute(target, started, calendar, stretches(pauses) if pauses else (), rule.common.roll)
    except deadline.StandsStill:
        return None


def next_look(
    rule: Rule,
    calendar: Calendar,
    target: Duration | None,
    started: datetime,
    due: datetime | None,
    pauses: Sequence[Pause] = (),
    done: Collection[str] = (),
    breached: bool = False,
) -> datetime | None:
    """The first instant at which a step, or the breach, has its time; None when nothing is left to do."""
    if due is None:
        return None
    found = None if breached else due + deadline.TICK
    intervals = stretches(pauses) if pauses else ()
    for step in rule.steps:
        if done and step.key(due) in done:
            continue
        at = step.at(target, started, due, calendar, intervals, rule.common.roll)
        if at is not None and (found is None or at < found):
            found = at
    return found


def loud_again(quiet: Hours, calendar: Calendar, now: datetime) -> datetime:
    """The first instant from now on outside quiet hours (in the calendar's zone)."""
    wall = calendar.wall(now)
    minute = wall.hour * 60 + wall.minute
    for span in quiet:
        for shift in (0, DAY):
            if span.opens <= minute + shift < span.closes:
                left = span.closes - (minute + shift)
                ended = wall.replace(second=0, microsecond=0) + timedelta(minutes=left)
                return loud_again(tuple(each for each in quiet if each != span), calendar, calendar.at_wall(ended))
    return now
