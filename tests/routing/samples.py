"""The golden calendars and deadlines, and short ways to write instants in tests."""

from __future__ import annotations

import json
import tomllib
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from routing.calendar import Calendar, Interval, read_settings

GOLDEN = Path(__file__).parents[1] / "golden"
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri")


def at(text: str) -> datetime:
    """An instant written with Z or an offset."""
    return datetime.fromisoformat(text)


def pause(start: str, end: str) -> Interval:
    return Interval(at(start), at(end))


def setup() -> dict[str, Any]:
    return tomllib.loads((GOLDEN / "calendars.toml").read_text("utf-8"))


def cases() -> list[dict[str, Any]]:
    return json.loads((GOLDEN / "deadlines.json").read_text("utf-8"))


@cache
def golden(key: str) -> Calendar:
    """One of the golden calendars."""
    return Calendar.build(key, 1, read_settings(key, setup()["calendar"][key]))


def office(*hours: str, zone: str = "UTC", weekdays: tuple[str, ...] = WEEKDAYS, **more: Any) -> Calendar:
    """A calendar with the same hours on every weekday."""
    table = {"zone": zone, "week": {day: list(hours) for day in weekdays}, **more}
    return Calendar.build("office", 1, read_settings("office", table))
