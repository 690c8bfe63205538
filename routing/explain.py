"""Why a deadline is what it is: a table of days, each with its hours, what counted and what was left.

The table is made by walking the days, not by asking how the deadline was found, so that the two check each other:
`left` comes to nought in the last row exactly when the due is right. A target rolled back out of closed time is shown
to the day where it had landed, since that is the day that explains it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from routing.calendar import FOREVER, Calendar, CalendarWarning, Interval, Note, merged, without
from routing.deadline import Roll, StandsStill, compute, pace_of, remaining, shifted
from routing.duration import Duration, Measure

SECOND = timedelta(seconds=1)
ONE_DAY = timedelta(days=1)
COUNTS_IN = {Measure.CLOCK: "seconds", Measure.WORKING: "seconds", Measure.WORKING_DAYS: "open days"}


@dataclass(frozen=True, slots=True)
class DayRow:
    """One local day of the way: `counted` and `left` are seconds, or days for a target in days or months."""

    date: date
    open: tuple[tuple[datetime, datetime], ...]
    """Opening and closing on the wall clock, with offsets."""
    note: Note | None
    counted: float
    left: float

    @property
    def weekday(self) -> str:
        """mon … sun."""
        return ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[self.date.weekday()]

    @property
    def hours(self) -> tuple[str, ...]:
        """The open spans as a set-up file writes them: "09:00-18:00"."""
        return tuple(f"{opens:%H:%M}-{self._closing(closes)}" for opens, closes in self.open)

    def _closing(self, closes: datetime) -> str:
        ends_day = closes.time() == time() and closes.date() == self.date + ONE_DAY
        return "24:00" if ends_day else f"{closes:%H:%M}"

    def as_json(self) -> dict[str, Any]:
        """The row as plain JSON values."""
        return {
            "date": self.date.isoformat(),
            "weekday": self.weekday,
            "open": list(self.hours),
            "note": self.note and {"why": self.note.why.value, "detail": self.note.detail},
            "counted": _number(self.counted),
            "left": _number(self.left),
        }


@dataclass(frozen=True, slots=True)
class PauseRow:
    """One pause, and by how much it moved the due (nothing for a target in days)."""

    start: datetime
    end: datetime | None
    moved: timedelta

    def as_json(self) -> dict[str, Any]:
        """The pause as plain JSON values."""
        end = self.end and utc_text(self.end)
        return {"start": utc_text(self.start), "end": end, "moved_s": _number(self.moved / SECOND)}


@dataclass(frozen=True, slots=True)
class Explanation:
    """A deadline and everything it depends on. `due` is None while a pause without end stops the clock."""

    target: Duration
    start: datetime
    due: datetime | None
    left: timedelta
    """What is left while the clock stands still; nothing when there is a due."""
    calendar: Calendar
    days: tuple[DayRow, ...]
    pauses: tuple[PauseRow, ...]
    roll: Roll
    rolled_from: datetime | None
    """Where the due had landed before it was moved out of closed time."""
    warnings: tuple[CalendarWarning, ...]

    @property
    def counts_in(self) -> str:
        """What the rows count: "seconds", "open days" or "days"."""
        return COUNTS_IN.get(self.target.measure, "days")

    def as_json(self) -> dict[str, Any]:
        """The explanation as plain JSON values; instants with Z are UTC, `_local` ones carry their offset."""
        local, zone = self.calendar.local, self.calendar.zone
        return {
            "target": str(self.target),
            "start": utc_text(self.start),
            "start_local": local(self.start).isoformat(),
            "due": self.due and utc_text(self.due),
            "due_local": self.due and local(self.due).isoformat(),
            "due_zone": self.due and local(self.due).tzname(),
            "left_s": None if self.due else _number(self.left / SECOND),
            "calendar": {"key": self.calendar.key, "version": self.calendar.version},
            "zone": zone.key,
            "tzdata": self.calendar.tzdata,
            "roll": self.roll.value,
            "rolled_from": self.rolled_from and utc_text(self.rolled_from),
            "counts_in": self.counts_in,
            "days": [row.as_json() for row in self.days],
            "pauses": [row.as_json() for row in self.pauses],
            "warnings": [warning.as_json() for warning in self.warnings],
        }


def explain(
    target: Duration,
    start: datetime,
    calendar: Calendar,
    pauses: Sequence[Interval] = (),
    roll: Roll = Roll.NONE,
) -> Explanation:
    """The due of a promise, day by day."""
    start = start.astimezone(UTC)
    stops = tuple(each for each in merged(pauses) if each.end > start)
    try:
        due: datetime | None = compute(target, start, calendar, stops, roll)
        until, left = due or start, timedelta()
    except StandsStill:
        due, until = None, next(each.start for each in stops if not each.ended)
        until = max(until, start)
        left = remaining(target, start, until, calendar, stops)
    landed = _landed(target, start, calendar)
    by_hours = target.measure in (Measure.WORKING, Measure.WORKING_DAYS) or roll is not Roll.NONE
    return Explanation(
        target=target,
        start=start,
        due=due,
        left=left,
        calendar=calendar,
        days=tuple(_rows(target, start, max(until, landed or until), calendar, stops)),
        pauses=tuple(_pause_rows(target, start, until, calendar, stops)),
        roll=roll,
        rolled_from=landed if due is not None and landed not in (None, due) else None,
        warnings=calendar.warnings(calendar.date_of(start), calendar.date_of(until)) if by_hours else (),
    )


def utc_text(instant: datetime) -> str:
    """An instant as 2026-09-21T08:15:00Z."""
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def _landed(target: Duration, start: datetime, calendar: Calendar) -> datetime | None:
    by_date = target.measure in (Measure.DAYS, Measure.MONTHS)
    return shifted(start, target, calendar) if by_date else None


def _rows(
    target: Duration, start: datetime, until: datetime, calendar: Calendar, stops: Sequence[Interval]
) -> Iterator[DayRow]:
    if not target.in_time:
        return _rows_in_days(target, start, until, calendar)
    return _rows_in_time(target, start, until, calendar, stops)


def _rows_in_time(
    target: Duration, start: datetime, until: datetime, calendar: Calendar, stops: Sequence[Interval]
) -> Iterator[DayRow]:
    """Every day from the one whose hours the start falls into to the one that uses up the target."""
    hours = _open_hours if target.measure is Measure.WORKING else _all_hours
    left = target.span
    for day in _days(calendar, start, until, hours):
        spans, note = hours(calendar, day)
        parts = (span.within(start, until) for span in spans)
        running = (piece for part in parts if part for piece in without(part, stops))
        counted = sum((piece.length for piece in running), timedelta())
        left -= counted
        yield DayRow(day, _on_the_wall(spans, calendar), note, counted / SECOND, left / SECOND)
        if not left:
            return


def _rows_in_days(target: Duration, start: datetime, until: datetime, calendar: Calendar) -> Iterator[DayRow]:
    """The day of the event, which does not count, and every day after it to the last."""
    first, last = calendar.date_of(start), calendar.date_of(until)
    only_open = target.measure is Measure.WORKING_DAYS
    left = target.amount if only_open else (calendar.date_of(shifted(start, target, calendar)) - first).days
    for number in range((last - first).days + 1):
        day = first + number * ONE_DAY
        spans, note = _open_hours(calendar, day)
        counted = 1 if number and left > 0 and (spans or not only_open) else 0
        left -= counted
        yield DayRow(day, _on_the_wall(spans, calendar), note, counted, left)
        if only_open and not left:
            return  # the last open day's night may end tomorrow


Hours = Callable[[Calendar, date], tuple[tuple[Interval, ...], Note | None]]


def _open_hours(calendar: Calendar, day: date) -> tuple[tuple[Interval, ...], Note | None]:
    plan, intervals = calendar.day(day)
    return intervals, plan.note


def _all_hours(calendar: Calendar, day: date) -> tuple[tuple[Interval, ...], Note | None]:
    """A whole local day, 23 or 25 hours long when the clock changes: clock time never closes."""
    midnight = datetime.combine(day, time())
    bounds = calendar.at_wall(midnight), calendar.at_wall(midnight + ONE_DAY)
    return ((Interval(*bounds),) if bounds[0] < bounds[1] else ()), None


def _days(calendar: Calendar, start: datetime, until: datetime, hours: Hours) -> Iterator[date]:
    first, last = calendar.date_of(start), calendar.date_of(until)
    night, _ = hours(calendar, first - ONE_DAY)
    if night and night[-1].end > start:
        yield first - ONE_DAY
    for number in range((last - first).days + 1):
        yield first + number * ONE_DAY


def _pause_rows(
    target: Duration, start: datetime, until: datetime, calendar: Calendar, stops: Sequence[Interval]
) -> Iterator[PauseRow]:
    for stop in stops:
        part = stop.within(start, until) if stop.ended and target.in_time else None
        moved = pace_of(target, calendar).open_between(part.start, part.end) if part else timedelta()
        yield PauseRow(stop.start, None if stop.end == FOREVER else stop.end, moved)


def _on_the_wall(spans: Sequence[Interval], calendar: Calendar) -> tuple[tuple[datetime, datetime], ...]:
    return tuple((calendar.local(span.start), calendar.local(span.end)) for span in spans)


def _number(value: float) -> int | float:
    return int(value) if value == int(value) else value
