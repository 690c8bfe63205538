"""Recorded streams of a real PBX, folded: what every scenario comes to, also twice and the other way round."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.asterisk.calls import Calls, Phase
from channels.asterisk.emulator import read_stream
from channels.asterisk.endpoints import Endpoints
from channels.asterisk.touches import make_touch
from channels.asterisk.wire import WANTED
from channels.touch import Touch

STREAMS = Path(__file__).with_name("streams")
KEYS = {"101": "anna", "102": "boris", "103": "vera"}
LEAN = frozenset({"VarSet", "Newexten"})
NOW = datetime(2026, 11, 21, 16, tzinfo=UTC)
LOOSE = frozenset({"Cdr", "Hangup", "BridgeDestroy", "BridgeLeave"})


def load(name: str) -> list[dict[str, str]]:
    return list(_load(name))


@cache
def _load(name: str) -> list[dict[str, str]]:
    """Without what the wire leaves out."""
    return [event for event in read_stream(STREAMS / f"{name}.txt") if event["Event"].encode() in WANTED]


def play(events: Iterable[Mapping[str, str]], keys: Mapping[str, str] = KEYS) -> list[Touch]:
    calls = Calls(Endpoints("PJSIP/{extension}", lambda: keys), lambda: keys)
    phases: list[Phase] = [phase for event in events for phase in calls.feed(event, NOW)]
    assert not calls.live and not calls._expected
    return [make_touch("pbx", "RU", phase) for phase in phases]


def fold(touches: Iterable[Touch]) -> dict[str, Any]:
    """As the log folds: each event key once, facts merged key by key."""
    once = {touch.event_key: touch for touch in reversed(list(touches))}
    row: dict[str, Any] = {}
    for touch in reversed(list(once.values())):
        row |= touch.call or {}
    return row


def first_call(touches: list[Touch]) -> dict[str, Any]:
    return fold(touch for touch in touches if touch.external_id == touches[0].external_id)


ANSWERED = {"outcome": "answered", "reason": None}
MISSED = {"outcome": "missed", "operator": None, "answered_at": None, "talk_s": 0.0}
QUEUED = {"from": "+79161234567", "to": "8001", "queue": "support"}
TABLE: list[tuple[str, str, dict[str, Any], list[str], list[tuple[str, str]]]] = [
    (
        "queue_answered_caller_hangup", "inbound",
        ANSWERED | QUEUED | {"operator": "anna", "ended_by": "caller", "hold_s": 0.0, "wait_s": 1.007, "talk_s": 4.987},
        ["queued", "ringing", "answered", "ended"],
        [("101", "answered")],
    ),
    (
        "queue_abandoned", "inbound",
        MISSED | QUEUED | {"reason": "abandoned", "ended_by": "caller", "wait_s": 2.998},
        ["queued", "ringing", "ended"],
        [("101", "cancelled")],
    ),
    (
        "queue_timeout_voicemail", "inbound",
        MISSED | QUEUED | {"reason": "timeout", "ended_by": "caller", "wait_s": 15.007},
        ["queued", "ringing", "unanswered", "ringing", "unanswered", "ringing", "unanswered", "ended"],
        [("101", "no_answer"), ("102", "no_answer"), ("103", "no_answer")],
    ),
    (
        "queue_agent_declines", "inbound",
        MISSED | QUEUED | {"reason": "abandoned"},
        ["queued", "ringing", "unanswered", "ringing", "unanswered", "ringing", "unanswered", "ringing", "ended"],
        [("101", "declined"), ("102", "declined"), ("103", "declined"), ("101", "cancelled")],
    ),
    (
        "queue_ringall", "inbound",
        ANSWERED | {"operator": "anna", "queue": "support-all"},
        ["queued", "ringing", "ringing", "ringing", "answered", "ended"],
        [("101", "answered"), ("102", "answered_elsewhere"), ("103", "answered_elsewhere")],
    ),
    (
        "queue_hold", "inbound",
        ANSWERED | QUEUED | {"operator": "anna", "hold_s": 2.007, "talk_s": 5.98},
        ["queued", "ringing", "answered", "held", "resumed", "ended"],
        [("101", "answered")],
    ),
    (
        "blind_transfer_sip_refer", "inbound",
        ANSWERED | {"operator": "boris", "to": "8101", "queue": None, "ended_by": "caller", "talk_s": 9.999},
        ["ringing", "answered", "ringing", "transferred", "ended"],
        [("101", "answered"), ("102", "answered")],
    ),
    (
        "attended_transfer_ami", "inbound",
        ANSWERED | {"operator": "boris", "ended_by": "caller", "hold_s": 3.656, "talk_s": 10.352},
        ["ringing", "answered", "held", "ringing", "asking", "transferred", "left", "ended"],
        [("101", "answered"), ("102", "answered")],
    ),
    (
        "attended_transfer_taken_back", "inbound",
        ANSWERED | QUEUED | {"to": "8001", "queue": "support0", "operator": "anna", "ended_by": "caller"},
        ["queued", "ringing", "answered", "held", "ringing", "asking", "resumed", "left", "ended"],
        [("101", "answered"), ("102", "answered")],
    ),
    (
        "click_to_call_originate", "outbound",
        ANSWERED | {"operator": "anna", "from": "101", "to": "+79261112233", "wait_s": 1.507},
        ["ringing", "ringing", "answered", "ended"],
        [("101", "answered")],
    ),
    (
        "click_to_call_operator_no_answer", "outbound",
        {"outcome": "missed", "reason": "no_answer", "operator": "anna", "to": "+79261112233", "talk_s": 0.0},
        ["ringing", "ended"],
        [("101", "no_answer")],
    ),
    (
        "outbound_101_via_trunk", "outbound",
        ANSWERED | {"operator": "anna", "from": "101", "to": "+79261112233", "ended_by": "operator", "talk_s": 6.008},
        ["ringing", "answered", "ended"],
        [("101", "answered")],
    ),
    (
        "direct_to_operator_http_route", "inbound",
        ANSWERED | {"operator": "anna", "queue": None, "to": "811", "ended_by": "caller"},
        ["ringing", "answered", "ended"],
        [("101", "answered")],
    ),
]  # fmt: skip
NAMES = [row[0] for row in TABLE]


@pytest.mark.parametrize("lean", [False, True], ids=["full", "lean"])
@pytest.mark.parametrize(("name", "direction", "facts", "phases", "legs"), TABLE, ids=NAMES)
def test_a_recorded_call_comes_to(
    name: str,
    direction: str,
    facts: dict[str, Any],
    phases: list[str],
    legs: list[tuple[str, str]],
    lean: bool,
) -> None:
    events = [event for event in load(name) if not (lean and event["Event"] in LEAN)]
    touches = play(events)
    row = first_call(touches)
    assert {key: row[key] for key in facts} == facts
    assert [touch.phase for touch in touches if touch.phase != "completed"] == phases
    assert {str(touch.direction) for touch in touches} == {direction}
    assert {touch.external_id for touch in touches} == {touches[0].external_id}
    assert [(leg["extension"], leg["result"]) for leg in row["legs"]] == legs
    assert [leg["operator"] for leg in row["legs"]] == [KEYS[extension] for extension, _ in legs]
    theirs = "phone:+79161234567" if direction == "inbound" else "phone:+79261112233"
    assert {str(one) for touch in touches for one in touch.party} == {theirs}


@pytest.mark.parametrize("name", NAMES)
def test_other_names_change_nothing(name: str) -> None:
    """Queues, contexts, trunks, extensions and the system's name, as another administrator has them."""
    swaps = {
        "PJSIP/trunk": "SIP/provider.msk", "support": "q.otdel", "from-trunk": "izvne", "internal": "svoi",
        "PJSIP/101": "PJSIP/ivan", "PJSIP/102": "PJSIP/olga", "PJSIP/103": "PJSIP/petr", "pbx1-": "", "routed": "r",
    }  # fmt: skip

    def rename(value: str) -> str:
        for old, new in swaps.items():
            value = value.replace(old, new)
        return value

    renamed = [{key: rename(value) for key, value in event.items()} for event in load(name)]
    keys = {"ivan": "anna", "olga": "boris", "petr": "vera"}
    row, plain = first_call(play(renamed, keys)), first_call(play(load(name)))
    same = ("outcome", "reason", "operator", "wait_s", "talk_s", "hold_s", "ended_by", "answered_at", "ended_at")
    assert {key: row[key] for key in same} == {key: plain[key] for key in same}
    assert [leg["operator"] for leg in row["legs"]] == [leg["operator"] for leg in plain["legs"]]


