"""What a deadline would be by a calendar in force, before anything is promised; for the API and the desk alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hub.errors import BadInput
from hub.setup.problem import suggest
from hub.setup.snapshot import SetUp
from routing.calendar import Interval
from routing.deadline import Roll, StandsStill, compute
from routing.duration import BadDuration, Duration
from routing.explain import Explanation, explain
from routing.what_if import BadQuestion, read_pause

LONGEST = timedelta(days=3660)
"""As far as the table of days is shown."""


@dataclass(frozen=True, slots=True)
class Question:
    """`target` and `pauses` as a manager writes them: "4 working hours", "2026-09-14T09:00Z/2026-09-14T12:00Z"."""

    calendar: str
    target: str
    start: datetime
    pauses: Sequence[str] = field(default_factory=tuple)
    roll: Roll = Roll.NONE


def reckon(setup: SetUp, asked: Question) -> Explanation:
    """Raises `BadInput` that names the part which cannot be used, with the way out."""
    if asked.calendar not in setup.calendars:
        remedy = suggest(asked.calendar, setup.calendars)
        raise BadInput("there is no calendar %(name)s", field="calendar", remedy=remedy, name=asked.calendar)
    calendar = setup.book.calendar_for(asked.calendar, None)
    target, pauses = _target(asked.target), [_pause(each) for each in asked.pauses]
    try:
        try:
            due = compute(target, asked.start, calendar, pauses, asked.roll)
        except StandsStill:
            due = None
        if due is not None and due - asked.start > LONGEST:
            raise BadInput("it lies more than ten years ahead", field="target", remedy="ask for less time")
        return explain(target, asked.start, calendar, pauses, asked.roll)
    except BadInput:
        raise
    except (ValueError, OverflowError) as error:
        raise BadInput("this cannot be computed: %(why)s", field="target", why=str(error)) from None


def _target(written: str) -> Duration:
    try:
        return Duration.target(written)
    except BadDuration as error:
        raise BadInput("this cannot be computed: %(why)s", field="target", why=str(error)) from None


def _pause(written: str) -> Interval:
    try:
        return read_pause(written)
    except (BadQuestion, ValueError) as error:
        raise BadInput("this cannot be computed: %(why)s", field="pause", why=str(error)) from None
