"""Calls that need a dialplan of their own, on a real Asterisk, watched by the full and by the lean manager user."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest

from channels.contract import OperatorState
from tests.channels.asterisk import odd, odd_talks
from tests.channels.asterisk.encore import Encore, Results
from tests.channels.asterisk.scene import ODD, Seen, configure, play_odd
from tests.peers.asterisk import Asterisk, Desk
from tests.peers.missing import PeerMissing, do_without


@pytest.fixture(scope="module")
def shown() -> Iterator[Encore[Seen]]:
    try:
        pbx = Asterisk(size=len(ODD), more=configure)
    except PeerMissing as problem:
        do_without(problem)

    def play(names: set[str] | None) -> Results[Seen]:
        try:
            return asyncio.run(play_odd(pbx, names))
        except PeerMissing as problem:
            do_without(problem)

    with pbx:
        yield Encore(play)


def test_every_scenario_is_known() -> None:
    assert {odd.__name__, odd_talks.__name__} == {one.play.__module__ for one in ODD.values()}
    assert set(CLOSER) <= set(ODD)


@pytest.mark.parametrize("user", ["hub", "hublean"])
@pytest.mark.parametrize("name", ODD)
def test_what_it_comes_to(name: str, user: str, shown: Encore[Seen]) -> None:
    seen = shown.take(user, name)
    rows, desk, expected = seen.rows, seen.desk, dict(ODD[name].expected)
    assert len(rows) == expected.pop("rows", 1), rows
    for row in rows:
        assert row["phases"].count("ended") == 1
        assert row["outcome"] == "missed" or (row["talk_s"] > 0.3 and row["answered_at"] < row["ended_at"])
    if not rows:
        return
    row = rows[0]
    if (number := expected.pop("operator", None)) is not None:
        assert row["operator"] == f"op-{desk.phones[number]}"
    if (legs := expected.pop("legs", None)) is not None:
        assert [(leg["extension"], leg["result"]) for leg in row["legs"]] == [_leg(one, desk) for one in legs]
    if (made_by := expected.pop("made_by", None)) is not None:
        assert row["from"] == desk.phones[made_by]
    if "queue" in expected:
        expected["queue"] = {"q": desk.queue, "other": f"other{desk.number}"}.get(expected["queue"])
    assert {key: row[key] for key in expected} == expected
    if name in CLOSER:
        CLOSER[name](seen)


def _leg(text: str, desk: Desk) -> tuple[str, str]:
    who, _, result = text.partition(":")
    return (desk.outside if who == "out" else desk.phones[int(who)]), result


def _the_wait_begins_in_the_queue(seen: Seen) -> None:
    (row,) = seen.rows
    called = next(touch.at for touch in row["touches"] if touch.phase == "queued")
    answered = next(touch.at for touch in row["touches"] if touch.phase == "answered")
    assert row["wait_s"] == pytest.approx((answered - called).total_seconds(), abs=0.01)


def _the_name_is_as_it_was_written(seen: Seen) -> None:
    ((party,),) = [row["party"] for row in seen.rows]
    assert party.name.startswith("Žółć, «Рога 'и' Копыта» | = & <b>  漢字 дд") and party.value == "+79161234567"


def _lines_are_timed_apart(seen: Seen) -> None:
    first, second = seen.rows
    assert first["operator"] == second["operator"] and first["party"] != second["party"]
    assert first["talk_s"] > second["talk_s"] and first["answered_at"] < second["answered_at"]


def _who_talks_next_is_told_while_it_happens(seen: Seen) -> None:
    """What the screen pop lives by."""
    inbound, internal = seen.rows
    assert inbound["phases"].count("transferred") == 1 and internal["direction"] == "internal"
    told = next(touch for touch in inbound["touches"] if touch.phase == "transferred")
    assert f"op-{told.operator}" == inbound["operator"]


def _the_desk_sees_the_pause_of_the_exchange(seen: Seen) -> None:
    found = [one for picture in seen.pictures for one in picture.operators if one.extension == seen.desk.phones[0]]
    assert any(one.state is OperatorState.RINGING for one in found)
    assert (found[-1].paused, found[-1].reason) == (True, "Auto-Pause")


CLOSER: dict[str, Callable[[Seen], None]] = {
    "menu_then_queue": _the_wait_begins_in_the_queue,
    "a_strange_name": _the_name_is_as_it_was_written,
    "a_second_line_is_answered": _lines_are_timed_apart,
    "two_calls_joined_by_the_telephone": _who_talks_next_is_told_while_it_happens,
    "the_silent_one_is_paused": _the_desk_sees_the_pause_of_the_exchange,
}
