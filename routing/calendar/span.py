"""Hours as they are written: "09:00-18:00", up to "24:00", or past midnight as in "22:00-06:00"."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise

from routing.calendar.errors import fault

DAY = 24 * 60
WRITTEN = re.compile(r"(\d{1,2}):([0-5]\d)\s*-\s*(\d{1,2}):([0-5]\d)")


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Minutes after the midnight its day starts with; an end beyond 24:00 lies in the next day."""

    opens: int
    closes: int

    @classmethod
    def parse(cls, text: object) -> Span:
        """Read "HH:MM-HH:MM"."""
        found = WRITTEN.fullmatch(text.strip()) if isinstance(text, str) else None
        if found is None:
            raise fault(f"{text!r} is not a span of hours", 'write it as "09:00-18:00"')
        hours, minutes, last_hours, last_minutes = map(int, found.groups())
        opens, closes = hours * 60 + minutes, last_hours * 60 + last_minutes
        if opens >= DAY or closes > DAY:
            raise fault(f"{text!r} goes beyond the day", 'the last hour is "24:00"; past midnight write "22:00-06:00"')
        if opens == closes:
            raise fault(f"{text!r} starts and ends at one time", 'a whole day is "00:00-24:00"')
        return cls(opens, closes if closes > opens else closes + DAY)

    def on(self, day: date) -> tuple[datetime, datetime]:
        """Opening and closing on the wall clock when it starts on that day."""
        midnight = datetime.combine(day, time.min)
        return midnight + timedelta(minutes=self.opens), midnight + timedelta(minutes=self.closes)

    def __str__(self) -> str:
        closes = self.closes if self.closes <= DAY else self.closes - DAY
        return f"{self.opens // 60:02}:{self.opens % 60:02}-{closes // 60:02}:{closes % 60:02}"


Hours = tuple[Span, ...]
"""The spans of one day in order; empty when it is closed."""


def read_hours(value: object) -> Hours:
    """Read a list of spans; they come back in order and may touch, but not overlap."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise fault(f"{value!r} is not a list of spans", 'write ["09:00-13:00", "14:00-18:00"]')
    hours = tuple(sorted(each if isinstance(each, Span) else Span.parse(each) for each in value))
    for earlier, later in pairwise(hours):
        if later.opens < earlier.closes:
            raise fault(f'"{earlier}" and "{later}" overlap', "let one end before the other starts, or join them")
    return hours


def overlapping(week: Sequence[Hours]) -> tuple[int, Span, Span] | None:
    """The first night span of a week (Monday first) that runs into the next day's hours, with that day's number."""
    for number, hours in enumerate(week):
        after = (number + 1) % 7
        if hours and week[after] and week[after][0].opens < hours[-1].closes - DAY:
            return after, hours[-1], week[after][0]
    return None


def shortened(hours: Hours, by: int) -> Hours:
    """The same hours with so many minutes taken off their end; a last span too short for it goes altogether."""
    left = list(hours)
    while left and by:
        last = left.pop()
        cut = min(by, last.closes - last.opens)
        by -= cut
        if last.closes - cut > last.opens:
            left.append(Span(last.opens, last.closes - cut))
    return tuple(left)
