"""Nearest-rank percentiles over counted values; a value that still grows makes them "at least". Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil


@dataclass(frozen=True, slots=True)
class Value:
    """A percentile. `at_least`: some of what it ranks still grows, so it can only become more."""

    value: float
    at_least: bool = False


@dataclass(frozen=True, slots=True)
class Sample:
    """Counted values: value -> how often. `growing` are lower bounds of values that are not final yet."""

    final: Mapping[float, int] = field(default_factory=dict)
    growing: Mapping[float, int] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """How many values there are."""
        return sum(self.final.values()) + sum(self.growing.values())

    def percentile(self, share: int) -> Value | None:
        """The smallest value that `share` percent of all values do not exceed; None of nothing."""
        rank = ceil(self.size * share / 100)
        if self.size == 0:
            return None
        seen = 0
        for value, count in sorted((Counter(self.final) + Counter(self.growing)).items()):
            seen += count
            if seen >= rank:
                return Value(value, any(bound <= value for bound in self.growing))
        raise AssertionError("the rank is never beyond the size")
