"""Screen: the report — figures of an interval, drawn, with the counts behind them, and as a table to download."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

from aiohttp import web
from sqlalchemy import Connection

from hub.composition import HUB
from hub.desk.names import Names
from hub.desk.pages import language_of, show, speech_of
from hub.desk.tiles import Tiles, clock, figures_by_name
from hub.desk.visitor import require
from hub.desk.vocabulary import Vocabulary
from hub.metrics.counting import Tally
from hub.metrics.figures import figures_of
from hub.metrics.reading import MOST_DAYS, PARTS, Name, Part, Report, read_report
from hub.metrics.service_level import Norm
from hub.setup.snapshot import SetUp
from storage.repositories.figures import Span

_GROUPS: tuple[Part, ...] = ("operator", "team", "queue", "line", "channel")
_BY_TIME: tuple[Part, ...] = ("hour", "day")
_SPANS = ("today", "yesterday", "7", "30", "90")
_BY_HOUR_DAYS = 2
_TICKS = 5
_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
COLUMNS = (
    "offered",
    "answered",
    "service_level",
    "abandoned",
    "lost_by_us",
    "asa_s",
    "aht_s",
    "outbound_handled",
    "promises_kept",
    "promises_breached",
    "first_response_p50_s",
)
"""What the table of parts shows; the download has every figure."""

OF_OPERATORS = (
    "handled",
    "asa_s",
    "aht_s",
    "outbound_handled",
    "outbound_aht_s",
    "occupancy",
    "promises_kept",
    "promises_breached",
    "replied",
    "first_response_p50_s",
)
"""A call that nobody took is nobody's: operators have no share of what was missed."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for: local days from `first` to `last`, both whole."""

    first: date
    last: date
    chosen: str
    team: str | None
    by: Part


@dataclass(frozen=True, slots=True)
class Bar:
    """One column of a chart: its parts from below, in hundredths of the tallest column; `x` and `width` likewise."""

    x: float
    width: float
    title: str
    pieces: tuple[tuple[str, float, float], ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """Columns over time; `most` is what the tallest one counts. `kinds` are (class, name, sum)."""

    bars: tuple[Bar, ...]
    ticks: tuple[str, ...]
    most: int
    kinds: tuple[tuple[str, str, int], ...]


async def show_report(request: web.Request) -> web.StreamResponse:
    """GET /desk/report?span=|from=&to=&team=&by=; for supervisors"""
    visitor = require(request, "supervisor")
    hub, speech = request.app[HUB], speech_of(request)
    setup, now = hub.setup.current, hub.store.now()
    asked = _read_asked(request, setup, visitor.zone, now)
    tiles = Tiles(speech)

    def read(connection: Connection) -> Mapping[str, Any]:
        span, by_time = _span(setup, asked, now), _part_of_time(asked)
        whole = read_report(connection, setup, span, by_time, now)
        parts = read_report(connection, setup, span, asked.by, now)
        hourly = by_time == "hour"
        return {
            "report": whole,
            "figures": figures_by_name(whole),
            "calls": _chart(whole, hourly, tiles, ("answered", "abandoned", "lost"), _call_pieces),
            "promises": _chart(whole, hourly, tiles, ("kept", "broken"), _promise_pieces),
            "missed": sorted(whole.total.calls.missed.items(), key=lambda one: -one[1]),
            "rows": _rows(setup, asked.by, parts, language_of(request), Vocabulary(speech)),
        }

    return await show(
        request,
        "report.html",
        read,
        asked=asked,
        spans=_SPANS,
        groups=_GROUPS,
        columns=OF_OPERATORS if asked.by == "operator" else COLUMNS,
        tiles=tiles,
        clock=clock,
    )


async def download_report(request: web.Request) -> web.StreamResponse:
    """GET /desk/report.csv, asked as the screen is; `by` may be hour and day, too"""
    visitor = require(request, "supervisor")
    hub = request.app[HUB]
    setup, now = hub.setup.current, hub.store.now()
    asked = _read_asked(request, setup, visitor.zone, now)
    span = _span(setup, asked, now)
    report = await hub.store.read(lambda connection: read_report(connection, setup, span, asked.by, now))
    name = f"touchline-{asked.first}-{asked.last}-{asked.by}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return web.Response(text=write_csv(report, asked.by), content_type="text/csv", charset="utf-8", headers=headers)


def write_csv(report: Report, by: str) -> str:
    """One line for the whole and one for each part, one column for each figure; shares in percent, times in seconds.

    Two lines above tell of each figure how it is made and what is left out. A byte order mark, for spreadsheets; a
    text that a spreadsheet would take for a formula is marked as text.
    """
    written = io.StringIO()
    written.write("\ufeff")
    table = csv.writer(written)
    figures = report.figures()
    reasons = sorted(report.total.calls.missed)
    table.writerow([by, *(one.name for one in figures), *(f"missed_{reason}" for reason in reasons)])
    table.writerow(["formula", *(_cell(f"{one.formula}; {one.over}") for one in figures), *("count" for _ in reasons)])
    table.writerow(["left out", *(_cell("; ".join(one.exclusions)) for one in figures), *("" for _ in reasons)])
    for name, tally in (("total", report.total), *report.parts.items()):
        values = ["" if one.value is None else f"{one.value:g}" for one in figures_of(tally, report.norm)]
        table.writerow([_cell(name or "-"), *values, *(tally.calls.missed.get(reason, 0) for reason in reasons)])
    return written.getvalue()


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA_SIGNS) and text != "-" else text


