"""Reading `[calendar.K]`: what may be written, and that every mistake names its key and its remedy."""

from __future__ import annotations

from typing import Any

import pytest

from routing.calendar import BadCalendar, Calendar, CalendarSettings, read_settings
from tests.routing.samples import setup

MONDAY = {"mon": ["09:00-18:00"]}


@pytest.mark.parametrize("key", setup()["calendar"])
def test_what_was_read_can_be_written_back(key: str) -> None:
    table = setup()["calendar"][key]
    settings = read_settings(key, table)
    written = settings.model_dump(mode="json", exclude_defaults=True)
    assert written == table
    assert CalendarSettings.model_validate(written) == settings


@pytest.mark.parametrize(
    ("change", "key", "words"),
    [
        ({"zone": "Europe/Warsow"}, "zone", 'did you mean "Europe/Warsaw"?'),
        ({"zone": "../../etc/passwd"}, "zone", "no time zone is called"),
        ({"zone": 3}, "zone", 'such as "Europe/Warsaw"'),
        ({"holiday": "PL"}, "office", 'did you mean "holidays"?'),
        ({"holidays": "Rusia"}, "holidays", 'did you mean "RU"?'),
        ({"holidays": "pl"}, "holidays", 'did you mean "PL"?'),
        ({"holidays": "QQ"}, "holidays", 'no holidays are known for "QQ"'),
        ({"holidays": "DE-XX"}, "holidays", "BY"),
        ({"holidays": ["PL"]}, "holidays", "is not a country"),
        ({"week": {"monday": ["09:00-18:00"]}}, "week.monday", 'did you mean "mon"?'),
        ({"week": {"mon": "09:00-18:00"}}, "week.mon", "is not a list of spans"),
        ({"week": {"mon": ["9-18"]}}, "week.mon", 'write it as "09:00-18:00"'),
        ({"week": {"mon": ["09:00-25:00"]}}, "week.mon", 'the last hour is "24:00"'),
        ({"week": {"mon": ["24:00-06:00"]}}, "week.mon", "goes beyond the day"),
        ({"week": {"mon": ["09:00-09:00"]}}, "week.mon", 'a whole day is "00:00-24:00"'),
        ({"week": {"mon": ["09:00-13:00", "12:00-18:00"]}}, "week.mon", "overlap"),
        ({"week": {"mon": ["22:00-06:00"], "tue": ["05:00-14:00"]}}, "office", "let tue start later"),
        ({"week": {"sun": ["22:00-06:00"], "mon": ["05:00-14:00"]}}, "office", "let mon start later"),
        ({"days": {"2026-02-30": "closed"}}, "days.2026-02-30", "is not a date"),
        ({"days": {"1700000000": "closed"}}, "days.1700000000", "is not a date"),
        ({"days": {"2026-12-30": "close"}}, "days.2026-12-30", 'write "closed"'),
        ({"holidays": "PL", "short_before_holiday": "1 working hours"}, "short_before_holiday", 'write "1 hour"'),
        ({"holidays": "PL", "short_before_holiday": "1 huor"}, "short_before_holiday", 'did you mean "hour"?'),
        ({"short_before_holiday": "1 hour"}, "office", "add holidays"),
        ({"week": {}}, "week", "it never opens"),
        ({"week": {"mon": []}, "days": {"2026-12-30": "closed"}}, "week", "it never opens"),
    ],
)
def test_a_mistake_names_its_key_and_its_remedy(change: dict[str, Any], key: str, words: str) -> None:
    table = {"zone": "Europe/Warsaw", "week": MONDAY} | change
    with pytest.raises(BadCalendar, match=r"calendar\.office") as caught:
        Calendar.build("office", 1, read_settings("office", table))
    assert caught.value.key == ("calendar.office" if key == "office" else f"calendar.office.{key}")
    assert caught.value.remedy
    assert words in str(caught.value)


def test_spans_may_touch_and_come_in_any_order() -> None:
    table = {"zone": "Europe/Kiev", "week": {"mon": ["13:00-18:00", "09:00-13:00"]}, "holidays": "DE-BY"}
    settings = read_settings("office", table)
    assert [str(span) for span in settings.hours[0]] == ["09:00-13:00", "13:00-18:00"]


def test_a_calendar_may_open_on_own_days_only() -> None:
    table = {"zone": "Europe/Kyiv", "days": {"2026-12-30": ["09:00-15:00"]}}
    assert Calendar.build("fair", 1, read_settings("fair", table)).version == 1
