"""Questions put to a set-up file."""

from __future__ import annotations

import pytest

from routing.calendar import BadCalendar, Interval
from routing.what_if import BadQuestion, answer, read_instant, read_pause
from tests.routing.samples import at, setup


def test_an_answer_needs_nothing_but_the_set_up() -> None:
    found = answer(setup(), "RU", "4 working hours", read_instant("2026-09-18T13:15Z"))
    assert found.as_json()["due"] == "2026-09-21T08:15:00Z"


def test_an_unknown_calendar_is_suggested() -> None:
    with pytest.raises(BadCalendar, match='did you mean "RU-LUNCH"'):
        answer(setup(), "RU-LUNSH", "4 working hours", at("2026-09-18T13:15Z"))
    with pytest.raises(BadCalendar, match="add a table"):
        answer({}, "RU", "4 working hours", at("2026-09-18T13:15Z"))


def test_instants_and_pauses_are_read() -> None:
    assert read_instant(" 2026-09-18T16:15+03:00") == at("2026-09-18T13:15Z")
    assert read_pause("2026-09-14T09:00Z/2026-09-15T13:00Z").length.days == 1
    assert read_pause("2026-09-14T09:00Z/") == Interval(at("2026-09-14T09:00Z"))


@pytest.mark.parametrize("text", ["yesterday", "2026-09-18T13:15", "2026-13-18T13:15Z"])
def test_bad_instants(text: str) -> None:
    with pytest.raises(BadQuestion, match=text):
        read_instant(text)


@pytest.mark.parametrize("text", ["2026-09-14T09:00Z", "2026-09-14T09:00Z/2026-09-13T09:00Z", "/2026-09-13T09:00Z"])
def test_bad_pauses(text: str) -> None:
    with pytest.raises(BadQuestion):
        read_pause(text)
