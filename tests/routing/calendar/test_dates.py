"""Days that come again."""

from __future__ import annotations

from datetime import date, datetime
from itertools import islice

import pytest

from routing.calendar import add_months, anniversary, every_months


def test_every_month_from_the_31st_never_drifts() -> None:
    """Golden note 25c."""
    found = list(islice(every_months(date(2027, 1, 31), 1), 3))
    assert found == [date(2027, 2, 28), date(2027, 3, 31), date(2027, 4, 30)]


def test_every_twelve_months_from_a_leap_day_keeps_the_anchor() -> None:
    """Golden note 25b."""
    found = list(islice(every_months(date(2028, 2, 29), 12), 4))
    assert found == [date(2029, 2, 28), date(2030, 2, 28), date(2031, 2, 28), date(2032, 2, 29)]


def test_a_recurrence_needs_a_length() -> None:
    with pytest.raises(ValueError, match="at least one month"):
        every_months(date(2028, 2, 29), 0)


def test_months_go_both_ways_and_keep_the_time_of_day() -> None:
    assert add_months(datetime(2026, 3, 31, 10, 30), -1) == datetime(2026, 2, 28, 10, 30)
    assert add_months(date(2026, 12, 15), 1) == date(2027, 1, 15)


def test_a_birthday_on_a_leap_day() -> None:
    born = date(2000, 2, 29)
    assert anniversary(born, 2027) == date(2027, 2, 28)
    assert anniversary(born, 2027, "mar1") == date(2027, 3, 1)
    assert anniversary(born, 2028, "mar1") == date(2028, 2, 29)
    assert anniversary(date(1990, 5, 9), 2027) == date(2027, 5, 9)
