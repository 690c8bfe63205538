"""Figures out of counts: each says how it is made, of which interval, and what is left out. Pure.

A figure of nothing is None, never 0. Utilisation is not given: nobody here knows for how long somebody is paid.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from hub.metrics.counting import ABANDONED, CallCounts, Handling, PromiseCounts, ReplyCounts, Tally, TimeCounts
from hub.metrics.percentile import Sample
from hub.metrics.service_level import FORMULAS, Norm, parts

Unit: TypeAlias = Literal["percent", "seconds", "count"]

CALLS_OF = "calls that began in the interval and have ended"
PROMISES_OF = "promises whose due lies in the interval"
REPLIES_OF = "conversations that began in the interval with something written by the client"
TIME_OF = "telephones of operators, by the quarters of an hour that began in the interval"
TOUCHES_OF = "rows of the log that began in the interval"

_INBOUND = ("calls still going on", "outbound and internal calls", "calls outside working hours and barred numbers")
_LOST_APART = "calls lost by us (timeout, no operators, no answer, busy, declined, failed): see lost_by_us"
_HANDLED = ("calls still going on", "internal calls", "a transferred call counts once, for who talked last")
_PROMISES = ("cancelled promises", "promises that still run or are paused", "promises without a due")
_TIME = (
    "pauses",
    "ready outside working hours, or in no queue",
    "time in which nobody listened to the exchange",
)
_REPLIES = ("calls", "automatic mail and automatic answers", "junk and quarantined messages")


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure. A percentage is `numerator / denominator * 100`; `at_least` = what it counts still grows."""

    name: str
    value: float | None
    unit: Unit
    formula: str
    over: str
    exclusions: tuple[str, ...] = ()
    numerator: float | None = None
    denominator: float | None = None
    at_least: bool = False


def figures_of(tally: Tally, norm: Norm) -> tuple[Figure, ...]:
    """All figures, in the order in which they are shown."""
    return (
        *_of_calls(tally.calls, norm),
        *_of_handling("", tally.calls.inbound, "inbound calls that were answered"),
        *_of_handling("outbound_", tally.calls.outbound, "outbound calls that were answered"),
        *_of_time(tally.time),
        *_of_promises(tally.promises),
        *_of_replies(tally.replies),
        _count("touches_inbound", tally.touches.inbound, "inbound rows of the log", TOUCHES_OF),
        _count("touches_outbound", tally.touches.outbound, "outbound rows of the log", TOUCHES_OF),
    )


def _of_calls(counts: CallCounts, norm: Norm) -> Iterator[Figure]:
    yield _count("offered", counts.offered, "inbound calls that somebody was meant to take", CALLS_OF, _INBOUND)
    yield _count("answered", counts.answered, "An", CALLS_OF, _INBOUND)
    yield _count("abandoned", counts.abandoned, "Ab: the caller hung up while waiting", CALLS_OF, _INBOUND)
    yield _count("lost_by_us", counts.lost, "missed although the caller held the line", CALLS_OF, _INBOUND)
    top, bottom = parts(norm.formula, counts)
    formula = f"{norm.formula} = {FORMULAS[norm.formula]}, T = {norm.answer_within_s:g} s"
    yield _share("service_level", top, bottom, f"{formula}, s = {norm.short_abandon_s:g} s", (*_INBOUND, _LOST_APART))
    for name, text in FORMULAS.items():
        top, bottom = parts(name, counts)
        yield _share(f"service_level_{name.lower()}", top, bottom, f"{name} = {text}", (*_INBOUND, _LOST_APART))
    short = counts.short_abandons
    yield _share(
        "abandon_rate",
        counts.missed.get(ABANDONED, 0) - short,
        counts.offered - short,
        f"(Ab - Ab_s) / (O - Ab_s), s = {norm.short_abandon_s:g} s",
        (*_INBOUND, "abandoned sooner than s"),
    )
    yield _share("abandon_rate_plain", counts.abandoned, counts.offered, "Ab / O", _INBOUND)
    yield _share("lost_rate", counts.lost, counts.offered, "lost by us / O", _INBOUND)
    yield _mean("asa_s", counts.waited_s, counts.answered, "wait of the answered / An; ringing included", _INBOUND)
    yield _percentile("wait_p50_s", counts.waits, 50, "median wait of the answered", CALLS_OF, _INBOUND)
    yield _percentile("wait_p90_s", counts.waits, 90, "nearest-rank 90th percentile", CALLS_OF, _INBOUND)


