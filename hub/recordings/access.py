"""Who may hear a call: supervisors all, an operator his own and his teams', as the line says. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hub.actor import Actor


def may_hear(actor: Actor, heard_by: str, operator: str | None, team: str | None, call: Mapping[str, Any]) -> bool:
    """`operator` and `team` are the interaction's; a leg that was answered makes a call his own, too."""
    if actor.may("supervisor"):
        return True
    if heard_by == "supervisors" or actor.operator is None:
        return False
    if actor.operator in {operator, call.get("operator"), *_talkers(call.get("legs") or ())}:
        return True
    return heard_by == "team" and team is not None and team in actor.teams


def _talkers(legs: Iterable[Mapping[str, Any]]) -> list[str | None]:
    return [leg.get("operator") for leg in legs if leg.get("operator") and leg.get("result") == "answered"]
