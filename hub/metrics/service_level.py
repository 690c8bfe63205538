"""The five formulas of the service level, and what a house counts as "in time" and as a short abandonment. Pure.

An = answered, Ab = abandoned, T = threshold; An_T and Ab_T = those of them within T; Ab_s = short abandonments.
Asterisk's ServicelevelPerf is SL2, its ServicelevelPerf2 is SL1. Formulas: ICMI Queue Tips (2002, 2005).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from hub.metrics.counting import CallCounts

Formula: TypeAlias = Literal["SL1", "SL2", "SL3", "SL4", "SL5"]

FORMULAS: dict[Formula, str] = {
    "SL1": "(An_T + Ab_T) / (An + Ab)",
    "SL2": "An_T / An",
    "SL3": "An_T / (An + Ab)",
    "SL4": "An_T / (An + Ab - Ab_T)",
    "SL5": "(An_T + Ab_s) / (An + Ab)",
}
USUAL: Formula = "SL4"
HALF = "half"


@dataclass(frozen=True, slots=True)
class Norm:
    """What one team (or the whole house) calls in time: answered within T; abandoned sooner than `short_abandon_s`."""

    formula: Formula = USUAL
    answer_within_s: float = 20.0
    short_abandon_s: float = 5.0


def make_norm(formula: Formula, answer_within_s: float, short_abandon: float | Literal["half"]) -> Norm:
    """`half` is the rule of half the threshold and one second: 11 s for 20 s."""
    short = 0.5 * answer_within_s + 1 if short_abandon == HALF else float(short_abandon)
    return Norm(formula, float(answer_within_s), short)


def parts(formula: Formula, counts: CallCounts) -> tuple[int, int]:
    """Numerator and denominator."""
    answered, abandoned = counts.answered, counts.abandoned
    if formula == "SL1":
        return counts.answered_in_time + counts.abandoned_in_time, answered + abandoned
    if formula == "SL2":
        return counts.answered_in_time, answered
    if formula == "SL3":
        return counts.answered_in_time, answered + abandoned
    if formula == "SL4":
        return counts.answered_in_time, answered + abandoned - counts.abandoned_in_time
    return counts.answered_in_time + counts.short_abandons, answered + abandoned
