"""Asks the log for the counts of an interval, whole and by parts, and makes figures of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Literal, TypeAlias, get_args

from sqlalchemy import Connection

from hub.metrics.counting import (
    ABANDONED,
    CallCounts,
    Handling,
    PromiseCounts,
    ReplyCounts,
    Tally,
    TimeCounts,
    TouchCounts,
    add_up,
)
from hub.metrics.figures import Figure, figures_of
from hub.metrics.norms import limits_of, norm_of
from hub.metrics.percentile import Sample
from hub.metrics.service_level import Norm
from hub.setup.snapshot import SetUp
from storage.repositories import figures as rows
from storage.repositories.figures import QUARTER_S, Key, Span

Part: TypeAlias = Literal["hour", "day", "operator", "team", "queue", "line", "channel"]
PARTS: tuple[Part, ...] = get_args(Part)
MOST_DAYS = 400
_EPOCH = date(1970, 1, 1)
MOST_HOURS = 31 * 24

Name: TypeAlias = str | None
"""What a part is called: a set-up key, a queue, a local day, the instant that begins an hour; None: nobody's."""


@dataclass(frozen=True, slots=True)
class Report:
    """Counts of an interval. `parts` are in order: hours and days by time, without gaps; the rest by name."""

    span: Span
    zone: tzinfo
    norm: Norm
    total: Tally
    parts: Mapping[Name, Tally]

    def figures(self) -> tuple[Figure, ...]:
        """Of the whole interval."""
        return figures_of(self.total, self.norm)


def read_report(connection: Connection, setup: SetUp, span: Span, by: Part | None, now: datetime) -> Report:
    """Count an interval. What is asked by hour or day is cut in the zone of the team, else of the company."""
    zone = setup.zone_of(team=span.team)
    name_of = _namer(by, zone)
    grouped: rows.By = "quarter" if by == "hour" else by if by is not None else "none"
    if by == "day":
        span = replace(span, offsets=tuple(offsets(span.since, span.until, zone)))
    found: dict[Name, Tally] = defaultdict(Tally)
    if by in ("hour", "day"):
        found.update((name, Tally()) for name in _slots(span, by, zone))
    for counted in (
        _calls(connection, setup, span, grouped, name_of),
        _promises(connection, span, grouped, name_of),
        _replies(connection, setup, span, grouped, name_of, now),
        _touches(connection, span, grouped, name_of),
        _time(connection, setup, span, grouped, name_of),
    ):
        for name, tally in counted:
            found[name] = found[name] + tally
    ordered = found if by in ("hour", "day") else dict(sorted(found.items(), key=lambda one: (one[0] is None, one[0])))
    total = add_up(found.values(), Tally())
    return Report(span, zone, norm_of(setup, span.team), total, dict(ordered) if by else {})


def _namer(by: Part | None, zone: tzinfo) -> Callable[[Key], Name]:
    def hour(key: Key) -> Name:
        return hour_of(datetime.fromtimestamp(int(key or 0) * QUARTER_S, UTC), zone)

    def day(key: Key) -> Name:
        return (_EPOCH + timedelta(days=int(key or 0))).isoformat()

    def plain(key: Key) -> Name:
        return None if key is None else str(key)

    return hour if by == "hour" else day if by == "day" else plain


def offsets(since: datetime, until: datetime, zone: tzinfo) -> Iterator[tuple[datetime, int]]:
    """By how many seconds local time is ahead of UTC, each until when: zones change on quarters of an hour."""

    def ahead(at: datetime) -> int:
        return int((at.astimezone(zone).utcoffset() or timedelta()).total_seconds())

    quarter = timedelta(seconds=QUARTER_S)
    at = datetime.fromtimestamp(since.timestamp() // QUARTER_S * QUARTER_S, UTC)
    while at < until:
        later = min(at + timedelta(days=1), until)
        if ahead(later) != ahead(at):
            while at + quarter < later and ahead(at + quarter) == ahead(at):
                at += quarter
            yield at + quarter, ahead(at)
            later = at + quarter
        at = later
    yield until, ahead(until)


def hour_of(at: datetime, zone: tzinfo) -> str:
    """The instant at which the local hour began, UTC with Z: an hour that comes twice in autumn is two."""
    local = at.astimezone(zone)
    began = at - timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
    return began.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def day_of(at: datetime, zone: tzinfo) -> str:
    """The local day."""
    return at.astimezone(zone).date().isoformat()


def midnight(at: datetime, zone: tzinfo) -> datetime:
    """When the local day began, in UTC; just before midnight it is still the day that ends."""
    local = (at - timedelta(microseconds=1)).astimezone(zone)
    return local.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)


def _slots(span: Span, by: Part | None, zone: tzinfo) -> Iterator[str]:
    """Every hour or day of the interval once, in order."""
    seen = ""
    at = span.since
    while at < span.until:
        name = hour_of(at, zone) if by == "hour" else day_of(at, zone)
        if name != seen:
            yield name
            seen = name
        at += timedelta(seconds=QUARTER_S)


Counted: TypeAlias = Iterator[tuple[Name, Tally]]


