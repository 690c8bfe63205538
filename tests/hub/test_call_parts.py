"""Who has which part in a call, phase by phase of recorded calls of a real PBX."""

from __future__ import annotations

from typing import Any

import pytest

from hub.call_parts import find_parts
from tests.channels.asterisk.test_streams import load, play

R, D, T = "ringing", "dialling", "talking"
ANNA, BORIS, VERA = {"anna": R}, {"boris": R}, {"vera": R}
BORIS_TOO = {"anna": T, "boris": T}
ASKING: list[dict[str, str]] = [ANNA, {"anna": T}, {"anna": T}, {"anna": T, "boris": R}, BORIS_TOO]
TABLE: list[tuple[str, list[dict[str, str]]]] = [
    ("queue_answered_caller_hangup", [{}, ANNA, {"anna": T}, {}]),
    ("queue_abandoned", [{}, ANNA, {}]),
    ("queue_agent_declines", [{}, ANNA, {}, BORIS, {}, VERA, {}, ANNA, {}]),
    ("queue_ringall", [{}, ANNA, ANNA | BORIS, ANNA | BORIS | VERA, {"anna": T}, {}]),
    ("queue_hold", [{}, ANNA, {"anna": T}, {"anna": T}, {"anna": T}, {}]),
    ("blind_transfer_sip_refer", [ANNA, {"anna": T}, BORIS, {"boris": T}, {}]),
    ("attended_transfer_ami", [*ASKING, BORIS_TOO, {"boris": T}, {}]),
    ("attended_transfer_taken_back", [{}, *ASKING, BORIS_TOO, {"anna": T}, {}]),
    ("click_to_call_originate", [{"anna": D}, {"anna": D}, {"anna": T}, {}]),
    ("click_to_call_operator_no_answer", [{"anna": D}, {}]),
    ("outbound_101_via_trunk", [{"anna": D}, {"anna": T}, {}]),
]


@pytest.mark.parametrize(("name", "wanted"), TABLE, ids=[name for name, _ in TABLE])
def test_parts_follow_the_phases(name: str, wanted: list[dict[str, str]]) -> None:
    row: dict[str, Any] = {"call": {}, "ended_at": None}
    seen = []
    for touch in play(load(name)):
        call = {**row["call"], **(touch.call or {})}
        row |= {"direction": touch.direction.value, "call": call, "ended_at": call.get("ended_at")}
        seen.append(find_parts(row, lambda extension: None))
    assert seen[: len(wanted)] == wanted
    assert all(not parts for parts in seen[len(wanted) :]), "what comes late changes nothing"


def test_an_extension_without_a_key_is_looked_up() -> None:
    leg = {"operator": None, "extension": "101", "rang_at": "2026-11-21T10:00:00+00:00", "answered_at": None}
    row = {"direction": "inbound", "ended_at": None, "call": {"legs": [leg], "ringing": ["101"]}}
    assert find_parts(row, {"101": "anna"}.get) == {"anna": R}
    assert find_parts(row, {"102": "boris"}.get) == {}


def test_what_is_no_call_is_on_nobodys_telephone() -> None:
    assert find_parts({"direction": "inbound", "ended_at": None, "call": None}, lambda extension: "anna") == {}
