"""How long a deadline takes: microseconds near and far, against a walk over every minute."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from time import perf_counter

from routing.calendar import Calendar, read_settings
from routing.deadline import compute
from routing.duration import Duration

CALENDARS = Path(__file__).parents[1] / "golden" / "calendars.toml"
START = datetime(2026, 9, 18, 13, 15, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def run() -> list[tuple[str, str]]:
    """Rows of (what was measured, its figure)."""
    table = tomllib.loads(CALENDARS.read_text("utf-8"))["calendar"]["RU"]
    calendar = Calendar.build("RU", 1, read_settings("RU", table))
    rows = [("first deadline of a calendar, with two years laid out", _told(_time(lambda: _first(table), 20)))]
    for text in ("4 working hours", "250 working days", "2250 working hours"):
        target = Duration.target(text)
        rows.append((f"deadline of {text}", _told(_time(partial(compute, target, START, calendar), 20_000))))
    near = Duration.target("4 working hours")
    walk, jump = _time(lambda: _walk(near, calendar), 20), _time(lambda: compute(near, START, calendar), 20_000)
    rows.append(("times faster than a walk over minutes (4 working hours)", f"{walk / jump:,.0f}"))
    return rows


def _first(table: dict[str, object]) -> datetime:
    calendar = Calendar.build("RU", 1, read_settings("RU", table))
    return compute(Duration.target("250 working days"), START, calendar)


def _walk(target: Duration, calendar: Calendar) -> datetime:
    left, minute = target.amount // 60, START
    while left:
        left -= calendar.is_open(minute)
        minute += MINUTE
    return minute


def _time(action: Callable[[], object], times: int) -> float:
    """Seconds per call, the best of three rounds."""
    action()
    rounds = []
    for _ in range(3):
        began = perf_counter()
        for _ in range(times):
            action()
        rounds.append((perf_counter() - began) / times)
    return min(rounds)


def _told(seconds: float) -> str:
    return f"{seconds * 1e6:,.1f} µs"


if __name__ == "__main__":
    for name, figure in run():
        print(f"{name:55} {figure:>12}")