def _of_handling(prefix: str, spent: Handling, what: str) -> Iterator[Figure]:
    yield _count(f"{prefix}handled", spent.calls, what, CALLS_OF, _HANDLED)
    yield _mean(f"{prefix}aht_s", spent.seconds, spent.calls, "(talk + hold + wrap-up) / handled", _HANDLED)


def _of_time(spent: TimeCounts) -> Iterator[Figure]:
    whole = spent.busy_s + spent.ready_s
    formula = "(talk + hold + wrap-up) / (talk + hold + wrap-up + ready)"
    yield _share("occupancy", round(spent.busy_s, 3), round(whole, 3), formula, _TIME, over=TIME_OF)
    for name, seconds, what in (
        ("time_talking_s", spent.talk_s, "telephones in use: talk and hold, calls made and internal ones too"),
        ("time_wrap_up_s", spent.wrap_up_s, "wrap-up after calls"),
        ("time_ready_s", spent.ready_s, "free or ringing, and in a queue"),
        ("time_paused_s", spent.pause_s, "paused, whatever the reason"),
    ):
        yield Figure(name, round(seconds, 3) if whole or spent.pause_s else None, "seconds", what, TIME_OF)


def _of_promises(counts: PromiseCounts) -> Iterator[Figure]:
    yield _count("promises_kept", counts.kept, "met by their due", PROMISES_OF, _PROMISES)
    yield _count("promises_breached", counts.breached, "late, even if met afterwards", PROMISES_OF, _PROMISES)
    yield _count(
        "promises_excused", counts.excused, "breached and excused, counted in breached", PROMISES_OF, _PROMISES
    )
    judged = counts.kept + counts.breached
    yield _share("promises_kept_rate", counts.kept, judged, "kept / (kept + breached)", _PROMISES, over=PROMISES_OF)
    kept = counts.kept + counts.excused
    text = "(kept + excused) / (kept + breached)"
    yield _share("promises_kept_or_excused_rate", kept, judged, text, _PROMISES, over=PROMISES_OF)


def _of_replies(counts: ReplyCounts) -> Iterator[Figure]:
    yield _count("replied", counts.answered, "conversations with a first answer by a person", REPLIES_OF, _REPLIES)
    yield _count("not_replied", counts.waiting, "those that still wait for it", REPLIES_OF, _REPLIES)
    for kind, sample, text in (
        ("", counts.clock, "first answer - first message, by the clock"),
        ("working_", counts.working, "first answer - first message, in working time"),
    ):
        for share in (50, 90, 95):
            name = f"first_response_{kind}p{share}_s"
            yield _percentile(name, sample, share, f"{text}; nearest rank", REPLIES_OF, _REPLIES)


def _count(name: str, value: int, formula: str, over: str, exclusions: tuple[str, ...] = ()) -> Figure:
    return Figure(name, value, "count", formula, over, exclusions)


def _share(
    name: str, top: float, bottom: float, formula: str, exclusions: tuple[str, ...], *, over: str = CALLS_OF
) -> Figure:
    value = round(100 * top / bottom, 2) if bottom else None
    return Figure(name, value, "percent", formula, over, exclusions, top, bottom)


def _mean(name: str, total: float, count: int, formula: str, exclusions: tuple[str, ...]) -> Figure:
    value = round(total / count, 2) if count else None
    return Figure(name, value, "seconds", formula, CALLS_OF, exclusions, round(total, 3), count)


def _percentile(name: str, sample: Sample, share: int, formula: str, over: str, exclusions: tuple[str, ...]) -> Figure:
    found = sample.percentile(share)
    value, at_least = (found.value, found.at_least) if found is not None else (None, False)
    return Figure(name, value, "seconds", formula, over, exclusions, at_least=at_least)
