"""What stands in the way of closing a touch: gates whose fields are not filled. Pure; the desk asks before closing."""

from __future__ import annotations

from dataclasses import dataclass

from routing.facts import Facts
from routing.regulations.gate import Regulation as Gate


@dataclass(frozen=True, slots=True)
class Blocked:
    """One gate, and the fields it misses."""

    regulation: str
    title: str
    missing: tuple[str, ...]


def find_blocking(facts: Facts, language: str = "en") -> tuple[Blocked, ...]:
    """Every gate that holds for `facts.interaction` and is not passed yet."""
    touch = facts.interaction
    if touch is None:
        return ()
    gates = (rule for rule in facts.book.rules if isinstance(rule, Gate) and rule.done_with(touch, facts))
    found = ((rule, rule.missing(facts, touch)) for rule in gates if rule.applies(facts))
    return tuple(Blocked(rule.key, rule.common.title_in(language), missing) for rule, missing in found if missing)
