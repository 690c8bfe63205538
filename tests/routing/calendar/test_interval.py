"""Joining and cutting stretches of time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from routing.calendar import Interval, merged, without
from tests.routing.samples import at, pause


def hour(first: int, last: int) -> Interval:
    return pause(f"2026-09-14T{first:02}:00Z", f"2026-09-14T{last:02}:00Z")


def test_overlapping_touching_and_empty_intervals_become_disjoint() -> None:
    assert merged([hour(4, 6), hour(1, 2), hour(2, 3), hour(5, 7), hour(9, 9)]) == (hour(1, 3), hour(4, 7))


def test_merging_knows_offsets_and_open_ends() -> None:
    moscow = pause("2026-09-14T04:00+03:00", "2026-09-14T06:00+03:00")
    unended = Interval(at("2026-09-14T08:00Z"))
    assert merged([unended, moscow, hour(9, 10)]) == (hour(1, 3), unended)
    assert not unended.ended
    assert hour(1, 3).length == timedelta(hours=2)


def test_holes_are_cut_out() -> None:
    assert without(hour(1, 9), [hour(0, 2), hour(3, 4), hour(8, 12)]) == (hour(2, 3), hour(4, 8))
    assert without(hour(1, 2), [hour(0, 3)]) == ()


def test_an_interval_cannot_end_before_it_starts() -> None:
    with pytest.raises(ValueError, match="before it starts"):
        hour(2, 1)
