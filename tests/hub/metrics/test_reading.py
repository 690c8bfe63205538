"""Counts of an interval of the log, on both databases."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, update

from channels.touch import Direction, Kind, Touch
from hub.actions import obligations, writing
from hub.metrics.counting import Tally
from hub.metrics.reading import Part, Report, day_of, hour_of, offsets, read_report
from hub.setup.importing import take
from hub.setup.reading import read_setup
from hub.setup.snapshot import load_setup
from storage import models
from storage.repositories.figures import Span
from storage.unit import Unit
from tests.hub.office import IVANS_PHONE, START, VERA, Office

NUMBERS = itertools.count(1)
ZONES = ("Europe/Warsaw", "Europe/Moscow", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC")
DAY = timedelta(days=1)

BY_PHONE = """
[line.pbx]
channel = "asterisk"
team = "support"
host = "127.0.0.1"
username = "hub"
secret = "x"
queues = { support = "support", sales = "sales" }
"""


def ring(office: Office, **facts: Any) -> None:
    """A call that has ended."""
    at = facts.pop("at", office.clock())
    direction, operator = facts.pop("direction", Direction.INBOUND), facts.pop("operator", None)
    call = {"wait_s": 10.0, "ended_at": (at + timedelta(minutes=2)).isoformat(), "queue": "support", **facts}
    if "reason" in call:
        call["outcome"] = "missed"
    touch = Touch("pbx", f"c{next(NUMBERS)}", Kind.CALL, direction, at, (IVANS_PHONE,), operator=operator, call=call)
    office.hear(touch)


def answered(office: Office, wait_s: float, talk_s: float = 60.0, **facts: Any) -> None:
    ring(office, outcome="answered", wait_s=wait_s, talk_s=talk_s, hold_s=0.0, **facts)


def report(office: Office, by: Part | None = None, **narrowed: Any) -> Report:
    span = replace(Span(START - DAY, START + DAY), **narrowed)
    return office.store.read_now(lambda connection: read_report(connection, office.setup, span, by, office.clock()))


def values(one: Report) -> Mapping[str, float | None]:
    return {figure.name: figure.value for figure in one.figures()}


@pytest.fixture
def busy(office: Office) -> Office:
    """Calls of a day: five answered, one abandoned late, one at once, one lost by us, and those that do not count."""
    office.act(lambda unit, setup: take(unit, read_setup([("pbx.toml", BY_PHONE)]), "test"))
    office.setup = office.store.read_now(load_setup)
    for wait in (4.0, 8.0, 20.0, 20.04):
        answered(office, wait, operator="anna", wrap_s=30.0)
    answered(office, 40.0, talk_s=120.0, operator="boris", queue="sales")
    ring(office, reason="abandoned", wait_s=30.0)
    ring(office, reason="abandoned", wait_s=4.96)
    ring(office, reason="timeout", wait_s=60.0)
    ring(office, reason="closed", wait_s=0.0)
    ring(office, outcome="answered", ended_at=None)
    answered(office, 3.0, talk_s=30.0, direction=Direction.OUTBOUND, operator="anna", queue=None)
    ring(office, reason="busy", direction=Direction.OUTBOUND, operator="anna", queue=None)
    answered(office, 1.0, direction=Direction.INTERNAL, operator="anna")
    answered(office, 1.0, at=START - 3 * DAY)
    return office


def test_calls_of_an_interval(busy: Office) -> None:
    counts = report(busy).total.calls
    assert (counts.answered, counts.answered_in_time) == (5, 3)
    assert (counts.abandoned, counts.abandoned_in_time, counts.short_abandons) == (2, 1, 1)
    assert counts.missed == {"abandoned": 2, "timeout": 1, "closed": 1}
    assert (counts.lost, counts.offered) == (1, 8)
    assert (counts.outbound.calls, counts.outbound_tried) == (1, 2)
    found = values(report(busy))
    assert found["service_level"] == round(100 * 3 / 6, 2)
    assert found["asa_s"] == round((4 + 8 + 20 + 20.04 + 40) / 5, 2)
    assert (found["wait_p50_s"], found["wait_p90_s"]) == (20.0, 40.0)
    assert found["aht_s"] == (4 * 90 + 120) / 5
    assert found["outbound_aht_s"] == 30


BY: dict[Part, Mapping[str | None, int]] = {
    "operator": {"anna": 4, "boris": 1, None: 0},
    "queue": {"sales": 1, "support": 4, None: 0},
    "line": {"pbx": 5},
    "channel": {"asterisk": 5},
    "team": {"support": 5},
    "day": {"2026-09-13": 0, "2026-09-14": 5, "2026-09-15": 0},
}


def test_parts_add_up_to_the_whole(busy: Office) -> None:
    for by, expected in BY.items():
        found = report(busy, by)
        assert {name: one.calls.answered for name, one in found.parts.items()} == expected
        assert sum(expected.values()) == found.total.calls.answered
        assert found.total.calls == report(busy).total.calls
    hours = report(busy, "hour")
    assert len(hours.parts) == 48
    assert [name for name, one in hours.parts.items() if one != Tally()] == ["2026-09-14T09:00:00Z"]


def test_an_interval_is_narrowed(busy: Office) -> None:
    assert report(busy, operator="boris").total.calls.answered == 1
    assert report(busy, queue="support").total.calls.answered == 4
    assert report(busy, team="sales").total == Tally()
    assert report(busy, teams=("support", "sales")).total.calls.answered == 5
    assert report(busy, teams=()).total == Tally()
    assert report(busy, line="other").total == Tally()
    assert report(busy, channel="asterisk").total.calls.answered == 5
    assert report(busy, since=START + timedelta(seconds=1)).total == Tally()


def test_each_call_is_judged_by_its_own_team(busy: Office) -> None:
    def norms(text: str) -> None:
        busy.act(lambda unit, setup: take(unit, read_setup([("norms.toml", text)]), "test"))
        busy.setup = busy.store.read_now(load_setup)

    norms("[company]\nservice_level = 'SL3'\nanswer_within_s = 4\nshort_abandon = 'half'\n")
    found = report(busy)
    assert (found.norm.formula, found.total.calls.answered_in_time, found.total.calls.short_abandons) == ("SL3", 1, 0)
    norms(
        "[team.support]\ntitle = 'S'\nservice_level = 'SL2'\nanswer_within_s = 30\nshort_abandon = 31\n"
        "[team.sales]\ntitle = 'X'\n"
    )
    found = report(busy)
    assert (found.norm.formula, found.total.calls.answered_in_time, found.total.calls.short_abandons) == ("SL3", 4, 2)
    assert found.total.calls.abandoned_in_time == 2
    own = report(busy, team="support")
    assert (own.norm.formula, own.norm.answer_within_s, own.norm.short_abandon_s) == ("SL2", 30, 31)


def test_promises_belong_to_the_interval_of_their_due(office: Office) -> None:
    number = office.mail()["conversation_id"]
    promise = office.rows(models.obligation, conversation_id=number)[0]
    assert report(office).total.promises == Tally().promises
    office.clock.move(hours=1)
    delivery = office.act(writing.reply, number, VERA, writing.Letter(text="Да"))
    office.send(delivery)
    assert office.row(models.obligation, promise["id"])["state"] == "met"
    kept = report(office, "line")
    assert (kept.total.promises.kept, kept.total.promises.breached) == (1, 0)
    assert kept.parts["support-mail"].promises.kept == 1
    _write(office, update(models.obligation).values(state="breached", breached_at=promise["due"]))
    assert values(report(office))["promises_kept_rate"] == 0
    office.act(obligations.excuse, promise["id"], VERA, "the provider was down")
    counts = report(office, "channel").parts["email"].promises
    assert (counts.kept, counts.breached, counts.excused) == (0, 1, 1)
    assert report(office, until=promise["due"]).total.promises == Tally().promises


def test_a_first_response_is_timed_by_the_clock_and_in_working_time(office: Office) -> None:
    number = office.mail()["conversation_id"]
    waits = office.mail(who=replace(IVANS_PHONE, value="+78120000002"))
    assert waits["conversation_id"] != number
    office.clock.move(minutes=30)
    delivery = office.act(writing.reply, number, VERA, writing.Letter(text="Да"))
    office.send(delivery)
    office.clock.move(minutes=30)
    found = report(office, "operator")
    assert (found.total.replies.answered, found.total.replies.waiting) == (1, 1)
    assert {name: one.replies.answered for name, one in found.parts.items()} == {"vera": 1, None: 0}
    assert dict(found.total.replies.clock.final) == {1800.0: 1}
    assert dict(found.total.replies.clock.growing) == {3600.0: 1}
    assert found.total.replies.working == found.total.replies.clock
    figures = {one.name: one for one in found.figures()}
    assert (figures["first_response_p50_s"].value, figures["first_response_p95_s"].at_least) == (1800.0, True)
    assert (found.total.touches.inbound, found.total.touches.outbound) == (2, 1)


def test_days_are_local_when_the_clocks_change(busy: Office) -> None:
    warsaw = "[calendar.w]\nzone = 'Europe/Warsaw'\nweek = { mon = ['09:00-18:00'] }\n[company]\ncalendar = 'w'\n"
    busy.act(lambda unit, setup: take(unit, read_setup([("zone.toml", warsaw)]), "test"))
    busy.setup = busy.store.read_now(load_setup)
    for at in (
        datetime(2026, 10, 23, 22, 0, tzinfo=UTC),
        datetime(2026, 10, 24, 21, 59, tzinfo=UTC),
        datetime(2026, 10, 24, 22, 0, tzinfo=UTC),
        datetime(2026, 10, 25, 22, 59, tzinfo=UTC),
        datetime(2026, 10, 25, 23, 0, tzinfo=UTC),
    ):
        answered(busy, 1.0, at=at)
    autumn = {"since": datetime(2026, 10, 23, 22, 0, tzinfo=UTC), "until": datetime(2026, 10, 26, 23, 0, tzinfo=UTC)}
    found = report(busy, "day", **autumn)
    counted = {name: one.calls.answered for name, one in found.parts.items()}
    assert counted == {"2026-10-24": 2, "2026-10-25": 2, "2026-10-26": 1}
    assert len(report(busy, "hour", **autumn).parts) == 24 + 25 + 24


@given(st.datetimes(datetime(2024, 1, 1), datetime(2027, 1, 1)), st.integers(1, 400 * 96), st.sampled_from(ZONES))
def test_offsets_are_those_of_the_zone(since: datetime, quarters: int, zone: str) -> None:
    where, start = ZoneInfo(zone), since.replace(tzinfo=UTC)
    until = start + timedelta(minutes=15) * quarters
    found = list(offsets(start, until, where))
    assert found[-1][0] == until and sorted(found) == found
    for number in range(20):
        at = start + (until - start) * number / 20
        ahead = next(seconds for end, seconds in found if at < end)
        assert timedelta(seconds=ahead) == at.astimezone(where).utcoffset()


def test_an_hour_that_comes_twice_is_two_and_a_day_is_local() -> None:
    warsaw = ZoneInfo("Europe/Warsaw")
    twice = [datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1)]
    assert [at.astimezone(warsaw).hour for at in twice] == [2, 2]
    assert [hour_of(at, warsaw) for at in twice] == ["2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z"]
    assert day_of(datetime(2026, 10, 24, 22, 0, tzinfo=UTC), warsaw) == "2026-10-25"
    assert hour_of(datetime(2026, 10, 24, 20, 50, tzinfo=UTC), ZoneInfo("Asia/Kolkata")) == "2026-10-24T20:30:00Z"


def _write(office: Office, statement: Any) -> None:
    def work(unit: Unit) -> None:
        unit.connection.execute(statement)

    office.store.write_now(work)


def test_what_only_the_machine_answered_waits_still(office: Office) -> None:
    mail = office.mail()
    robot = {**mail, "id": mail["id"] + 1000, "direction": "outbound", "automatic": "auto_reply", "same_as": None}
    _write(office, insert(models.interaction).values(**robot))
    assert report(office).total.replies.waiting == 1
