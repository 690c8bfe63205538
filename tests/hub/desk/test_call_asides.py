"""What an operator's part in a call is besides ringing and talking, read from the facts of the log."""

from __future__ import annotations

from typing import Any

import pytest

from hub.call_parts import find_parts
from hub.desk.phone.aside import Aside, find_aside, heard
from tests.channels.asterisk.test_streams import load, play


def asides(stream: str, operator: str) -> list[tuple[str, Aside | None]]:
    """(phase, what it is) through a recorded call of a real exchange."""
    row: dict[str, Any] = {"call": {}, "ended_at": None}
    found = []
    for touch in play(load(stream)):
        call = {**row["call"], **(touch.call or {})}
        row |= {"direction": touch.direction.value, "call": call, "ended_at": call.get("ended_at")}
        part = find_parts(row, lambda _: None).get(operator)
        found.append((touch.phase or "", find_aside(row, part, operator)))
    return found


def told(stream: str, operator: str) -> list[str]:
    """In a few letters: `phase kind operator extension answered`."""
    return [
        " ".join((phase, one.kind, one.operator, one.extension, "yes" if one.answered else "no"))
        for phase, one in asides(stream, operator)
        if one is not None and phase != "completed"
    ]


WAITS, RINGS, ASKED = "held held   no", "ringing asks boris 102 no", "ringing asked anna  no"
TABLE: list[tuple[str, str, list[str]]] = [
    ("queue_answered_caller_hangup", "anna", []),
    ("queue_ringall", "anna", []),
    ("queue_hold", "anna", [WAITS]),
    (
        "attended_transfer_ami",
        "anna",
        [WAITS, RINGS, "asking asks boris 102 yes", "left handed boris 102 yes", "ended handed boris 102 yes"],
    ),
    ("attended_transfer_ami", "boris", [ASKED, "asking asked anna  yes"]),
    ("attended_transfer_taken_back", "anna", [WAITS, RINGS, "asking asks boris 102 yes"]),
    ("attended_transfer_taken_back", "boris", [ASKED, "asking asked anna  yes", "resumed asked anna  yes"]),
    (
        "blind_transfer_sip_refer",
        "anna",
        ["ringing handed boris 102 no", "transferred handed boris 102 yes", "ended handed boris 102 yes"],
    ),
    ("blind_transfer_sip_refer", "boris", []),
    ("click_to_call_originate", "anna", []),
    ("outbound_101_via_trunk", "anna", []),
]


@pytest.mark.parametrize(("stream", "operator", "wanted"), TABLE, ids=[f"{one[0]}-{one[1]}" for one in TABLE])
def test_a_recorded_call_is_told_like_this(stream: str, operator: str, wanted: list[str]) -> None:
    assert told(stream, operator) == wanted


def test_who_was_only_asked_has_not_talked_to_the_client() -> None:
    for stream, talked in (("attended_transfer_ami", True), ("attended_transfer_taken_back", False)):
        legs: list[dict[str, Any]] = [one for touch in play(load(stream)) for one in (touch.call or {}).get("legs", ())]
        assert heard([one for one in legs if one["ended_at"]], "boris") is talked
        assert heard(legs, "anna") and not heard(legs, "vera")


def test_a_call_between_colleagues_is_handed_to_nobody() -> None:
    legs = [
        {"operator": "anna", "extension": "101", "answered_at": "1", "ended_at": "3"},
        {"operator": "boris", "extension": "102", "answered_at": "2", "ended_at": "3"},
    ]
    row = {"direction": "internal", "ended_at": "3", "call": {"legs": legs, "ringing": []}}
    assert find_aside(row, None, "anna") is None
