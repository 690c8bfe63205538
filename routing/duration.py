"""How long a promise may take, and when its steps are, as a manager writes it.

"90 min", "2 hours" are time by the clock; "4 working hours" open time; "10 working days" closing times of open days;
"14 days", "1 month" the same wall time on another day. A step is "50%", "due", "-30 min", "+1 working days".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from difflib import get_close_matches
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache

SECOND, MINUTE, HOUR = 1, 60, 3600


class BadDuration(ValueError):
    """A duration nobody can read, or one that makes no sense where it stands; the text says what to write."""


class Measure(StrEnum):
    """What a duration is counted in."""

    CLOCK = "clock"
    WORKING = "working"
    DAYS = "days"
    WORKING_DAYS = "working_days"
    MONTHS = "months"


UNITS: dict[str, tuple[Measure, int]] = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), (Measure.CLOCK, SECOND)),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), (Measure.CLOCK, MINUTE)),
    **dict.fromkeys(("h", "hour", "hours"), (Measure.CLOCK, HOUR)),
    **dict.fromkeys(("day", "days"), (Measure.DAYS, 1)),
    **dict.fromkeys(("week", "weeks"), (Measure.DAYS, 7)),
    **dict.fromkeys(("month", "months"), (Measure.MONTHS, 1)),
    **dict.fromkeys(("year", "years"), (Measure.MONTHS, 12)),
}
WORKING = {Measure.CLOCK: Measure.WORKING, Measure.DAYS: Measure.WORKING_DAYS}
WHOLE = {
    Measure.CLOCK: "seconds",
    Measure.WORKING: "seconds",
    Measure.DAYS: 'days; write hours instead: "36 hours"',
    Measure.WORKING_DAYS: 'days; write hours instead: "12 working hours"',
    Measure.MONTHS: 'months; write days instead: "14 days"',
}
SPOKEN = ("seconds", "minutes", "hours", "days", "weeks", "months", "years", "working minutes", "working hours")
MEANT = {"m": '"min" or "months"', "d": '"days"', "w": '"weeks"', "y": '"years"', "business": '"working"'}

WRITTEN = re.compile(r"([+-]?)\s*(\d+(?:\.\d+)?)\s*([a-z]+)(?:\s+([a-z]+))?")
SHARE = re.compile(r"(\d+(?:\.\d+)?)\s*%")


@dataclass(frozen=True, slots=True)
class Duration:
    """A whole amount of one measure: seconds of clock or working time, days, working days or months."""

    measure: Measure
    amount: int

    @classmethod
    def parse(cls, text: str) -> Duration:
        """Read "4 working hours", "14 days", "-30 min"; BadDuration says what is wrong and what was meant."""
        return _parse(text)

    @classmethod
    def target(cls, text: str) -> Duration:
        """Read the length of a promise, which bears no sign and is longer than nothing."""
        if text.strip()[:1] in "+-":
            raise BadDuration(f'"{text}": a target has no sign; only steps are before (-) or after (+) the due')
        duration = _parse(text)
        if duration.amount == 0:
            raise BadDuration(f'"{text}": a target must be longer than nothing')
        return duration

    @property
    def in_time(self) -> bool:
        """True when it is counted in time, by the clock or open; False when in days or months."""
        return self.measure in (Measure.CLOCK, Measure.WORKING)

    @property
    def span(self) -> timedelta:
        """Its length, when it is counted in time."""
        if not self.in_time:
            raise BadDuration(f'"{self}" is not counted in hours')
        return timedelta(seconds=self.amount)

    def __mul__(self, times: int) -> Duration:
        """So many of it in a row: the n-th return of "1 month" is "1 month" * n from the anchor, so it never drifts."""
        return Duration(self.measure, self.amount * times)

    def __neg__(self) -> Duration:
        return Duration(self.measure, -self.amount)

    def __abs__(self) -> Duration:
        return Duration(self.measure, abs(self.amount))

    def __str__(self) -> str:
        number, unit = self.spoken()
        return f"{number} {unit.removesuffix('s') if abs(number) == 1 and unit != 's' else unit}"

    def spoken(self) -> tuple[int, str]:
        """A whole number and the largest unit it fills: (4, "working hours"); parsing it again gives the same."""
        if self.measure is Measure.MONTHS:
            return self.amount, "months"
        if not self.in_time:
            return self.amount, "working days" if self.measure is Measure.WORKING_DAYS else "days"
        sizes = ((HOUR, "hours"), (MINUTE, "min"), (SECOND, "s"))
        unit, name = next(each for each in sizes if self.amount % each[0] == 0)
        return self.amount // unit, f"working {name}" if self.measure is Measure.WORKING else name


@dataclass(frozen=True, slots=True)
class StepTime:
    """When a step of a promise is taken: at a share of its target, or so long before or after its due."""

    share: Fraction | None = None
    offset: Duration | None = None

    @classmethod
    def parse(cls, text: str) -> StepTime:
        """Read "50%", "due", "-30 min" or "+1 working days"; BadDuration says what to write."""
        words = text.strip().casefold()
        if words == "due":
            return cls()
        if found := SHARE.fullmatch(words):
            share = Fraction(found[1]) / 100
            if not 0 < share <= 1:
                raise BadDuration(f'"{text}": a share lies between 0% and 100%; after the due write "+2 hours"')
            return cls(share=share)
        if words[:1] not in ("+", "-"):
            raise BadDuration(f'"{text}": a step is "50%", "due", "-30 min" (before the due) or "+2 hours" (after it)')
        return cls(offset=_parse(words))

    def __str__(self) -> str:
        if self.share is not None:
            percent = self.share * 100
            return f"{percent.numerator if percent.denominator == 1 else float(percent)}%"
        if self.offset is None:
            return "due"
        return f"+{self.offset}" if self.offset.amount >= 0 else str(self.offset)


@lru_cache(maxsize=4096)
def _parse(text: str) -> Duration:
    found = WRITTEN.fullmatch(text.strip().casefold())
    if found is None:
        remedy = f'write "{text.replace(",", ".")}"' if "," in text else 'write a number and a unit: "4 working hours"'
        raise BadDuration(f'"{text}" is not a duration; {remedy}')
    sign, number, first, second = found.groups()
    if second is not None and first != "working":
        raise BadDuration(f'"{text}": what is "{first}"? {_meant(first, ["working"])}')
    measure, size = _unit(text, first if second is None else second)
    if second is not None:
        if measure not in WORKING or size == 7:
            raise BadDuration(f'"{text}": only minutes, hours and days can be working; write "10 working days"')
        measure = WORKING[measure]
    amount = Fraction(number) * size * (-1 if sign == "-" else 1)
    if amount.denominator != 1:
        raise BadDuration(f'"{text}" is not a whole number of {WHOLE[measure]}')
    return Duration(measure, int(amount))


def _unit(text: str, word: str) -> tuple[Measure, int]:
    if word not in UNITS:
        raise BadDuration(f'"{text}": there is no unit "{word}"; {_meant(word, list(UNITS))}')
    return UNITS[word]


def _meant(word: str, known: list[str]) -> str:
    if word in MEANT:
        return f"did you mean {MEANT[word]}?"
    near = get_close_matches(word, known, n=1, cutoff=0.5)
    return f'did you mean "{near[0]}"?' if near else f"known are {', '.join(SPOKEN)}"
