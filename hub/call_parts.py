"""Who of ours has which part in a call: whose telephone rings for it, who dials, who talks. Pure.

It is read from the call's facts in the log, so that every process and every restart sees the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hub.setup.snapshot import SetUp

RINGING, DIALLING, TALKING = "ringing", "dialling", "talking"
LIVE = (RINGING, DIALLING, TALKING)

Named = Callable[[str], str | None]
"""An extension -> the operator's key."""


def find_parts(row: Mapping[str, Any], named: Named) -> dict[str, str]:
    """Operator -> `ringing`, `dialling` or `talking`, for everybody who has a part in an interaction now.

    Whoever rang while somebody else picked up rings no more, although the PBX says so a moment later only.
    """
    call: Mapping[str, Any] | None = row["call"]
    if call is None or row["ended_at"] is not None:
        return {}
    legs: list[Mapping[str, Any]] = list(call.get("legs") or ())
    ringing = set(call.get("ringing") or ())
    # instants are UTC as Python writes them: they sort as texts
    picked = max((leg["answered_at"] for leg in legs[_ours(row) :] if leg.get("answered_at")), default="")
    found: dict[str, str] = {}
    for number, leg in enumerate(legs):
        if number < _ours(row):
            part = _caller(leg, answered=bool(call.get("outcome")))
        else:
            part = _called(leg, ringing, picked)
        operator = leg.get("operator") or named(leg.get("extension") or "")
        if operator is not None and part is not None and found.get(operator) != TALKING:
            found[operator] = part
    return found


def phones_of(row: Mapping[str, Any], setup: SetUp) -> str | None:
    """What an event says of a call: the operators who have a part in it; None for what is no call."""
    if row["call"] is None:
        return None
    return ",".join(sorted(find_parts(row, setup.operator_by_extension)))


def _ours(row: Mapping[str, Any]) -> int:
    """With how many legs of ours, that call, it begins."""
    return 0 if row["direction"] == "inbound" else 1


def _caller(leg: Mapping[str, Any], *, answered: bool) -> str | None:
    if leg.get("ended_at"):
        return None
    return TALKING if answered else DIALLING


def _called(leg: Mapping[str, Any], ringing: set[str], picked: str) -> str | None:
    if leg.get("answered_at"):
        return None if leg.get("ended_at") else TALKING
    rings = leg.get("extension") in ringing and not leg.get("result")
    return RINGING if rings and (leg.get("rang_at") or "") > picked else None
