"""Deadlines that other systems got wrong, from their public issue trackers; the number of the issue names the case."""

from __future__ import annotations

from datetime import datetime

import pytest

from routing.calendar import Calendar, Interval
from routing.deadline import compute, offset
from routing.duration import Duration
from tests.routing.samples import WEEKDAYS, at, golden, office, pause


def due(target: str, start: str, calendar: Calendar, *pauses: Interval) -> datetime:
    return compute(Duration.target(target), at(start), calendar, pauses)


@pytest.mark.parametrize(
    ("target", "start", "hours", "expected"),
    [
        ("1 working hour", "2026-09-18T16:30Z", "09:00-17:00", "2026-09-21T09:30Z"),
        ("4 working hours", "2026-09-14T17:00Z", "08:00-18:00", "2026-09-15T11:00Z"),
        ("4 working hours", "2026-09-15T16:00Z", "09:00-17:00", "2026-09-16T12:00Z"),
    ],
    ids=["chatwoot-13392", "glpi-22678", "freescout-3756"],
)
def test_over_a_night(target: str, start: str, hours: str, expected: str) -> None:
    assert due(target, start, office(hours)) == at(expected)


def test_glpi_22678_an_hour_before_is_an_hour_of_the_same_morning_and_not_midnight() -> None:
    calendar = office("08:00-18:00")
    assert offset(at("2026-09-15T11:00Z"), Duration.parse("-1 working hour"), calendar) == at("2026-09-15T10:00Z")
    assert offset(at("2026-09-15T11:00Z"), Duration.parse("-4 working hours"), calendar) == at("2026-09-14T17:00Z")


def test_zammad_390_two_holidays_on_the_way() -> None:
    closed = {"2026-09-17": "closed", "2026-09-19": "closed"}
    calendar = office("09:00-21:00", weekdays=(*WEEKDAYS, "sat", "sun"), days=closed)
    assert due("48 working hours", "2026-09-16T23:00Z", calendar) == at("2026-09-22T21:00Z")


def test_glpi_10594_pending_over_a_weekend_then_resumed() -> None:
    weekend = pause("2026-09-18T16:00Z", "2026-09-21T10:00Z")
    assert due("4 working hours", "2026-09-18T14:00Z", office("09:00-17:00"), weekend) == at("2026-09-21T12:00Z")


def test_glpi_6902_priority_raised_while_pending() -> None:
    """The same start and pauses, a shorter target: half an hour of two was used before the pause."""
    pending = pause("2026-09-14T09:30Z", "2026-09-14T15:00Z")
    assert due("8 working hours", "2026-09-14T09:00Z", office("09:00-17:00"), pending) == at("2026-09-15T14:30Z")
    assert due("2 working hours", "2026-09-14T09:00Z", office("09:00-17:00"), pending) == at("2026-09-14T16:30Z")


def test_chatwoot_5254_and_libredesk_a_night_shift_is_no_trouble() -> None:
    assert due("1 working hour", "2026-11-10T00:30Z", golden("PL-NIGHT")) == at("2026-11-10T01:30Z")
    assert due("1 working hour", "2026-11-09T12:00Z", golden("PL-NIGHT")) == at("2026-11-09T22:00Z")


def test_libredesk_a_month_of_closed_days_is_walked_over() -> None:
    august = {f"2026-08-{day:02}": "closed" for day in range(1, 32)}
    assert due("1 working hour", "2026-07-31T16:30Z", office("09:00-17:00", days=august)) == at("2026-09-01T09:30Z")
