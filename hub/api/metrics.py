"""Figures of an interval: service level, waits, handling, promises, first responses, whole and by parts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field
from typing_extensions import TypedDict

from hub.api.call import Call, operation
from hub.api.values import Asked, Instant, Key, Shown, show
from hub.errors import BadInput
from hub.metrics.counting import Tally
from hub.metrics.figures import Figure, figures_of
from hub.metrics.norms import other_norms
from hub.metrics.reading import MOST_DAYS, MOST_HOURS, Part, Report, midnight, read_report
from hub.metrics.service_level import Norm
from hub.setup.snapshot import SetUp
from storage.repositories.figures import Span

IntervalOut = TypedDict("IntervalOut", {"from": Shown, "to": Shown})
"""[from, to)."""


class FigureOut(TypedDict):
    """One figure with how it is made. `at_least`: some of what it counts still grows. Null: nothing to count."""

    name: str
    value: float | None
    unit: Literal["percent", "seconds", "count"]
    numerator: float | None
    denominator: float | None
    at_least: bool
    formula: str
    over: str
    interval: IntervalOut
    exclusions: list[str]


class NormOut(TypedDict):
    """What counts as in time; `team` null = everybody whose team has no keys of its own."""

    team: str | None
    service_level: Literal["SL1", "SL2", "SL3", "SL4", "SL5"]
    answer_within_s: float
    short_abandon_s: float


class PartOut(TypedDict):
    """One part: `key` is a set-up key, a queue, a local day, or the instant that begins an hour; null = nobody's.

    `figures` have the names of the whole's, and are made alike. `missed` are missed inbound calls by reason.
    """

    key: str | None
    figures: dict[str, float | None]
    missed: dict[str, int]


MetricsOut = TypedDict(
    "MetricsOut",
    {
        "from": Shown,
        "to": Shown,
        "by": str | None,
        "zone": str,
        "norms": list[NormOut],
        "figures": list[FigureOut],
        "missed": dict[str, int],
        "items": list[PartOut],
    },
)
"""Figures of an interval. Percentages of the whole are made of summed counts, never of the parts' percentages."""


class MetricsQuery(Asked):
    """Without `from` it is the local day of `to`, without `to` it ends now."""

    model_config = ConfigDict(extra="forbid", populate_by_name=False)

    since: Annotated[Instant | None, Field(alias="from", description="first instant that counts")] = None
    until: Annotated[Instant | None, Field(alias="to", description="first instant that does not")] = None
    by: Annotated[Part | None, Field(description="parts; hours for at most 31 days")] = None
    team: Key | None = None
    operator: Key | None = None
    queue: Key | None = None
    line: Key | None = None
    channel: Key | None = None


@operation(
    "GET",
    "/metrics",
    tag="figures",
    summary="Figures of an interval",
    query=MetricsQuery,
    answer=MetricsOut,
    role="supervisor",
    refusals=(422,),
)
async def get_metrics(call: Call[MetricsQuery, Any]) -> MetricsOut:
    """Calls count in the interval in which they began, promises in that of their due. At most 400 days."""
    setup, asked, now = call.setup, call.query, call.hub.store.now()
    span = _span(setup, asked, now)
    report = await call.read(lambda connection: read_report(connection, setup, span, asked.by, now))
    return _shown(setup, report, asked.by)


def _span(setup: SetUp, asked: MetricsQuery, now: datetime) -> Span:
    until = asked.until or now
    since = asked.since or midnight(until, setup.zone_of(team=asked.team))
    if since >= until:
        raise BadInput("the interval ends before it begins", field="to", remedy="give a later `to` than `from`")
    if until - since > timedelta(days=MOST_DAYS):
        raise BadInput(f"more than {MOST_DAYS} days", field="from", remedy="ask for a shorter interval")
    if asked.by == "hour" and until - since > timedelta(hours=MOST_HOURS):
        raise BadInput("more than 31 days by the hour", field="by", remedy="ask by day")
    return Span(since, until, asked.team, asked.operator, asked.queue, asked.line, asked.channel)


def _shown(setup: SetUp, report: Report, by: Part | None) -> MetricsOut:
    interval: IntervalOut = {"from": show(report.span.since) or "", "to": show(report.span.until) or ""}
    own = {} if report.span.team else other_norms(setup)
    return {
        "from": interval["from"],
        "to": interval["to"],
        "by": by,
        "zone": str(report.zone),
        "norms": [_norm(report.span.team, report.norm), *(_norm(team, one) for team, one in sorted(own.items()))],
        "figures": [_figure(one, interval) for one in report.figures()],
        "missed": dict(report.total.calls.missed),
        "items": [_part(key, one, report.norm) for key, one in report.parts.items()],
    }


def _norm(team: str | None, norm: Norm) -> NormOut:
    return {
        "team": team,
        "service_level": norm.formula,
        "answer_within_s": norm.answer_within_s,
        "short_abandon_s": norm.short_abandon_s,
    }


def _figure(one: Figure, interval: IntervalOut) -> FigureOut:
    return {
        "name": one.name,
        "value": one.value,
        "unit": one.unit,
        "numerator": one.numerator,
        "denominator": one.denominator,
        "at_least": one.at_least,
        "formula": one.formula,
        "over": one.over,
        "interval": interval,
        "exclusions": list(one.exclusions),
    }


def _part(key: str | None, tally: Tally, norm: Norm) -> PartOut:
    figures = {one.name: one.value for one in figures_of(tally, norm)}
    return {"key": key, "figures": figures, "missed": dict(tally.calls.missed)}
