"""The table of days and what stands around it."""

from __future__ import annotations

import json
from collections.abc import Sequence

from routing.calendar import Calendar, Interval
from routing.deadline import Roll
from routing.duration import Duration
from routing.explain import Explanation, explain
from tests.routing.samples import at, golden, office, pause


def told(
    target: str, start: str, calendar: Calendar, pauses: Sequence[Interval] = (), roll: Roll = Roll.NONE
) -> Explanation:
    explanation = explain(Duration.target(target), at(start), calendar, pauses, roll)
    json.dumps(explanation.as_json())
    return explanation


def rows(explanation: Explanation) -> list[tuple[str, list[str], str, float, float]]:
    return [
        (f"{row.weekday} {row.date:%d}", list(row.hours), row.note.why.value if row.note else "", row.counted, row.left)
        for row in explanation.days
    ]


def test_a_weekend_and_everything_around_the_table() -> None:
    explanation = told("4 working hours", "2026-09-18T13:15Z", golden("RU"))
    assert rows(explanation) == [
        ("fri 18", ["09:00-18:00"], "", 6300, 8100),
        ("sat 19", [], "", 0, 8100),
        ("sun 20", [], "", 0, 8100),
        ("mon 21", ["09:00-18:00"], "", 8100, 0),
    ]
    plain = explanation.as_json()
    del plain["days"]
    assert plain == {
        "target": "4 working hours",
        "start": "2026-09-18T13:15:00Z",
        "start_local": "2026-09-18T16:15:00+03:00",
        "due": "2026-09-21T08:15:00Z",
        "due_local": "2026-09-21T11:15:00+03:00",
        "due_zone": "MSK",
        "left_s": None,
        "calendar": {"key": "RU", "version": 1},
        "zone": "Europe/Moscow",
        "tzdata": golden("RU").tzdata,
        "roll": "none",
        "rolled_from": None,
        "counts_in": "seconds",
        "pauses": [],
        "warnings": [],
    }
    assert plain["tzdata"] >= "2026a"


def test_a_shortened_day_and_a_holiday_are_named() -> None:
    explanation = told("4 working hours", "2026-06-11T12:00Z", golden("RU"))
    assert rows(explanation)[:2] == [
        ("thu 11", ["09:00-17:00"], "shortened", 7200, 7200),
        ("fri 12", [], "holiday", 0, 7200),
    ]
    assert explanation.as_json()["days"][1]["note"] == {"why": "holiday", "detail": "День России"}


def test_a_night_belongs_to_the_day_it_starts_and_may_last_nine_hours() -> None:
    explanation = told("12 working hours", "2026-10-24T23:30Z", golden("PL-NIGHT"))
    assert rows(explanation) == [
        ("sat 24", ["22:00-06:00"], "", 5.5 * 3600, 6.5 * 3600),
        ("sun 25", ["22:00-06:00"], "", 6.5 * 3600, 0),
    ]


def test_clock_time_shows_whole_days_of_23_hours_too() -> None:
    explanation = told("48 hours", "2027-03-26T23:00Z", golden("wall-warsaw"))
    assert rows(explanation) == [
        ("sat 27", ["00:00-24:00"], "", 24 * 3600, 24 * 3600),
        ("sun 28", ["00:00-24:00"], "", 23 * 3600, 3600),
        ("mon 29", ["00:00-24:00"], "", 3600, 0),
    ]


def test_a_pause_is_shown_with_what_it_moved() -> None:
    stop = pause("2026-09-14T09:00Z", "2026-09-15T13:00Z")
    explanation = told("4 working hours", "2026-09-14T07:00Z", golden("RU"), [stop])
    assert explanation.as_json()["pauses"] == [
        {"start": "2026-09-14T09:00:00Z", "end": "2026-09-15T13:00:00Z", "moved_s": 46800}
    ]
    assert rows(explanation)[-1] == ("tue 15", ["09:00-18:00"], "", 7200, 0)


def test_an_unended_pause_is_not_running_so_much_left() -> None:
    explanation = told("4 working hours", "2026-09-14T07:00Z", golden("RU"), [Interval(at("2026-09-14T09:00Z"))])
    plain = explanation.as_json()
    assert (plain["due"], plain["left_s"]) == (None, 7200)
    assert plain["pauses"] == [{"start": "2026-09-14T09:00:00Z", "end": None, "moved_s": 0}]
    assert rows(explanation) == [("mon 14", ["09:00-18:00"], "", 7200, 7200)]


def test_a_target_rolled_back_is_shown_to_where_it_had_landed() -> None:
    explanation = told("14 days", "2026-12-24T08:00Z", golden("RU"), roll=Roll.BACK)
    assert explanation.as_json()["rolled_from"] == "2027-01-07T08:00:00Z"
    assert explanation.counts_in == "days"
    assert rows(explanation)[-1] == ("thu 07", [], "holiday", 1, 0)
    forward = told("14 days", "2026-12-24T08:00Z", golden("RU"), roll=Roll.FORWARD)
    assert rows(forward)[-1] == ("mon 11", ["09:00-18:00"], "", 0, 0)


def test_working_days_count_open_days_after_the_day_of_the_event() -> None:
    explanation = told("10 working days", "2026-12-22T09:00Z", golden("RU"))
    assert explanation.counts_in == "open days"
    assert [row.counted for row in explanation.days if row.open] == [0, *[1] * 10]
    assert rows(explanation)[-1] == ("thu 14", ["09:00-18:00"], "", 1, 0)


def test_warnings_come_only_where_hours_matter() -> None:
    kyiv = office("09:00-18:00", zone="Europe/Kyiv", holidays="UA")
    assert told("4 working hours", "2026-09-14T07:00Z", kyiv).warnings
    assert told("14 days", "2026-09-14T07:00Z", kyiv, roll=Roll.BACK).warnings
    assert not told("2 hours", "2026-09-14T07:00Z", kyiv).warnings
    leap = told("4 working hours", "2028-02-28T13:00Z", golden("RU"))
    assert leap.as_json()["warnings"][0]["year"] == 2028


def test_instants_with_fractions_of_a_second() -> None:
    explanation = told("4 working hours", "2026-09-18T13:15:30.250Z", golden("RU"))
    assert explanation.as_json()["due"] == "2026-09-21T08:15:30.250000Z"
    assert explanation.days[0].counted == 6269.75
    assert explanation.days[-1].left == 0
