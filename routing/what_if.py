"""`touchline deadline`: what a deadline would be by a set-up file, before anything is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from routing.calendar import BadCalendar, Calendar, Interval, read_settings
from routing.calendar.errors import suggestion
from routing.deadline import Roll
from routing.duration import Duration
from routing.explain import Explanation, explain


class BadQuestion(ValueError):
    """A question that cannot be read; the text says how to put it."""


def answer(
    setup: Mapping[str, Any],
    calendar: str,
    target: str,
    start: datetime,
    pauses: Sequence[Interval] = (),
    roll: Roll = Roll.NONE,
) -> Explanation:
    """The deadline of a target by a calendar of a parsed set-up file.

    Raises BadCalendar, BadDuration or BadQuestion (all ValueError), each with its remedy in the text.
    """
    return explain(Duration.target(target), start, find_calendar(setup, calendar), pauses, roll)


def find_calendar(setup: Mapping[str, Any], key: str) -> Calendar:
    """The calendar a set-up file calls so; its version is 1, as if it had just been imported."""
    tables = setup.get("calendar", {})
    if key not in tables:
        known = sorted(map(str, tables))
        otherwise = f"it has {', '.join(known)}" if known else "add a table [calendar.office]"
        raise BadCalendar(f"calendar.{key}", "the set-up has no such calendar", suggestion(key, known, otherwise))
    return Calendar.build(key, 1, read_settings(key, tables[key]))


def read_instant(text: str) -> datetime:
    """Read "2026-09-18T13:15Z" or one with an offset; an instant without either is nobody's and is refused."""
    try:
        instant = datetime.fromisoformat(text.strip())
    except ValueError:
        raise BadQuestion(f'"{text}" is not an instant; write "2026-09-18T13:15Z"') from None
    if instant.tzinfo is None:
        raise BadQuestion(f'"{text}" has no zone; write "{text.strip()}Z" for UTC or add an offset such as +03:00')
    return instant


def read_pause(text: str) -> Interval:
    """Read "START/END", or "START/" for a pause that nobody has ended."""
    start, slash, end = text.partition("/")
    if not slash:
        raise BadQuestion(f'"{text}" is not a pause; write "2026-09-14T09:00Z/2026-09-15T13:00Z"')
    begins = read_instant(start)
    if not end.strip():
        return Interval(begins)
    ends = read_instant(end)
    if ends < begins:
        raise BadQuestion(f'"{text}" ends before it starts; write the earlier instant first')
    return Interval(begins, ends)
