"""Every scenario on a real Asterisk with real SIP telephones, watched by the full and by the lean manager user."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from tests.channels.asterisk.encore import Encore, Results
from tests.channels.asterisk.show import SCENARIOS, play_all
from tests.peers.asterisk import STRANGE, Asterisk
from tests.peers.missing import PeerMissing, do_without

ANSWERED = {"outcome": "answered", "reason": None, "direction": "inbound", "from": "+79161234567"}
MISSED = {"outcome": "missed", "operator": None, "direction": "inbound", "from": "+79161234567"}
OUT = {"direction": "outbound"}

EXPECTED: dict[str, dict[str, Any]] = {
    "answered_caller_hangs_up": ANSWERED | {"ended_by": "caller", "legs": ["answered"]},
    "answered_operator_hangs_up": ANSWERED | {"ended_by": "operator", "legs": ["answered"]},
    "abandoned": MISSED | {"reason": "abandoned", "ended_by": "caller", "legs": ["cancelled"]},
    "timeout_to_voicemail": MISSED | {"reason": "timeout", "legs": ["no_answer", "no_answer"]},
    "declined_by_all": MISSED | {"reason": "abandoned"},
    "direct_declined": MISSED | {"reason": "declined", "queue": None, "legs": ["declined"]},
    "direct_busy": MISSED | {"reason": "busy", "legs": ["busy"]},
    "direct_no_answer": MISSED | {"reason": "no_answer", "legs": ["no_answer"]},
    "direct_cancelled": MISSED | {"reason": "cancelled", "ended_by": "caller", "legs": ["cancelled"]},
    "no_answer_then_next": ANSWERED | {"legs": ["no_answer", "answered"]},
    "ring_all": ANSWERED,
    "held": ANSWERED,
    "transferred_by_refer": ANSWERED | {"legs": ["answered", "answered"]},
    "transferred_blindly": ANSWERED | {"legs": ["answered", "answered"]},
    "transferred_after_asking": ANSWERED | {"legs": ["answered", "answered"], "ended_by": "caller"},
    "redirected": ANSWERED | {"legs": ["cancelled", "answered"]},
    "clicked": OUT | {"outcome": "answered", "legs": ["answered"]},
    "clicked_operator_silent": OUT | {"outcome": "missed", "reason": "no_answer", "legs": ["no_answer"]},
    "clicked_client_busy": OUT | {"outcome": "missed", "reason": "busy"},
    "dialled_out": OUT | {"outcome": "answered", "ended_by": "operator", "legs": ["answered"]},
    "internal": {"direction": "internal", "outcome": "answered", "party": []},
    "nobody_logged_in": MISSED | {"reason": "no_operators", "legs": []},
    "hidden_number": {"outcome": "answered", "from": None, "party": []},
}
WHO = {
    "answered_caller_hangs_up": 0,
    "answered_operator_hangs_up": 0,
    "no_answer_then_next": 1,
    "ring_all": 1,
    "held": 0,
    "transferred_by_refer": 1,
    "transferred_blindly": 1,
    "transferred_after_asking": 1,
    "redirected": 2,
    "clicked": 0,
    "clicked_client_busy": 0,
    "clicked_operator_silent": 0,
    "dialled_out": 0,
}


def _show(pbx: Asterisk) -> Encore[dict[str, Any]]:
    def play(names: set[str] | None) -> Results[dict[str, Any]]:
        try:
            return asyncio.run(play_all(pbx, names))
        except PeerMissing as problem:
            do_without(problem)

    return Encore(play)


@pytest.fixture(scope="module")
def plain(asterisk: Asterisk) -> Encore[dict[str, Any]]:
    return _show(asterisk)


@pytest.fixture(scope="module")
def strange() -> Iterator[Encore[dict[str, Any]]]:
    try:
        pbx = Asterisk(names=STRANGE)
    except PeerMissing as problem:
        do_without(problem)
    with pbx:
        yield _show(pbx)


def test_every_scenario_is_expected() -> None:
    assert set(EXPECTED) == set(SCENARIOS)


@pytest.mark.parametrize("user", ["hub", "hublean"])
@pytest.mark.parametrize("names", ["plain", "strange"])
@pytest.mark.parametrize("name", SCENARIOS)
def test_what_it_comes_to(name: str, names: str, user: str, request: pytest.FixtureRequest) -> None:
    call = request.getfixturevalue(names).take(user, name)
    expected = dict(EXPECTED[name])
    legs = expected.pop("legs", None)
    if legs is not None:
        assert [leg["result"] for leg in call["legs"]] == legs
    assert {key: call[key] for key in expected} == expected
    desk = list(SCENARIOS).index(name)
    if name in WHO:
        assert call["operator"] == f"op-{100 * (desk + 1) + WHO[name] + 1}"
    assert call["phases"].count("ended") == 1
    if call["outcome"] == "answered":
        _check_times(name, call)
    if name == "timeout_to_voicemail":
        assert call["voicemail"] and call["wait_s"] > 5.5
    if names == "plain" and user == "hub" and call["outcome"] == "answered" and call["direction"] == "inbound":
        assert call["recording"].endswith(".wav") and "/" not in call["recording"]


def _check_times(name: str, call: dict[str, Any]) -> None:
    assert call["talk_s"] > 0.5 and call["answered_at"] < call["ended_at"]
    if name == "held":
        assert call["hold_s"] > 1.2
        assert {"held", "resumed"} <= set(call["phases"])
    elif name != "transferred_after_asking":
        assert call["hold_s"] == 0
    if name.startswith("transferred"):
        assert call["phases"].count("transferred") == 1
