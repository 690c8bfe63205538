"""Days that come again: months counted from an anchor, and anniversaries of a leap day."""

from __future__ import annotations

from calendar import isleap, monthrange
from collections.abc import Iterator
from datetime import MAXYEAR, MINYEAR, date
from itertools import count
from typing import Literal, TypeVar

Leap = Literal["feb28", "mar1"]
"""The day a birthday of 29 February is kept in a common year."""

Day = TypeVar("Day", bound=date)


def add_months(anchor: Day, months: int) -> Day:
    """The same day so many months on, at the last day of a shorter month; a datetime keeps its time of day."""
    year, month = divmod(anchor.year * 12 + anchor.month - 1 + months, 12)
    if not MINYEAR <= year <= MAXYEAR:
        raise OverflowError(f"there is no year {year}")
    return anchor.replace(year=year, month=month + 1, day=min(anchor.day, monthrange(year, month + 1)[1]))


def every_months(anchor: Day, months: int) -> Iterator[Day]:
    """The anchor's returns every so many months, each counted from the anchor: 31 Jan, 28 Feb, 31 Mar; never 28 Mar."""
    if months < 1:
        raise ValueError("a recurrence needs at least one month between its days")
    return (add_months(anchor, months * turn) for turn in count(1))


def anniversary(day: date, year: int, leap: Leap = "feb28") -> date:
    """The day a date is kept in a year; 29 February in a common year on 28 February or, if wished, 1 March."""
    if (day.month, day.day) != (2, 29) or isleap(year):
        return day.replace(year=year)
    return date(year, 2, 28) if leap == "feb28" else date(year, 3, 1)
