"""The calendar against a minute-by-minute walk, over random hours, zones, own days, pauses and clock changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from routing.calendar import BadCalendar, Calendar, Interval, load_zone, read_settings
from routing.calendar.settings import WEEKDAYS
from routing.calendar.span import Span
from routing.deadline import compute, offset, remaining
from routing.duration import Duration, Measure
from routing.explain import explain
from tests.routing import slow_clock
from tests.routing.slow_clock import MINUTE, Pauses

LENGTH = 12
CHANGES = {
    "Europe/Warsaw": [date(2026, 10, 25), date(2027, 3, 28)],
    "Europe/Kyiv": [date(2026, 10, 25), date(2027, 3, 28)],
    "Europe/Moscow": [date(2014, 10, 26), date(2026, 9, 14)],
    "Asia/Almaty": [date(2024, 3, 1), date(2024, 2, 29)],
    "Australia/Lord_Howe": [date(2026, 10, 4), date(2027, 4, 4)],
    "America/New_York": [date(2026, 11, 1), date(2027, 3, 14)],
    "Africa/Cairo": [date(2026, 4, 24), date(2026, 10, 30)],
}
QUARTERS = st.integers(0, 95)
moderate = settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow]
)


@st.composite
def hours(draw: st.DrawFn) -> list[tuple[int, int]]:
    """Nought to two spans of a day; the last may be a night."""
    cuts = sorted(draw(st.sets(QUARTERS, max_size=4)))
    spans = [(15 * opens, 15 * closes) for opens, closes in zip(cuts[::2], cuts[1::2], strict=False)]
    if len(cuts) % 2:
        morning = draw(st.sampled_from((0, 120, 150, 360)))
        spans.append((15 * cuts[-1], 1440 + (morning if morning < 15 * cuts[-1] else 0)))
    return spans


@dataclass(frozen=True)
class World:
    """A random calendar, twice: the real one, and every open minute of twelve days of it."""

    table: dict[str, Any]
    calendar: Calendar
    minutes: set[datetime]
    first: datetime
    last: datetime

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        printer.text(f"World({self.table})")  # not its thousands of minutes


def written(spans: list[tuple[int, int]]) -> list[str]:
    return [str(Span(*span)) for span in spans]


@st.composite
def worlds(draw: st.DrawFn) -> World:
    zone = load_zone(draw(st.sampled_from(sorted(CHANGES))))
    begin = draw(st.sampled_from(CHANGES[zone.key])) - timedelta(days=draw(st.integers(2, 8)))
    week = draw(st.lists(hours(), min_size=7, max_size=7))
    days = [begin + timedelta(days=number) for number in range(-1, LENGTH)]
    own = draw(st.dictionaries(st.sampled_from(days), hours(), max_size=3))
    table = {
        "zone": zone.key,
        "week": {name: written(spans) for name, spans in zip(WEEKDAYS, week, strict=True)},
        "days": {day.isoformat(): written(spans) or "closed" for day, spans in own.items()},
    }
    try:
        calendar = Calendar.build("random", 1, read_settings("random", table))
    except BadCalendar:
        assume(False)
    minutes = slow_clock.open_minutes(week, own, zone, begin - timedelta(days=1), LENGTH + 1)
    first = datetime(begin.year, begin.month, begin.day, tzinfo=UTC) + timedelta(days=1)
    return World(table, calendar, minutes, first, first + timedelta(days=LENGTH - 3))


@st.composite
def stretches(draw: st.DrawFn, world: World) -> tuple[datetime, datetime]:
    span = int((world.last - world.first) / MINUTE)
    start, end = sorted((draw(st.integers(0, span)), draw(st.integers(0, span))))
    return world.first + start * MINUTE, world.first + end * MINUTE


def intervals(pauses: Pauses) -> list[Interval]:
    return [Interval(*each) for each in pauses]


@moderate
@given(st.data())
def test_due_and_remaining_agree_with_the_walk(data: st.DataObject) -> None:
    world = data.draw(worlds())
    start, now = data.draw(stretches(world))
    pauses = data.draw(st.lists(stretches(world), max_size=3))
    length = data.draw(st.integers(1, 1500))
    working = data.draw(st.booleans())
    minutes = world.minutes if working else None
    target = Duration(Measure.WORKING if working else Measure.CLOCK, length * 60)

    expected = slow_clock.walk(minutes, start, length, pauses, world.last)
    if expected is not None:
        assert compute(target, start, world.calendar, intervals(pauses)) == expected
        table = explain(target, start, world.calendar, intervals(pauses))
        assert table.days[-1].left == 0
        assert sum(row.counted for row in table.days) == length * 60
    if working:
        left = length - slow_clock.count(world.minutes, start, now, pauses)
        assert remaining(target, start, now, world.calendar, intervals(pauses)) == left * MINUTE


@moderate
@given(st.data())
def test_open_time_agrees_with_the_walk(data: st.DataObject) -> None:
    world = data.draw(worlds())
    start, end = data.draw(stretches(world))

    assert world.calendar.open_between(start, end) == slow_clock.count(world.minutes, start, end, []) * MINUTE
    assert world.calendar.is_open(start) == (start in world.minutes)
    shown = list(world.calendar.intervals(start, end))
    assert all(earlier.end <= later.start for earlier, later in pairwise(shown))
    assert sum((each.length for each in shown), timedelta()) == world.calendar.open_between(start, end)
    upcoming = min((minute for minute in world.minutes if minute >= start), default=None)
    if upcoming is not None:
        assert world.calendar.next_opening(start) == upcoming


@moderate
@given(st.data())
def test_working_time_backwards_undoes_working_time_forwards(data: st.DataObject) -> None:
    world = data.draw(worlds())
    start, _ = data.draw(stretches(world))
    assume(any(world.table["week"].values()))
    by = Duration(Measure.WORKING, 60 * data.draw(st.integers(1, 1500)))

    opening = world.calendar.next_opening(start)
    assert offset(offset(opening, by, world.calendar), -by, world.calendar) == opening

    back = offset(start, -by, world.calendar)
    assert world.calendar.open_between(back, start) == by.span
    assert world.calendar.is_open(back), "a warning comes while somebody is there"


@moderate
@given(st.data())
def test_due_is_the_first_instant_by_which_the_target_has_run(data: st.DataObject) -> None:
    """To the microsecond, straight from the definition."""
    world = data.draw(worlds())
    assume(any(world.table["week"].values()))
    start = world.first + timedelta(microseconds=data.draw(st.integers(0, 5 * 86_400 * 1_000_000)))
    pauses = intervals(data.draw(st.lists(stretches(world), max_size=3)))
    target = Duration(Measure.WORKING, data.draw(st.integers(1, 100_000)))

    due = compute(target, start, world.calendar, pauses)
    assert remaining(target, start, due, world.calendar, pauses) == timedelta()
    assert remaining(target, start, due - timedelta.resolution, world.calendar, pauses) == timedelta.resolution
