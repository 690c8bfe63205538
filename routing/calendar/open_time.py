"""Open time laid on the line of UTC, so that any question about it is one bisection.

For every open interval the index keeps where it opens and closes and how much open time has passed when it closes.
The open time before an instant, and the instant before which so much open time has passed, are then each one binary
search and one subtraction: a deadline 250 working days away costs no more than one four working hours away.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import accumulate

from routing.calendar.interval import Interval

ZERO = timedelta()


@dataclass(frozen=True, slots=True)
class OpenDay:
    """A local day that opens: its intervals in UTC, in order; a night belongs to the day it starts."""

    date: date
    intervals: tuple[Interval, ...]

    @property
    def opens(self) -> datetime:
        """The first opening of the day."""
        return self.intervals[0].start

    @property
    def closes(self) -> datetime:
        """Its closing time, which may lie in the next day."""
        return self.intervals[-1].end


class OpenTime:
    """The open intervals of a run of years, never changed once made; it answers for instants in [since, until)."""

    __slots__ = ("_closes", "_dates", "_opens", "_passed", "days", "since", "total", "until", "years")

    def __init__(self, years: range, since: datetime, until: datetime, days: Iterable[OpenDay]) -> None:
        self.years, self.since, self.until = years, since, until
        self.days = tuple(_disjoint(days))
        intervals = [interval for day in self.days for interval in day.intervals]
        self._dates = [day.date for day in self.days]
        self._opens = [interval.start for interval in intervals]
        self._closes = [interval.end for interval in intervals]
        self._passed = list(accumulate(interval.length for interval in intervals))
        self.total = self._passed[-1] if self._passed else ZERO

    def passed(self, instant: datetime) -> timedelta:
        """Open time between the start of the index and an instant."""
        last = bisect_right(self._opens, instant) - 1
        if last < 0:
            return ZERO
        closes, passed = self._closes[last], self._passed[last]
        return passed if instant >= closes else passed - (closes - instant)

    def earliest(self, passed: timedelta) -> datetime:
        """The first instant by which so much open time has passed; 0 < passed <= total."""
        at = bisect_left(self._passed, passed)
        return self._closes[at] - (self._passed[at] - passed)

    def latest(self, passed: timedelta) -> datetime:
        """The last instant by which no more open time has passed; 0 <= passed < total."""
        at = bisect_right(self._passed, passed)
        return self._closes[at] - (self._passed[at] - passed)

    def intervals(self, start: datetime, end: datetime) -> Iterator[Interval]:
        """Open intervals inside [start, end), cut to it."""
        for at in range(bisect_right(self._closes, start), bisect_left(self._opens, end)):
            yield Interval(max(start, self._opens[at]), min(end, self._closes[at]))

    def next_interval(self, instant: datetime) -> Interval | None:
        """The interval that is open at an instant or else opens next."""
        at = bisect_right(self._closes, instant)
        return Interval(self._opens[at], self._closes[at]) if at < len(self._opens) else None

    def last_close(self, instant: datetime) -> datetime | None:
        """The last closing at or before an instant."""
        at = bisect_right(self._closes, instant)
        return self._closes[at - 1] if at else None

    def first_closing_after(self, instant: datetime) -> int:
        """Number, among the open days here, of the first one that closes after an instant."""
        return bisect_right(self.days, instant, key=_closing)

    def first_after(self, day: date) -> int:
        """Number, among the open days here, of the first one after a day."""
        return bisect_right(self._dates, day)

    def first_from(self, day: date) -> int:
        """Number, among the open days here, of the first one on a day or after it."""
        return bisect_left(self._dates, day)


def _closing(day: OpenDay) -> datetime:
    return day.closes


def _disjoint(days: Iterable[OpenDay]) -> Iterator[OpenDay]:
    """Cut what a span shares with the one before it, so that no minute counts twice and each keeps its day.

    Own hours may begin before the night shift has left; a clock put forward may push a closing past the next opening.
    """
    closed: datetime | None = None
    for day in days:
        kept: list[Interval] = []
        for interval in day.intervals:
            if closed is None or interval.start >= closed:
                kept.append(interval)
            elif interval.end > closed:
                kept.append(Interval(closed, interval.end))
            closed = interval.end if closed is None else max(closed, interval.end)
        if kept:
            yield OpenDay(day.date, tuple(kept))
