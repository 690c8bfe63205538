"""What an operator's part in a call is just now, besides ringing and talking: the client is held, a colleague is asked,
he is asked himself, or the call went on without him. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from hub.call_parts import LIVE, TALKING

Leg = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Aside:
    """`held`: the client waits. `asks`: he waits while `operator` (of `extension`) is asked. `asked`: `operator` asks
    this one. `handed`: the call went on, to `operator` if that is known. `answered` = the other one has picked up."""

    kind: Literal["held", "asks", "asked", "handed"]
    operator: str = ""
    extension: str = ""
    answered: bool = False
    since: datetime | None = None


def find_aside(row: Mapping[str, Any], part: str | None, operator: str) -> Aside | None:
    """`row` is the interaction, `part` what he does in it now (None: nothing any more)."""
    call = row["call"] or {}
    legs: Sequence[Leg] = call.get("legs") or ()
    mine = [leg for leg in legs if leg.get("operator") == operator]
    if part not in LIVE:
        return _handed(row, legs, operator)
    asker = next((leg for leg in mine if leg.get("asked_by") and not leg.get("ended_at")), None)
    if asker is not None:
        return _with("asked", {"operator": asker["asked_by"]}, asker)
    held = call.get("held_since")
    if part != TALKING or not held:
        return None
    asked = next((leg for leg in legs if leg.get("asked_by") == operator and not leg.get("ended_at")), None)
    return _with("asks", asked, asked) if asked is not None else Aside("held", since=datetime.fromisoformat(held))


def heard(legs: Sequence[Leg], operator: str) -> bool:
    """Whether he has talked to the client; whoever was only asked by a colleague has not."""
    return any(leg.get("answered_at") and not leg.get("asked_by") for leg in legs if leg.get("operator") == operator)


def _with(kind: Literal["asks", "asked"], who: Leg, leg: Leg) -> Aside:
    since = leg.get("answered_at") or leg.get("rang_at")
    return Aside(
        kind,
        who.get("operator") or "",
        str(who.get("extension") or ""),
        bool(leg.get("answered_at")),
        datetime.fromisoformat(since) if since else None,
    )


def _handed(row: Mapping[str, Any], legs: Sequence[Leg], operator: str) -> Aside | None:
    """Whoever came after he picked up; nobody when the call ended with him."""
    if row["direction"] == "internal":
        return None
    mine = [leg for leg in legs if leg.get("operator") == operator and not leg.get("asked_by")]
    picked = max((leg["answered_at"] for leg in mine if leg.get("answered_at")), default="")
    if not picked:
        return None
    ringing = set((row["call"] or {}).get("ringing") or ())
    for leg in reversed(legs):
        if leg.get("operator") == operator or leg.get("asked_by"):
            continue
        answered = (leg.get("answered_at") or "") > picked
        if answered or (leg.get("extension") in ringing and (leg.get("rang_at") or "") > picked):
            return Aside("handed", leg.get("operator") or "", str(leg.get("extension") or ""), answered)
    return Aside("handed") if row["ended_at"] is None else None
