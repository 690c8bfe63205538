"""What stands in the way of closing a conversation: gates whose fields are not filled. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from routing.facts import Facts, InteractionFacts
from routing.regulations.gate import Regulation as Gate


@dataclass(frozen=True, slots=True)
class Blocked:
    """One gate, and the fields it misses."""

    regulation: str
    title: str
    missing: tuple[str, ...]


def find_blocking(facts: Facts, touches: Mapping[int, InteractionFacts], language: str = "en") -> tuple[Blocked, ...]:
    """The gates that stand open among `facts.obligations`; `touches` are the interactions they stand behind."""
    found = []
    for each in facts.obligations:
        rule = facts.book.current(each.regulation)
        if not each.is_open or not isinstance(rule, Gate):
            continue
        missing = rule.missing(facts, touches.get(each.started_by or 0))
        if missing:
            found.append(Blocked(rule.key, rule.common.title_in(language), missing))
    return tuple(found)
