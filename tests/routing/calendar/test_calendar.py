"""Days as the countries keep them, and what a calendar says about itself."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from routing.calendar import BadCalendar, Calendar, Interval, NeverOpens, Note, Why, read_settings
from tests.routing.samples import WEEKDAYS, at, golden, office

YEAR_2026 = [date(2026, 1, 1) + timedelta(days=number) for number in range(365)]


def hours(calendar: Calendar, day: date) -> list[str]:
    return [str(span) for span in calendar.day(day)[0].hours]


def test_russia_works_247_days_in_2026_of_which_four_are_short() -> None:
    days = [golden("RU").day(day)[0] for day in YEAR_2026]
    assert sum(bool(day.hours) for day in days) == 247
    short = [day.date for day in days if day.note and day.note.why is Why.SHORTENED]
    assert short == [date(2026, 4, 30), date(2026, 5, 8), date(2026, 6, 11), date(2026, 11, 3)]


def test_the_day_before_a_moved_day_off_is_full() -> None:
    assert hours(golden("RU"), date(2026, 12, 30)) == ["09:00-18:00"]
    plan, intervals = golden("RU").day(date(2026, 12, 31))
    assert plan.note == Note(Why.MOVED_DAY_OFF, "Выходной (перенесено с 04.01.2026)")
    assert intervals == ()


def test_a_shortened_day_loses_the_end_of_its_last_span() -> None:
    assert hours(golden("RU-LUNCH"), date(2026, 6, 11)) == ["09:00-13:00", "14:00-17:00"]
    assert golden("RU-LUNCH").day(date(2026, 6, 11))[0].note == Note(Why.SHORTENED, "День России")
    tail = office("09:00-17:00", "17:30-18:00", holidays="RU", short_before_holiday="1 hour")
    assert hours(tail, date(2026, 6, 11)) == ["09:00-16:30"]
    night = office("22:00-06:00", holidays="RU", short_before_holiday="1 hour")
    assert hours(night, date(2026, 6, 11)) == ["22:00-05:00"]


def test_a_moved_saturday_has_the_hours_of_the_day_it_stands_in_for() -> None:
    week = {"week": {"mon": ["10:00-19:00"], "fri": ["09:00-16:45"]}, "zone": "Europe/Moscow", "holidays": "RU"}
    calendar = Calendar.build("office", 1, read_settings("office", week))
    plan, _ = calendar.day(date(2027, 2, 20))
    assert [str(span) for span in plan.hours] == ["10:00-19:00"]
    assert plan.note == Note(Why.MOVED_WORKING_DAY, "2027-02-22")
    assert hours(calendar, date(2027, 2, 22)) == []


def test_a_decree_of_one_year_may_call_on_a_saturday_of_the_year_before() -> None:
    plan, _ = office("09:00-18:00", holidays="AZ").day(date(2023, 12, 30))
    assert plan.note == Note(Why.MOVED_WORKING_DAY, "2024-01-04")


def test_a_six_day_week_keeps_its_own_saturday_hours_when_a_saturday_is_moved() -> None:
    calendar = office("09:00-18:00", weekdays=(*WEEKDAYS, "sat"), holidays="RU")
    assert calendar.day(date(2027, 2, 20))[0].note is None


def test_own_days_come_before_everything() -> None:
    calendar = office(
        "09:00-18:00",
        holidays="RU",
        short_before_holiday="1 hour",
        days={"2026-06-11": ["09:00-18:00"], "2026-06-12": ["10:00-12:00"], "2026-06-15": "closed"},
    )
    assert hours(calendar, date(2026, 6, 11)) == ["09:00-18:00"]
    assert calendar.day(date(2026, 6, 12))[0].note == Note(Why.OWN_HOURS)
    assert calendar.day(date(2026, 6, 15))[0].note == Note(Why.OWN_CLOSED)


def test_holidays_of_poland_and_of_a_part_of_germany() -> None:
    assert golden("PL").day(date(2026, 12, 24))[0].note == Note(Why.HOLIDAY, "Wigilia Bożego Narodzenia")
    corpus_christi = date(2026, 6, 4)
    assert hours(office("09:00-18:00", holidays="DE-BY"), corpus_christi) == []
    assert hours(office("09:00-18:00", holidays="DE"), corpus_christi) == ["09:00-18:00"]


def test_a_day_its_zone_jumped_over_does_not_open() -> None:
    samoa = office("09:00-17:00", zone="Pacific/Apia")
    assert samoa.day(date(2011, 12, 30)) == (samoa.day(date(2011, 12, 30))[0], ())
    assert samoa.day(date(2011, 12, 30))[0].note == Note(Why.SKIPPED)
    assert samoa.open_day_after(date(2011, 12, 29), 1).date == date(2012, 1, 2)


def test_own_hours_before_the_night_shift_has_left_count_once() -> None:
    calendar = office("22:00-06:00", days={"2026-09-15": ["04:00-10:00"]})
    night = at("2026-09-14T12:00Z"), at("2026-09-15T12:00Z")
    assert calendar.open_between(*night) == timedelta(hours=12)
    assert list(calendar.intervals(*night)) == [
        Interval(at("2026-09-14T22:00Z"), at("2026-09-15T06:00Z")),
        Interval(at("2026-09-15T06:00Z"), at("2026-09-15T10:00Z")),
    ]


def test_spans_that_begin_or_end_in_a_gap_or_an_overlap() -> None:
    """A gap shifts an edge forward by the gap; of two equal wall times the first is meant."""
    nights = office("00:00-02:30", "02:45-06:00", zone="Europe/Warsaw", weekdays=("sun",))
    spring = list(nights.intervals(at("2027-03-27T20:00Z"), at("2027-03-28T20:00Z")))
    assert spring == [
        Interval(at("2027-03-27T23:00Z"), at("2027-03-28T01:30Z")),
        Interval(at("2027-03-28T01:45Z"), at("2027-03-28T04:00Z")),
    ]
    autumn = list(nights.intervals(at("2026-10-24T20:00Z"), at("2026-10-25T20:00Z")))
    assert autumn == [
        Interval(at("2026-10-24T22:00Z"), at("2026-10-25T00:30Z")),
        Interval(at("2026-10-25T00:45Z"), at("2026-10-25T05:00Z")),
    ]


def test_openings_around_an_instant() -> None:
    calendar = golden("RU")
    friday_closing = at("2026-09-18T15:00Z")
    assert not calendar.is_open(friday_closing)
    assert calendar.is_open(at("2026-09-18T06:00Z"))
    assert calendar.next_opening(friday_closing) == at("2026-09-21T06:00Z")
    assert calendar.next_opening(at("2026-09-18T14:59Z")) == at("2026-09-18T14:59Z")
    assert calendar.last_closing(at("2026-09-20T10:00Z")) == friday_closing
    assert calendar.open_between(friday_closing, at("2026-09-01T00:00Z")) == timedelta()


def test_answers_do_not_depend_on_the_order_of_questions() -> None:
    ordered, backwards = (
        golden("PL-NIGHT"),
        office("22:00-06:00", zone="Europe/Warsaw", weekdays=(*WEEKDAYS, "sat", "sun")),
    )
    new_year = at("2026-12-31T20:00Z"), at("2027-01-01T12:00Z")
    backwards.open_between(at("2031-01-01T00:00Z"), at("2031-01-02T00:00Z"))
    backwards.open_between(at("2024-01-01T00:00Z"), at("2024-01-02T00:00Z"))
    assert list(backwards.intervals(*new_year)) == list(ordered.intervals(*new_year))


def test_the_first_question_may_fall_into_the_night_of_the_old_year() -> None:
    calendar = office("22:00-06:00", weekdays=("thu",))
    assert calendar.is_open(at("2027-01-01T03:00Z"))


def test_the_end_of_the_holiday_table_is_known() -> None:
    russia = golden("RU")
    assert russia.warnings(date(2026, 11, 21)) == ()
    found = russia.warnings(date(2027, 3, 1))
    assert [(each.code, each.country, each.year) for each in found] == [("holidays_unknown", "RU", 2028)]
    assert str(found[0]).startswith("holidays of 2028 unknown")
    assert golden("PL").warnings(date(2040, 1, 1)) == ()


def test_own_days_answer_for_a_year_nobody_has_decreed() -> None:
    calendar = office("09:00-18:00", holidays="RU", days={"2028-05-08": "closed"})
    assert calendar.warnings(date(2028, 1, 1), date(2028, 12, 31)) == ()


def test_the_empty_table_of_ukraine_is_said_aloud() -> None:
    ukraine = office("09:00-18:00", zone="Europe/Kyiv", holidays="UA")
    assert {each.code for each in ukraine.warnings(date(2026, 9, 14))} == {"holidays_empty"}
    assert "if the office rests, list own days" in str(ukraine.warnings(date(2026, 9, 14))[0])


def test_a_walk_without_an_opening_ends_in_an_error() -> None:
    fair = Calendar.build("fair", 1, read_settings("fair", {"zone": "UTC", "days": {"2026-12-30": ["09:00-15:00"]}}))
    assert fair.open_after(at("2026-12-01T00:00Z"), timedelta(hours=6)) == at("2026-12-30T15:00Z")
    with pytest.raises(NeverOpens, match="years on end"):
        fair.open_after(at("2026-12-01T00:00Z"), timedelta(hours=7))
    with pytest.raises(NeverOpens):
        fair.open_before(at("2026-12-01T00:00Z"), timedelta(hours=1))
    with pytest.raises(NeverOpens):
        fair.next_opening(at("2027-01-01T00:00Z"))
    with pytest.raises(NeverOpens):
        fair.open_day_after(date(2027, 1, 1), 1)


def test_a_question_beyond_all_calendars_is_refused() -> None:
    with pytest.raises(BadCalendar, match="asked about 1812"):
        golden("RU").is_open(at("1812-09-07T06:00Z"))
    with pytest.raises(BadCalendar, match="beyond 1970–2199"):
        golden("RU").open_after(at("2150-09-07T06:00Z"), timedelta(days=100_000))


def test_naive_instants_are_refused() -> None:
    with pytest.raises(TypeError):
        golden("RU").is_open(at("2026-09-18T13:15"))
    with pytest.raises(ValueError, match="aware"):
        Interval(at("2026-09-18T13:15"), at("2026-09-18T13:16"))