def _calls(connection: Connection, setup: SetUp, span: Span, by: rows.By, name_of: Callable[[Key], Name]) -> Counted:
    within, short_under = limits_of(setup)
    gathered: dict[Name, list[rows.CallRow]] = defaultdict(list)
    for row in rows.count_calls(connection, span, by, within, short_under):
        gathered[name_of(row.key)].append(row)
    for name, group in gathered.items():
        yield name, Tally(calls=tally_calls(group))


def tally_calls(group: list[rows.CallRow]) -> CallCounts:
    """Counts of calls grouped by what they have in common. Pure."""
    inbound = [row for row in group if row.direction == "inbound"]
    answered = [row for row in inbound if row.outcome == "answered"]
    abandoned = [row for row in inbound if row.outcome == "missed" and row.reason == ABANDONED]
    outbound = [row for row in group if row.direction == "outbound"]
    missed: dict[str, int] = defaultdict(int)
    for row in inbound:
        if row.outcome == "missed":
            missed[row.reason or "failed"] += row.calls
    waits: dict[float, int] = defaultdict(int)
    for row in answered:
        waits[row.tenths / 10] += row.calls
    return CallCounts(
        answered=_number(answered),
        answered_in_time=sum(row.calls for row in answered if row.in_time),
        abandoned_in_time=sum(row.calls for row in abandoned if row.in_time),
        short_abandons=sum(row.calls for row in abandoned if row.short),
        waited_s=sum(row.waited_s for row in answered),
        waits=Sample(dict(waits)),
        missed=dict(missed),
        inbound=_handling(answered),
        outbound=_handling([row for row in outbound if row.outcome == "answered"]),
        outbound_tried=_number(outbound),
    )


def _number(group: list[rows.CallRow]) -> int:
    return sum(row.calls for row in group)


def _handling(group: list[rows.CallRow]) -> Handling:
    return Handling(
        _number(group),
        sum(row.talk_s for row in group),
        sum(row.hold_s for row in group),
        sum(row.wrap_s for row in group),
    )


def _promises(connection: Connection, span: Span, by: rows.By, name_of: Callable[[Key], Name]) -> Counted:
    for row in rows.count_promises(connection, span, by):
        yield name_of(row.key), Tally(promises=PromiseCounts(row.kept, row.breached, row.excused, row.cancelled))


def _touches(connection: Connection, span: Span, by: rows.By, name_of: Callable[[Key], Name]) -> Counted:
    for row in rows.count_touches(connection, span, by):
        inbound = row.direction == "inbound"
        yield name_of(row.key), Tally(touches=TouchCounts(row.rows if inbound else 0, 0 if inbound else row.rows))


def _time(connection: Connection, setup: SetUp, span: Span, by: rows.By, name_of: Callable[[Key], Name]) -> Counted:
    """Time belongs to operators: that of a team is its operators', of whom each counts for his first team in the
    report of all teams. It has no queue and no channel."""
    if by in ("queue", "channel") or span.queue is not None or span.channel is not None:
        return
    teams = ((span.team,) if span.team is not None else ()) + (span.teams or ())
    operators = {one for team in teams for one in setup.members(team)} if teams or span.teams is not None else None
    for row in rows.count_time(connection, span, by, operators):
        name = _team_of(setup, span, str(row.key)) if by == "team" else name_of(row.key)
        yield name, Tally(time=TimeCounts(**{f"{row.kind}_s": row.seconds}))


def _team_of(setup: SetUp, span: Span, operator: str) -> Name:
    known = setup.operators.get(operator)
    wanted = (span.team,) if span.team is not None else span.teams
    return next((team for team in (known.teams if known else ()) if wanted is None or team in wanted), None)


def _replies(
    connection: Connection, setup: SetUp, span: Span, by: rows.By, name_of: Callable[[Key], Name], now: datetime
) -> Counted:
    gathered: dict[Name, list[rows.ReplyRow]] = defaultdict(list)
    for row in rows.read_replies(connection, span, by):
        gathered[name_of(row.key)].append(row)
    for name, group in gathered.items():
        yield name, Tally(replies=_tally_replies(setup, group, now))


def _tally_replies(setup: SetUp, group: list[rows.ReplyRow], now: datetime) -> ReplyCounts:
    clock, working = _Spans(), _Spans()
    for row in group:
        done, until = row.replied_at is not None, row.replied_at or max(now, row.first_at)
        clock.add((until - row.first_at).total_seconds(), done)
        calendar = setup.book.calendar_for(None, row.team)
        working.add(calendar.open_between(row.first_at, until).total_seconds(), done)
    answered = sum(row.replied_at is not None for row in group)
    return ReplyCounts(answered, len(group) - answered, clock.sample(), working.sample())


class _Spans:
    """Counts whole seconds, those that still grow apart."""

    def __init__(self) -> None:
        self._final: dict[float, int] = defaultdict(int)
        self._growing: dict[float, int] = defaultdict(int)

    def add(self, seconds: float, final: bool) -> None:
        (self._final if final else self._growing)[float(round(seconds))] += 1

    def sample(self) -> Sample:
        return Sample(dict(self._final), dict(self._growing))
