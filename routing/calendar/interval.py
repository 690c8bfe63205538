"""A stretch of time, [start, end), and what can be asked of several of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

FOREVER = datetime.max.replace(tzinfo=UTC)
"""The end of a stretch that nobody has ended yet."""


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """[start, end): both aware instants; an end of FOREVER means "still going on"."""

    start: datetime
    end: datetime = FOREVER

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError(f"an interval needs aware instants, got {self.start} – {self.end}")
        if self.end < self.start:
            raise ValueError(f"an interval ends before it starts: {self.start} – {self.end}")

    @property
    def ended(self) -> bool:
        """False while nobody knows when it ends."""
        return self.end != FOREVER

    @property
    def length(self) -> timedelta:
        """How long it lasts by the clock."""
        return self.end - self.start

    def within(self, start: datetime, end: datetime) -> Interval | None:
        """The part of it inside [start, end); None if there is none."""
        first, last = max(self.start, start), min(self.end, end)
        return Interval(first, last) if first < last else None


def merged(intervals: Iterable[Interval]) -> tuple[Interval, ...]:
    """The same stretch of time in UTC as sorted, disjoint intervals: a minute paused twice is paused once."""
    result: list[Interval] = []
    for interval in sorted(Interval(each.start.astimezone(UTC), _utc(each.end)) for each in intervals):
        if result and interval.start <= result[-1].end:
            result[-1] = Interval(result[-1].start, max(result[-1].end, interval.end))
        elif interval.start < interval.end:
            result.append(interval)
    return tuple(result)


def without(stretch: Interval, holes: Iterable[Interval]) -> tuple[Interval, ...]:
    """What is left of a stretch when sorted, disjoint holes are cut out of it."""
    left: list[Interval] = []
    start = stretch.start
    for hole in holes:
        cut = hole.within(start, stretch.end)
        if cut is None:
            continue
        if start < cut.start:
            left.append(Interval(start, cut.start))
        start = cut.end
    if start < stretch.end:
        left.append(Interval(start, stretch.end))
    return tuple(left)


def _utc(instant: datetime) -> datetime:
    return instant if instant == FOREVER else instant.astimezone(UTC)