@pytest.mark.parametrize("name", NAMES)
def test_a_replay_repeats_every_event_key_and_adds_none(name: str) -> None:
    assert [touch.event_key for touch in play(load(name))] == [touch.event_key for touch in play(load(name))]


def shuffled(events: list[dict[str, str]], seed: random.Random) -> list[dict[str, str]]:
    """What Asterisk sends at once comes in any order: runs of Cdr, Hangup, BridgeLeave and BridgeDestroy."""
    result: list[dict[str, str]] = []
    run: list[dict[str, str]] = []
    for event in [*events, {"Event": ""}]:
        if event["Event"] in LOOSE and (not run or _close(run[0], event)):
            run.append(event)
        else:
            seed.shuffle(run)
            result += run
            run = [event] if event["Event"] in LOOSE else []
            if not run and event["Event"]:
                result.append(event)
    return result


def _close(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    return float(other.get("Timestamp", 0)) - float(one.get("Timestamp", 0)) < 0.01


TIMES = ("ended_at",)


@settings(max_examples=60)
@given(
    name=st.sampled_from(NAMES),
    seed=st.randoms(use_true_random=False),
    doubled=st.lists(st.integers(0, 250), max_size=40),
    again=st.booleans(),
)
def test_twice_and_the_other_way_round_is_the_same_fold(
    name: str, seed: random.Random, doubled: list[int], again: bool
) -> None:
    events = shuffled(load(name), seed)
    chosen = set(doubled)
    twice = [event for number, one in enumerate(events) for event in ([one, one] if number in chosen else [one])]
    row = first_call(play([*twice, *events] if again else twice))
    plain = first_call(play(load(name)))
    blur = ("wait_s", "talk_s", "hold_s")
    assert {key: row[key] for key in blur} == pytest.approx({key: plain[key] for key in blur}, abs=0.01)
    for one in (row, plain):
        for leg in one["legs"]:
            leg.pop("ended_at")
    assert {k: v for k, v in row.items() if k not in (*blur, *TIMES)} == {
        k: v for k, v in plain.items() if k not in (*blur, *TIMES)
    }


@settings(max_examples=60)
@given(
    seed=st.randoms(use_true_random=False), names=st.lists(st.sampled_from(NAMES), min_size=2, max_size=4, unique=True)
)
def test_calls_at_the_same_time_do_not_mix(seed: random.Random, names: list[str]) -> None:
    streams = [load(name) for name in names]
    mixed = []
    while any(streams):
        stream = seed.choice([one for one in streams if one])
        mixed.append(stream.pop(0))
    touches = play(mixed)
    for name in names:
        alone = play(load(name))
        together = [touch for touch in touches if touch.external_id == alone[0].external_id]
        assert fold(together) == fold(alone)


@settings(max_examples=80)
@given(seed=st.randoms(use_true_random=False), name=st.sampled_from(NAMES))
def test_whatever_is_lost_or_broken_the_fold_goes_on(seed: random.Random, name: str) -> None:
    """Events missing, out of order, with fields gone or absurd: never an exception."""
    calls = Calls(Endpoints("PJSIP/{extension}", lambda: KEYS), lambda: KEYS)
    events = [dict(event) for event in load(name) if seed.random() > 0.2]
    if seed.random() < 0.5:
        seed.shuffle(events)
    for event in events:
        for key in list(event):
            if seed.random() < 0.03:
                event[key] = seed.choice(
                    ["", "<unknown>", "x" * 100_000, "\udcff".encode("utf-8", "replace").decode(), "-1"]
                )
            elif seed.random() < 0.02 and key != "Event":
                del event[key]
        for phase in calls.feed(event, NOW):
            make_touch("pbx", "RU", phase)


def test_nobody_was_called_is_no_call() -> None:
    """A feature code (log in to the queue by dialling *11) leaves no row."""
    origin = {"Channel": "PJSIP/101-1", "Uniqueid": "1.1", "Linkedid": "1.1", "CallerIDNum": "101", "Exten": "*11"}
    assert play([{"Event": "Newchannel", **origin}, {"Event": "Hangup", **origin}]) == []


def test_a_hidden_caller_is_nobody() -> None:
    events = [
        {key: value.replace("79161234567", "anonymous").replace("Ivan", "Anonymous") for key, value in event.items()}
        for event in load("queue_answered_caller_hangup")
    ]
    touches = play(events)
    assert all(touch.party == () for touch in touches)
    assert fold(touches)["from"] is None


def test_who_waits_where_nobody_is_logged_in_found_no_operators() -> None:
    quiet = [
        event
        for event in load("queue_timeout_voicemail")
        if "PJSIP/10" not in str(event) and event["Event"] != "VarSet"
    ]
    away = [
        {
            "Event": "QueueMemberStatus",
            "Queue": "support",
            "Interface": f"PJSIP/{number}",
            "Status": status,
            "Paused": paused,
        }
        for number, status, paused in (("101", "5", "0"), ("102", "1", "1"))
    ]
    assert first_call(play([*away, *quiet]))["reason"] == "no_operators"
    here = {"Event": "QueueMemberStatus", "Queue": "support", "Interface": "PJSIP/103", "Status": "2", "Paused": "0"}
    assert first_call(play([*away, here, *quiet]))["reason"] == "timeout"


@pytest.mark.parametrize("answer", ["closed", "blocked"])
def test_what_the_hub_sent_away_says_so(answer: str) -> None:
    calls = Calls(Endpoints("PJSIP/{extension}", lambda: KEYS), lambda: KEYS)
    calls.routed("5.1", answer)
    origin = {"Channel": "PJSIP/trunk-1", "Uniqueid": "5.1", "Linkedid": "5.1", "CallerIDNum": "79161234567"}
    calls.feed({"Event": "Newchannel", "Exten": "8001", **origin}, NOW)
    (phase,) = calls.feed({"Event": "Hangup", "Cause": "16", **origin}, NOW)
    assert (phase.name, phase.facts["outcome"], phase.facts["reason"]) == ("ended", "missed", answer)


@pytest.mark.parametrize("name", ["attended_transfer_ami", "attended_transfer_taken_back"])
def test_while_a_colleague_is_asked_the_log_says_so(name: str) -> None:
    """Who waits since when, and who asks whom, for as long as it is so."""
    said = [(touch.phase, touch.call or {}) for touch in play(load(name))]
    waits = [phase for phase, call in said if call["held_since"]]
    assert waits == ["held", "ringing", "asking"]
    asked = {phase: call["legs"][-1]["asked_by"] for phase, call in said if call["legs"]}
    assert (asked["ringing"], asked["asking"], asked["answered"]) == ("anna", "anna", None)
    assert asked["ended"] == (None if name.endswith("ami") else "anna"), "who never talked to the client was only asked"
    (anna,) = {leg["ended_at"] for _, call in said[-4:-3] for leg in call["legs"] if leg["operator"] == "anna"}
    assert anna is None, "who asks is still in the call"
