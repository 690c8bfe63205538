"""Meanings of targets, pauses, rolls, shares and steps that the golden table does not spell out."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction

import pytest

from routing.calendar import BadCalendar, Calendar, Interval, read_settings
from routing.deadline import Roll, StandsStill, at_share, compute, offset, remaining, step_at
from routing.duration import BadDuration, Duration, StepTime
from tests.routing.samples import WEEKDAYS, at, golden, office, pause


def due(target: str, start: str, calendar: Calendar, *pauses: Interval, roll: Roll = Roll.NONE) -> str:
    found = compute(Duration.target(target), at(start), calendar, pauses, roll)
    return found.strftime("%Y-%m-%dT%H:%MZ")


def test_local_start_is_an_instant_not_a_wall_time() -> None:
    """A start that bears a zone with clock changes must not be added to on its wall clock."""
    warsaw = golden("wall-warsaw")
    local = at("2027-03-27T21:00Z").astimezone(warsaw.zone)
    assert compute(Duration.target("8 hours"), local, warsaw) == at("2027-03-28T05:00Z")


# --- notes to the golden table ---


def test_19_one_desk_promise_reads_differently_in_moscow_when_kyiv_leaves_summer_time() -> None:
    summer, winter = (
        due("4 working hours", "2026-10-23T06:00Z", golden("UA")),
        due("4 working hours", "2026-10-26T07:00Z", golden("UA")),
    )
    moscow = golden("RU")
    assert [moscow.local(at(each)).strftime("%H:%M") for each in (summer, winter)] == ["13:00", "14:00"]


def test_23c_a_retroactive_target_may_already_be_past() -> None:
    start, now = at("2026-09-14T07:00Z"), at("2026-09-14T12:00Z")
    vip = Duration.target("2 working hours")
    assert compute(vip, start, golden("RU")) == at("2026-09-14T09:00Z")
    assert remaining(vip, start, now, golden("RU")) == timedelta(hours=-3)


def test_25c_months_are_counted_from_the_anchor() -> None:
    month, start = Duration.target("1 month"), at("2027-01-31T10:00Z")
    found = [compute(month * turn, start, office("09:00-18:00")).strftime("%m-%d") for turn in (1, 2, 3)]
    assert found == ["02-28", "03-31", "04-30"]


def test_35_a_reopened_clock_has_what_was_left() -> None:
    """A mail answered after an hour bounces next morning: three of four working hours are left, from the bounce on."""
    answered = pause("2026-09-14T08:00Z", "2026-09-15T06:30Z")
    assert due("4 working hours", "2026-09-14T07:00Z", golden("RU"), answered) == "2026-09-15T09:30Z"


def test_36_a_target_beyond_the_holiday_table_is_computed_and_warned_of() -> None:
    found = compute(Duration.target("400 working days"), at("2026-09-14T07:00Z"), golden("RU"))
    assert found.year == 2028
    assert golden("RU").warnings(at("2026-09-14T07:00Z").date(), found.date())


def test_40_almaty_had_a_day_of_25_hours_on_a_leap_day() -> None:
    almaty = office("00:00-24:00", zone="Asia/Almaty", weekdays=(*WEEKDAYS, "sat", "sun"))
    start = "2024-02-29T12:00+06:00"
    assert at(due("24 hours", start, almaty)) == at("2024-03-01T11:00+05:00")
    assert at(due("1 day", start, almaty)) == at("2024-03-01T12:00+05:00")
    assert at(due("24 working hours", start, almaty)) == at("2024-03-01T11:00+05:00")


# --- days and months ---


def test_a_wall_time_in_a_gap_moves_forward_by_the_gap_and_of_two_the_first_is_meant() -> None:
    warsaw, howe = golden("wall-warsaw"), office("09:00-17:00", zone="Australia/Lord_Howe")
    assert at(due("1 day", "2027-03-27T02:30+01:00", warsaw)) == at("2027-03-28T03:30+02:00")
    assert at(due("1 day", "2026-10-24T02:30+02:00", warsaw)) == at("2026-10-25T02:30+02:00")
    assert at(due("1 day", "2026-10-03T02:10+10:30", howe)) == at("2026-10-04T02:40+11:00")


def test_a_month_ends_where_the_shorter_month_ends() -> None:
    calendar = office("09:00-18:00")
    assert due("1 month", "2027-01-31T10:00Z", calendar) == "2027-02-28T10:00Z"
    assert due("1 year", "2028-02-29T10:00Z", calendar) == "2029-02-28T10:00Z"
    assert due("2 weeks", "2026-12-24T08:00Z", calendar) == "2027-01-07T08:00Z"


def test_working_days_close_with_the_shift_of_a_night() -> None:
    assert due("1 working day", "2026-10-23T10:00Z", golden("PL-NIGHT")) == "2026-10-25T05:00Z"


def test_pauses_do_not_move_days() -> None:
    stop = pause("2026-09-15T00:00Z", "2026-09-20T00:00Z")
    for target in ("10 working days", "14 days", "1 month"):
        assert due(target, "2026-09-14T07:00Z", golden("RU"), stop) == due(target, "2026-09-14T07:00Z", golden("RU"))
    unended = Interval(at("2026-09-15T00:00Z"))
    assert due("14 days", "2026-09-14T07:00Z", golden("RU"), unended) == "2026-09-28T07:00Z"


# --- roll ---


@pytest.mark.parametrize(
    ("start", "back", "forward"),
    [
        ("2026-09-14T12:00Z", "2026-09-21T12:00Z", "2026-09-21T12:00Z"),
        ("2026-09-12T12:00Z", "2026-09-18T18:00Z", "2026-09-21T18:00Z"),
        ("2026-09-14T20:00Z", "2026-09-21T18:00Z", "2026-09-22T18:00Z"),
        ("2026-09-15T07:00Z", "2026-09-21T18:00Z", "2026-09-22T18:00Z"),
        ("2026-09-14T18:00Z", "2026-09-21T18:00Z", "2026-09-21T18:00Z"),
        ("2026-09-14T13:30Z", "2026-09-21T13:00Z", "2026-09-21T18:00Z"),
    ],
    ids=["open", "weekend", "evening", "morning", "closing time", "lunch"],
)
def test_roll(start: str, back: str, forward: str) -> None:
    calendar = office("09:00-13:00", "14:00-18:00")
    assert due("7 days", start, calendar, roll=Roll.BACK) == back
    assert due("7 days", start, calendar, roll=Roll.FORWARD) == forward


def test_roll_forward_needs_no_past() -> None:
    table = {"zone": "UTC", "days": {"2026-12-30": ["09:00-15:00"]}}
    fair = Calendar.build("fair", 1, read_settings("fair", table))
    assert due("1 day", "2026-12-28T10:00Z", fair, roll=Roll.FORWARD) == "2026-12-30T15:00Z"


# --- pauses ---


def test_a_pause_moves_clock_time_by_all_of_it_and_working_time_by_its_open_part() -> None:
    evening = pause("2026-09-14T14:00Z", "2026-09-15T07:00Z")
    assert due("4 hours", "2026-09-14T12:00Z", golden("RU"), evening) == "2026-09-15T09:00Z"
    assert due("4 working hours", "2026-09-14T12:00Z", golden("RU"), evening) == "2026-09-15T09:00Z"
    night = pause("2026-09-14T15:00Z", "2026-09-15T06:00Z")
    assert due("4 working hours", "2026-09-14T12:00Z", golden("RU"), night) == "2026-09-15T07:00Z"


def test_overlapping_pauses_count_once_and_those_outside_not_at_all() -> None:
    pauses = [
        pause("2026-09-14T09:00Z", "2026-09-14T10:30Z"),
        pause("2026-09-14T05:00Z", "2026-09-14T08:00Z"),
        pause("2026-09-14T10:00Z", "2026-09-14T11:00Z"),
        pause("2026-09-20T10:00Z", "2026-09-21T11:00Z"),
    ]
    assert due("4 working hours", "2026-09-14T07:00Z", golden("RU"), *pauses) == "2026-09-14T14:00Z"


def test_a_pause_that_starts_at_the_very_due_comes_too_late() -> None:
    late = pause("2026-09-14T11:00Z", "2026-09-14T12:00Z")
    assert due("4 working hours", "2026-09-14T07:00Z", golden("RU"), late) == "2026-09-14T11:00Z"


def test_an_unended_pause_leaves_no_due_but_what_remains() -> None:
    target, start, waiting = (
        Duration.target("4 working hours"),
        at("2026-09-14T07:00Z"),
        Interval(at("2026-09-14T09:00Z")),
    )
    with pytest.raises(StandsStill, match="paused since 2026-09-14T09:00Z"):
        compute(target, start, golden("RU"), [waiting])
    for now in ("2026-09-14T09:00Z", "2026-09-20T09:00Z"):
        assert remaining(target, start, at(now), golden("RU"), [waiting]) == timedelta(hours=2)
    after_due = Interval(at("2026-09-14T11:30Z"))
    assert compute(target, start, golden("RU"), [after_due]) == at("2026-09-14T11:00Z")


def test_remaining_of_days_is_wall_time() -> None:
    target, start = Duration.target("14 days"), at("2026-12-24T08:00Z")
    assert remaining(target, start, at("2027-01-06T08:00Z"), golden("RU")) == timedelta(days=1)
    assert remaining(Duration.target("2 hours"), start, start - timedelta(days=1), golden("RU")) == timedelta(hours=2)


# --- shares and steps ---


@pytest.mark.parametrize(
    ("target", "start", "half"),
    [
        ("4 working hours", "2026-09-18T13:15Z", "2026-09-21T06:15Z"),
        ("2 hours", "2026-09-18T13:15Z", "2026-09-18T14:15Z"),
        ("14 days", "2026-12-24T08:00Z", "2026-12-31T08:00Z"),
        ("5 days", "2026-09-14T08:00Z", "2026-09-16T20:00Z"),
        ("2 months", "2026-09-01T00:00+03:00", "2026-10-01T12:00+03:00"),
        ("10 working days", "2026-09-14T08:00Z", "2026-09-21T15:00Z"),
        ("5 working days", "2026-09-14T08:00Z", "2026-09-17T10:30Z"),
        ("1 working day", "2026-09-14T08:00Z", "2026-09-15T10:30Z"),
    ],
)
def test_half_of_a_target(target: str, start: str, half: str) -> None:
    assert at_share(Duration.target(target), at(start), golden("RU"), share=0.5) == at(half)


@pytest.mark.parametrize("target", ["4 working hours", "2 hours", "14 days", "2 months", "7 working days"])
def test_the_whole_of_a_target_is_its_due(target: str) -> None:
    wanted, start = Duration.target(target), at("2026-09-18T13:15Z")
    assert at_share(wanted, start, golden("RU")) == compute(wanted, start, golden("RU"))


def test_a_share_counts_pauses_and_never_passes_a_rolled_due() -> None:
    stop = pause("2026-09-14T08:00Z", "2026-09-14T10:00Z")
    assert at_share(Duration.target("4 working hours"), at("2026-09-14T07:00Z"), golden("RU"), [stop], 0.5) == at(
        "2026-09-14T11:00Z"
    )
    vip, start = Duration.target("14 days"), at("2026-12-24T08:00Z")
    assert at_share(vip, start, golden("RU"), (), Fraction(9, 10), Roll.BACK) == at("2026-12-30T15:00Z")


@pytest.mark.parametrize(
    ("by", "found"),
    [
        ("-30 min", "2026-12-30T14:30Z"),
        ("-10 working hours", "2026-12-29T14:00Z"),
        ("-9 working hours", "2026-12-30T06:00Z"),
        ("+2 working hours", "2027-01-11T08:00Z"),
        ("+1 working days", "2027-01-11T15:00Z"),
        ("-3 working days", "2026-12-25T06:00Z"),
        ("-2 days", "2026-12-28T15:00Z"),
        ("+1 month", "2027-01-30T15:00Z"),
        ("due", "2026-12-30T15:00Z"),
        ("50%", "2026-12-30T15:00Z"),
    ],
)
def test_steps_around_the_due_of_the_vip_contact(by: str, found: str) -> None:
    target, start, due = Duration.target("14 days"), at("2026-12-24T08:00Z"), at("2026-12-30T15:00Z")
    assert step_at(StepTime.parse(by), target, start, due, golden("RU"), roll=Roll.BACK) == at(found)


def test_no_time_at_all_is_the_same_instant() -> None:
    assert offset(at("2026-09-19T10:00Z"), Duration.parse("0 working hours"), golden("RU")) == at("2026-09-19T10:00Z")


@pytest.mark.parametrize("target", ["9000000 days", "99999999 months", "99999999999999 hours"])
def test_a_target_beyond_all_calendars_is_an_error(target: str) -> None:
    with pytest.raises((BadDuration, BadCalendar)):
        compute(Duration.target(target), at("2026-09-14T08:00Z"), golden("RU"))


def test_a_target_runs_forward() -> None:
    with pytest.raises(BadDuration, match="longer than nothing"):
        compute(Duration.parse("-1 hour"), at("2026-09-14T08:00Z"), golden("RU"))
