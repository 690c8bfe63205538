"""Excuses that suggest themselves: the line was down while the promise ran. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from routing.facts import ObligationFacts


@dataclass(frozen=True, slots=True)
class Outage:
    """A stretch in which a line did not work; `ended_at` is None while it lasts."""

    line: str
    began_at: datetime
    ended_at: datetime | None
    reason: str = ""


def suggest(
    obligation: ObligationFacts, lines: Iterable[str], outages: Iterable[Outage], now: datetime
) -> Outage | None:
    """The outage of one of the client's lines that took most of the promise's time; None when none overlaps."""
    end = obligation.met_at or obligation.due or now
    mine = set(lines)
    found: tuple[timedelta, Outage] | None = None
    for each in outages:
        overlap = min(each.ended_at or now, end) - max(each.began_at, obligation.started)
        if each.line in mine and overlap > timedelta() and (found is None or overlap > found[0]):
            found = (overlap, each)
    return found[1] if found else None
