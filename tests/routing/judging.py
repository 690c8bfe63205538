"""Short words for tests about decisions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from routing.decisions import Decision, StartObligation
from routing.facts import Facts, ObligationFacts
from routing.fold import EFFECTS, begun, fold


def only(decisions: Iterable[Decision], kind: type) -> Any:
    """The one decision of a kind."""
    found = [each for each in decisions if isinstance(each, kind)]
    assert len(found) == 1, decisions
    return found[0]


def names(decisions: Iterable[Decision]) -> list[str]:
    """What was decided."""
    return [type(each).__name__ for each in decisions]


def after(decisions: Iterable[Decision], obligations: Iterable[ObligationFacts], facts: Facts) -> list[ObligationFacts]:
    """The promises as the decisions leave them."""
    state = {each.id: each for each in obligations}
    for decision in decisions:
        if isinstance(decision, StartObligation):
            number = max(state, default=0) + 1
            state[number] = begun(number, decision)
        elif (effect := EFFECTS.get(type(decision))) is not None:
            mine = state[decision.obligation]  # type: ignore[union-attr]
            state[mine.id] = fold(mine, effect(mine, decision, facts.now))
    return list(state.values())
