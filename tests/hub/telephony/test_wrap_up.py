"""Wrap-up: it begins with the end of an answered call, is seen by everybody, and its seconds are in the log."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hub.presence import read_presence
from hub.telephony import wrap_up
from hub.telephony.picture import read_picture
from storage import models
from storage.repositories import phones as rows
from tests.hub.office import Office
from tests.hub.telephony.exchange import Row, phone, ring, show, with_exchange


def answered(office: Office, number: str = "c1", operator: str = "101", **call: Any) -> Row:
    given: Row = {"outcome": "answered", "answered_at": office.clock().isoformat()}
    return ring(office, number, "answered", operator=operator, **{**given, **call})


def ended(office: Office, number: str = "c1", operator: str = "101", **call: Any) -> Row:
    office.clock.move(seconds=60)
    given: Row = {"outcome": "answered", "talk_s": 60.0, "ended_at": office.clock().isoformat()}
    return ring(office, number, "ended", operator=operator, **{**given, **call})


def state_of(office: Office, operator: str) -> tuple[str, int | None]:
    picture = office.store.read_now(lambda connection: read_picture(connection, office.setup, office.clock()))
    found = picture.of(operator)
    assert found is not None
    return found.state, found.interaction


def finish(office: Office, operator: str) -> Row | None:
    """As `wrapping.finish` does it: the touch first, then the row."""
    wrapping = office.store.read_now(lambda connection: rows.find_wrap_up(connection, operator))
    assert wrapping is not None
    call = office.row(models.interaction, wrapping.interaction_id)
    seconds = (min(office.clock(), wrapping.until) - wrapping.since).total_seconds()
    row = office.hear(wrap_up.make_touch(call, wrapping, seconds))
    assert office.store.write_now(lambda unit: wrap_up.end(unit, wrapping))
    assert not office.store.write_now(lambda unit: wrap_up.end(unit, wrapping)), "once"
    return row


def test_it_follows_an_answered_call_and_its_seconds_are_logged(office: Office) -> None:
    with_exchange(office, 'wrap_up = "30 s"')
    answered(office)
    show(office, phone("101", "talking", paused=True, reason=wrap_up.REASON), phone("102"))
    talking = office.store.read_now(lambda connection: read_picture(connection, office.setup, office.clock())).of(
        "anna"
    )
    assert talking is not None and (talking.state, talking.paused, talking.reason) == ("talking", False, "")
    assert office.rows(models.wrap_up) == []
    call = ended(office)
    show(office, phone("101", "paused", paused=True, reason=wrap_up.REASON), phone("102"))
    assert state_of(office, "anna") == ("wrap_up", call["id"])
    assert state_of(office, "boris") == ("free", None)
    presence = office.store.read_now(lambda connection: read_presence(connection, office.clock()))
    assert presence.on_call == {"anna"}
    office.clock.move(seconds=12.5)
    row = finish(office, "anna")
    assert row is not None and row["call"]["wrap_s"] == 12.5 and row["call"]["talk_s"] == 60.0
    assert row["ended_at"] == call["ended_at"] and row["operator"] == "anna"
    show(office, phone("101"), phone("102"))
    assert state_of(office, "anna") == ("free", None)


def test_two_who_talked_wrap_up_one_after_the_other_and_their_seconds_add_up(office: Office) -> None:
    with_exchange(office, 'wrap_up = "30 s"')
    answered(office)
    office.clock.move(seconds=20)
    ring(office, "c1", "transferred", operator="102", outcome="answered")
    assert [row["operator"] for row in office.rows(models.wrap_up)] == ["anna"]
    office.clock.move(seconds=10)
    finish(office, "anna")
    ended(office, operator="102")
    office.clock.move(seconds=5)
    row = finish(office, "boris")
    assert row is not None and row["call"]["wrap_s"] == 15.0


@pytest.mark.parametrize("keys", [(), ('wrap_up = "0 s"',)], ids=["unset", "nought"])
def test_without_the_key_there_is_none(office: Office, keys: tuple[str, ...]) -> None:
    with_exchange(office, *keys)
    answered(office)
    ended(office)
    assert office.rows(models.wrap_up) == []


def test_missed_internal_and_long_gone_calls_have_none(office: Office) -> None:
    with_exchange(office, "wrap_up = 60")
    ring(office, "m", "ringing")
    ring(office, "m", "ended", outcome="missed", reason="abandoned", ended_at=office.clock().isoformat())
    answered(office, "i", direction="internal", who=None)
    ended(office, "i", direction="internal", who=None)
    answered(office, "old")
    ended(office, "old", ended_at=(office.clock() - timedelta(minutes=5)).isoformat())
    assert office.rows(models.wrap_up) == []


def test_the_next_call_ends_it(office: Office) -> None:
    with_exchange(office, 'wrap_up = "2 min"')
    answered(office)
    first = ended(office)
    office.clock.move(seconds=15)
    answered(office, "c2")
    (row,) = office.rows(models.wrap_up)
    assert (row["interaction_id"], row["until"]) == (first["id"], office.clock())
    assert state_of(office, "anna")[0] != "wrap_up"
