"""Fifty deadlines worked out on paper, and those in working time once more by a walk over the minutes.

What the walk knows of Russian and Polish days off is typed in here from the decrees, not asked of any table.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from routing.calendar import Interval, load_zone
from routing.deadline import Roll, compute
from routing.duration import Duration, Measure
from tests.routing import slow_clock
from tests.routing.samples import at, golden
from tests.routing.slow_clock import MINUTE

Spans = list[tuple[int, int]]
CLOSED: Spans = []


def hours(*spans: tuple[int, int]) -> Spans:
    return [(opens * 60, closes * 60) for opens, closes in spans]


OFFICE = hours((9, 18))
WEEKS: dict[str, list[Spans]] = {
    "RU": [OFFICE] * 5 + [CLOSED] * 2,
    "RU-OFF": [OFFICE] * 5 + [CLOSED] * 2,
    "UA": [OFFICE] * 5 + [CLOSED] * 2,
    "RU-LUNCH": [hours((9, 13), (14, 18))] * 5 + [CLOSED] * 2,
    "PL": [hours((8, 16))] * 5 + [CLOSED] * 2,
    "UA-NIGHT": [hours((22, 30))] * 7,
    "RU-2X2": [hours((20, 32))] * 7,
    "wall-warsaw": [hours((0, 24))] * 7,
}
RUSSIA: dict[str, Spans] = {
    "2025-11-01": hours((9, 17)),
    **dict.fromkeys(("2025-11-03", "2025-11-04"), CLOSED),
    **dict.fromkeys(("2026-04-30", "2026-05-08", "2026-06-11", "2026-11-03"), hours((9, 17))),
    **dict.fromkeys(("2026-05-01", "2026-05-09", "2026-05-11", "2026-06-12", "2026-11-04", "2026-12-31"), CLOSED),
    **dict.fromkeys((f"2027-01-{day:02}" for day in range(1, 9)), CLOSED),
    "2027-02-20": OFFICE,
    **dict.fromkeys(("2027-02-22", "2027-02-23"), CLOSED),
}
OWN: dict[str, dict[str, Spans]] = {
    "RU": RUSSIA,
    "RU-OFF": {"2026-09-15": CLOSED},
    "RU-LUNCH": {"2026-06-11": hours((9, 13), (14, 17)), "2026-06-12": CLOSED},
    "PL": dict.fromkeys(("2026-11-11", "2026-12-24", "2026-12-25", "2027-01-01", "2027-01-06"), CLOSED),
}
Pauses = tuple[tuple[str, str], ...]
WHILE_NOBODY_WORKS = (("2026-09-18T15:30Z", "2026-09-21T05:00Z"),)
OVER_NIGHT = (("2026-09-14T14:00Z", "2026-09-15T07:00Z"),)
TWICE = (("2026-09-14T08:00Z", "2026-09-14T10:00Z"), ("2026-09-14T09:00Z", "2026-09-14T11:00Z"))

CASES: list[tuple[str, str, str, str, str, Roll, Pauses]] = [
    # Kyiv leaves summer time on 25 October 2026 at 04:00 and takes it up on 28 March 2027 at 03:00
    ("weekend of the autumn change", "UA", "4 working hours", "2026-10-23T13:00Z", "2026-10-26T09:00Z", Roll.NONE, ()),
    ("weekend of the spring change", "UA", "2 working hours", "2027-03-26T15:00Z", "2027-03-29T07:00Z", Roll.NONE, ()),
    ("48 hours by the clock", "UA", "48 hours", "2026-10-24T09:00Z", "2026-10-26T09:00Z", Roll.NONE, ()),
    ("two days are 49 hours", "UA", "2 days", "2026-10-24T09:00Z", "2026-10-26T10:00Z", Roll.NONE, ()),
    ("a day of 23 hours", "UA", "1 day", "2027-03-27T10:00Z", "2027-03-28T09:00Z", Roll.NONE, ()),
    ("03:30 that does not exist is 04:30", "UA", "1 day", "2027-03-27T01:30Z", "2027-03-28T01:30Z", Roll.NONE, ()),
    ("03:30 that comes twice is the first", "UA", "1 day", "2026-10-24T00:30Z", "2026-10-25T00:30Z", Roll.NONE, ()),
    ("a night of nine hours", "UA-NIGHT", "9 working hours", "2026-10-24T19:00Z", "2026-10-25T04:00Z", Roll.NONE, ()),
    ("and half an hour more", "UA-NIGHT", "570 working min", "2026-10-24T19:00Z", "2026-10-25T20:30Z", Roll.NONE, ()),
    ("a night of seven hours", "UA-NIGHT", "7 working hours", "2027-03-27T20:00Z", "2027-03-28T03:00Z", Roll.NONE, ()),
    ("and an hour more", "UA-NIGHT", "8 working hours", "2027-03-27T20:00Z", "2027-03-28T20:00Z", Roll.NONE, ()),
    (
        "the last hour of a night",
        "UA-NIGHT",
        "2 working hours",
        "2026-10-25T03:00Z",
        "2026-10-25T21:00Z",
        Roll.NONE,
        (),
    ),
    ("at noon, before a night", "UA-NIGHT", "30 working min", "2026-10-25T10:00Z", "2026-10-25T20:30Z", Roll.NONE, ()),
    # Warsaw
    ("Christmas Eve is a holiday", "PL", "2 working hours", "2026-12-23T14:00Z", "2026-12-28T08:00Z", Roll.NONE, ()),
    ("a holiday in the week", "PL", "1 working hour", "2026-11-10T14:30Z", "2026-11-12T07:30Z", Roll.NONE, ()),
    ("ten days over three feasts", "PL", "10 working days", "2026-12-21T09:00Z", "2027-01-08T15:00Z", Roll.NONE, ()),
    ("a month from 31 January", "PL", "1 month", "2027-01-31T09:00Z", "2027-02-28T09:00Z", Roll.NONE, ()),
    ("which is a Sunday: before it", "PL", "1 month", "2027-01-31T09:00Z", "2027-02-26T15:00Z", Roll.BACK, ()),
    ("or after it", "PL", "1 month", "2027-01-31T09:00Z", "2027-03-01T15:00Z", Roll.FORWARD, ()),
    ("a month in a leap year", "PL", "1 month", "2028-01-31T11:00Z", "2028-02-29T11:00Z", Roll.NONE, ()),
    ("a year from 29 February", "PL", "1 year", "2028-02-29T11:00Z", "2029-02-28T11:00Z", Roll.NONE, ()),
    ("a month into summer time", "PL", "1 month", "2027-02-28T11:00Z", "2027-03-28T10:00Z", Roll.NONE, ()),
    ("round the clock", "wall-warsaw", "25 working hours", "2026-10-24T10:00Z", "2026-10-25T11:00Z", Roll.NONE, ()),
    # Moscow keeps its clock; decrees move its days
    ("no change in Moscow", "RU", "2 days", "2026-10-24T09:00Z", "2026-10-26T09:00Z", Roll.NONE, ()),
    ("a shortened day on the way", "RU", "10 working hours", "2026-04-29T14:00Z", "2026-05-04T07:00Z", Roll.NONE, ()),
    ("a Friday that ends at 17:00", "RU", "1 working hour", "2026-05-08T13:30Z", "2026-05-12T06:30Z", Roll.NONE, ()),
    ("the last minute of one", "RU", "1 working min", "2026-11-03T13:59Z", "2026-11-03T14:00Z", Roll.NONE, ()),
    ("and a minute more", "RU", "2 working min", "2026-11-03T13:59Z", "2026-11-05T06:01Z", Roll.NONE, ()),
    ("a Saturday that works", "RU", "2 working hours", "2027-02-19T14:00Z", "2027-02-20T07:00Z", Roll.NONE, ()),
    ("it is a working day, too", "RU", "2 working days", "2027-02-19T09:00Z", "2027-02-24T15:00Z", Roll.NONE, ()),
    ("a Saturday of our own", "RU", "4 working hours", "2025-10-31T13:00Z", "2025-11-01T08:00Z", Roll.NONE, ()),
    ("which ends at 17:00", "RU", "3 working hours", "2025-11-01T12:00Z", "2025-11-05T07:00Z", Roll.NONE, ()),
    ("a year of working days", "RU", "250 working days", "2026-01-13T09:00Z", "2027-01-15T15:00Z", Roll.NONE, ()),
    ("a closure in the middle", "RU-OFF", "10 working hours", "2026-09-14T14:00Z", "2026-09-16T15:00Z", Roll.NONE, ()),
    (
        "twelve hours on, twelve off",
        "RU-2X2",
        "2 working hours",
        "2026-09-14T04:00Z",
        "2026-09-14T18:00Z",
        Roll.NONE,
        (),
    ),
    ("lunch and a short day", "RU-LUNCH", "4 working hours", "2026-06-11T09:30Z", "2026-06-15T06:30Z", Roll.NONE, ()),
    ("begun on a holiday", "RU", "1 working hour", "2027-01-05T09:00Z", "2027-01-11T07:00Z", Roll.NONE, ()),
    ("the 30th is a full day", "RU", "1 working hour", "2026-12-30T14:30Z", "2027-01-11T06:30Z", Roll.NONE, ()),
    ("after hours on an open day", "RU", "3 days", "2026-09-11T17:00Z", "2026-09-14T15:00Z", Roll.BACK, ()),
    ("forward to the next closing", "RU", "3 days", "2026-09-11T17:00Z", "2026-09-15T15:00Z", Roll.FORWARD, ()),
    ("a Sunday, back", "RU", "3 days", "2026-09-10T15:00Z", "2026-09-11T15:00Z", Roll.BACK, ()),
    ("at closing time it stays", "RU", "4 days", "2026-09-10T15:00Z", "2026-09-14T15:00Z", Roll.BACK, ()),
    ("forward, too", "RU", "4 days", "2026-09-10T15:00Z", "2026-09-14T15:00Z", Roll.FORWARD, ()),
    ("at opening time it stays", "RU", "4 days", "2026-09-10T06:00Z", "2026-09-14T06:00Z", Roll.BACK, ()),
    ("a pause over a night", "RU", "4 working hours", "2026-09-14T13:00Z", "2026-09-15T10:00Z", Roll.NONE, OVER_NIGHT),
    (
        "a pause while nobody works",
        "RU",
        "4 working hours",
        "2026-09-18T13:15Z",
        "2026-09-21T08:15Z",
        Roll.NONE,
        WHILE_NOBODY_WORKS,
    ),
    ("a night stops the clock", "RU", "4 hours", "2026-09-14T13:00Z", "2026-09-15T10:00Z", Roll.NONE, OVER_NIGHT),
    ("paused twice at once", "RU", "4 working hours", "2026-09-14T07:00Z", "2026-09-14T14:00Z", Roll.NONE, TWICE),
    ("days are not moved by it", "RU", "2 working days", "2026-09-14T07:00Z", "2026-09-16T15:00Z", Roll.NONE, TWICE),
    ("nor a month", "RU", "1 month", "2026-09-14T07:00Z", "2026-10-14T07:00Z", Roll.NONE, OVER_NIGHT),
]


@pytest.mark.parametrize(
    ("why", "calendar", "target", "start", "due", "roll", "pauses"), CASES, ids=[case[0] for case in CASES]
)
def test_worked_out_on_paper(
    why: str, calendar: str, target: str, start: str, due: str, roll: Roll, pauses: Pauses
) -> None:
    length, begun = Duration.target(target), at(start)
    stretches = [(at(begin), at(end)) for begin, end in pauses]
    assert compute(length, begun, golden(calendar), [Interval(*each) for each in stretches], roll) == at(due)
    if length.in_time:
        assert walked(calendar, length, begun, stretches) == at(due)


def walked(calendar: str, length: Duration, start: datetime, pauses: slow_clock.Pauses) -> datetime | None:
    """The same, minute by minute; nothing of the real calendar is asked but the name of its zone."""
    zone: ZoneInfo = load_zone(golden(calendar).zone.key)
    own = {date.fromisoformat(day): spans for day, spans in OWN.get(calendar, {}).items()}
    first = start.astimezone(zone).date() - timedelta(days=2)
    minutes = slow_clock.open_minutes(WEEKS[calendar], own, zone, first, 18)
    needed = int(length.span / MINUTE)
    return slow_clock.walk(
        minutes if length.measure is Measure.WORKING else None, start, needed, pauses, start + timedelta(days=15)
    )


def test_there_are_fifty() -> None:
    assert len({case[0] for case in CASES}) == len(CASES) == 50