def _read_asked(request: web.Request, setup: SetUp, zone: tzinfo, now: datetime) -> Asked:
    """Days that cannot be read, or the wrong way round, are today."""
    query = request.query
    team = query.get("team", "") if query.get("team", "") in setup.teams else None
    by: Part = next((one for one in PARTS if one == query.get("by")), "operator")
    today = now.astimezone(setup.zone_of(team=team) if team else zone).date()
    chosen = query.get("span", "") if query.get("span", "") in _SPANS else ""
    first, last = _day(query.get("from", "")), _day(query.get("to", ""))
    if chosen or first is None or last is None or first > last or (last - first).days >= MOST_DAYS:
        first, last = _usual_days(chosen or "today", today)
        chosen = chosen or "today"
    return Asked(first, last, chosen, team, by)


def _usual_days(chosen: str, today: date) -> tuple[date, date]:
    if chosen == "yesterday":
        return today - timedelta(days=1), today - timedelta(days=1)
    return (today - timedelta(days=int(chosen) - 1), today) if chosen.isdigit() else (today, today)


def _day(written: str) -> date | None:
    try:
        found = date.fromisoformat(written)
    except ValueError:
        return None
    return found if 1971 <= found.year <= 2199 else None


def _span(setup: SetUp, asked: Asked, now: datetime) -> Span:
    zone = setup.zone_of(team=asked.team)
    since = datetime.combine(asked.first, time(), zone).astimezone(UTC)
    until = datetime.combine(asked.last + timedelta(days=1), time(), zone).astimezone(UTC)
    return Span(since, until, asked.team)


def _part_of_time(asked: Asked) -> Part:
    return "hour" if (asked.last - asked.first).days < _BY_HOUR_DAYS else "day"


def _call_pieces(tally: Tally) -> tuple[int, ...]:
    return tally.calls.answered, tally.calls.abandoned, tally.calls.lost


def _promise_pieces(tally: Tally) -> tuple[int, ...]:
    return tally.promises.kept, tally.promises.breached


_PIECES = {
    "answered": "answered",
    "abandoned": "abandoned",
    "lost": "lost_by_us",
    "kept": "promises_kept",
    "broken": "promises_breached",
}


def _chart(report: Report, hourly: bool, tiles: Tiles, kinds: Sequence[str], pieces_of: Any) -> Chart:
    """Columns of counts; what is nowhere is still a column, so that time runs evenly."""
    names = [tiles.name(_PIECES[kind]) for kind in kinds]
    counts = [(_tick(name or "", hourly, report.zone), pieces_of(tally)) for name, tally in report.parts.items()]
    most = max((sum(each) for _, each in counts), default=0)
    width = 100 / max(len(counts), 1)
    bars = tuple(
        Bar(
            round(number * width, 3),
            round(width * 0.82, 3),
            f"{tick}: " + ", ".join(f"{name} {count}" for name, count in zip(names, each, strict=True)),
            tuple(_stack(kinds, each, most)),
        )
        for number, (tick, each) in enumerate(counts)
    )
    sums = tuple(sum(each[number] for _, each in counts) for number in range(len(kinds)))
    return Chart(bars, tuple(_some([tick for tick, _ in counts])), most, tuple(zip(kinds, names, sums, strict=True)))


def _stack(kinds: Sequence[str], counts: Sequence[int], most: int) -> Iterator[tuple[str, float, float]]:
    top = 100.0
    for kind, count in zip(kinds, counts, strict=True):
        height = 100 * count / (most or 1)
        top -= height
        if count:
            yield kind, round(top, 3), round(height, 3)


def _tick(name: str, hourly: bool, zone: tzinfo) -> str:
    return f"{datetime.fromisoformat(name).astimezone(zone):%H:%M}" if hourly else f"{date.fromisoformat(name):%d.%m}"


def _some(names: list[str]) -> Iterator[str]:
    """A few of them, evenly, from the first to the last."""
    shown = min(_TICKS, len(names))
    for number in range(shown):
        yield names[round(number * (len(names) - 1) / max(shown - 1, 1))]


def _rows(
    setup: SetUp, by: Part, report: Report, language: str, vocabulary: Vocabulary
) -> list[tuple[str, dict[str, Any], Tally]]:
    names = Names(setup, language)
    say: Mapping[str, Any] = {
        "operator": names.operator,
        "team": names.team,
        "line": names.line,
        "channel": lambda key: vocabulary("channel", key),
    }
    return [
        (_part_name(name, by, report, say), _values(tally, report.norm), tally)
        for name, tally in report.parts.items()
        if tally != Tally() or by not in _BY_TIME
    ]


def _part_name(name: Name, by: Part, report: Report, say: Mapping[str, Any]) -> str:
    if name is None:
        return ""
    if by in _BY_TIME:
        return _tick(name, by == "hour", report.zone)
    return str(say[by](name)) if by in say else name


def _values(tally: Tally, norm: Norm) -> dict[str, Any]:
    return {one.name: one for one in figures_of(tally, norm)}
