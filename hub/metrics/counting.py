"""What is counted of calls, promises and replies. Counts of parts add up to the counts of the whole. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

from hub.metrics.percentile import Sample

ABANDONED = "abandoned"
LEFT = "cancelled"
LOST_BY_US = ("timeout", "no_operators", "no_answer", "busy", "declined", "failed")
NOT_OFFERED = ("closed", "blocked")
"""Calls that nobody was meant to take: outside working hours, or from a number that is barred."""

Added = TypeVar("Added", bound="Counts | Sample")


@dataclass(frozen=True, slots=True)
class Counts:
    """Anything counted: adds up field by field."""

    def __add__(self: Added, other: Added) -> Added:
        return add_up((other,), self)


def add_up(parts: Iterable[Added], nothing: Added) -> Added:
    """The whole of some parts, each looked at once, however many there are."""
    several = (nothing, *parts)
    return type(nothing)(*(_sum([getattr(each, one.name) for each in several]) for one in fields(nothing)))


def _sum(values: list[Any]) -> Any:
    first = values[0]
    if isinstance(first, Counts | Sample):
        return add_up(values[1:], first)
    if not isinstance(first, Mapping):
        return sum(values)
    whole: Counter[Any] = Counter()
    for each in values:
        whole.update(each)
    return dict(whole)


@dataclass(frozen=True, slots=True)
class Handling(Counts):
    """Calls that were talked, and the seconds they took: talk without hold, hold, and wrap-up."""

    calls: int = 0
    talk_s: float = 0.0
    hold_s: float = 0.0
    wrap_s: float = 0.0

    @property
    def seconds(self) -> float:
        """All of it."""
        return self.talk_s + self.hold_s + self.wrap_s


@dataclass(frozen=True, slots=True)
class CallCounts(Counts):
    """Calls that have ended. `in_time` = within the threshold of the call's own team; `waited_s` is of the answered.

    `missed` are inbound calls by reason, abandonments among them. `waits` are the waits of the answered ones.
    """

    answered: int = 0
    answered_in_time: int = 0
    abandoned_in_time: int = 0
    short_abandons: int = 0
    waited_s: float = 0.0
    waits: Sample = field(default_factory=Sample)
    missed: Mapping[str, int] = field(default_factory=dict)
    inbound: Handling = field(default_factory=Handling)
    outbound: Handling = field(default_factory=Handling)
    outbound_tried: int = 0

    @property
    def abandoned(self) -> int:
        """Callers who hung up while they waited."""
        return self.missed.get(ABANDONED, 0)

    @property
    def lost(self) -> int:
        """Callers who held the line until we gave up."""
        return sum(self.missed.get(reason, 0) for reason in LOST_BY_US)

    @property
    def offered(self) -> int:
        """All that somebody was meant to take."""
        return self.answered + sum(count for reason, count in self.missed.items() if reason not in NOT_OFFERED)


@dataclass(frozen=True, slots=True)
class PromiseCounts(Counts):
    """Promises by the interval of their due. `breached` were late, even if kept afterwards; `excused` are of those."""

    kept: int = 0
    breached: int = 0
    excused: int = 0
    cancelled: int = 0


@dataclass(frozen=True, slots=True)
class ReplyCounts(Counts):
    """First responses to what was written, in seconds by the clock and in open time.

    What still waits is in `waiting` with its age, and in the samples as "at least so long".
    """

    answered: int = 0
    waiting: int = 0
    clock: Sample = field(default_factory=Sample)
    working: Sample = field(default_factory=Sample)


@dataclass(frozen=True, slots=True)
class TimeCounts(Counts):
    """Seconds of operators' telephones: in use (talk and hold), in wrap-up, ready for a call, paused."""

    talk_s: float = 0.0
    wrap_up_s: float = 0.0
    ready_s: float = 0.0
    pause_s: float = 0.0

    @property
    def busy_s(self) -> float:
        """Working on calls."""
        return self.talk_s + self.wrap_up_s


@dataclass(frozen=True, slots=True)
class TouchCounts(Counts):
    """Rows of the log."""

    inbound: int = 0
    outbound: int = 0


@dataclass(frozen=True, slots=True)
class Tally(Counts):
    """Everything that is counted of one interval, or of one part of it."""

    calls: CallCounts = field(default_factory=CallCounts)
    promises: PromiseCounts = field(default_factory=PromiseCounts)
    replies: ReplyCounts = field(default_factory=ReplyCounts)
    touches: TouchCounts = field(default_factory=TouchCounts)
    time: TimeCounts = field(default_factory=TimeCounts)
