"""Time zones, from the pinned `tzdata` wheel and never from the machine.

`zoneinfo` asks the operating system first, so two machines could give one promise two deadlines, and old systems do
not know Europe/Kyiv at all. Zones are therefore read out of the wheel's own files. That leaves the process-wide
search path of `zoneinfo` alone (no import order to get right) and makes the version we show the version we used.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from importlib import import_module
from importlib.resources import files
from zoneinfo import ZoneInfo

from routing.calendar.errors import fault, suggestion

TZDATA_VERSION: str = import_module("tzdata").IANA_VERSION
"""Release of the zone table every deadline is computed with, such as 2026f."""


@cache
def zone_names() -> tuple[str, ...]:
    """Every zone the wheel knows."""
    return tuple(files("tzdata").joinpath("zones").read_text("utf-8").split())


@cache
def load_zone(name: str) -> ZoneInfo:
    """The zone of that name out of the wheel; a fault with a suggestion if there is none."""
    if name not in zone_names():
        remedy = suggestion(name, list(zone_names()), "name a zone as the IANA table does, such as Europe/Warsaw")
        raise fault(f'no time zone is called "{name}"', remedy)
    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as table:
        return ZoneInfo.from_file(table, key=name)


def instant_of(wall: datetime, zone: ZoneInfo) -> datetime:
    """The instant a wall clock without offset shows: of two the first, and in a gap shifted forward by the gap."""
    return wall.replace(tzinfo=zone, fold=0).astimezone(UTC)


def wall_of(instant: datetime, zone: ZoneInfo) -> datetime:
    """What the wall clock of a zone shows at an instant, without its offset."""
    return instant.astimezone(zone).replace(tzinfo=None, fold=0)
