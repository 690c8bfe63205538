"""Figures and the live board through the API, on both databases."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, update

from channels.touch import Direction, Kind, Touch
from hub.setup.importing import take
from hub.setup.reading import read_setup
from storage import models
from storage.unit import Unit
from tests.hub.api.caller import Caller
from tests.hub.office import IVANS_PHONE, START, Office


def ring(office: Office, number: int, **call: Any) -> None:
    facts = {"queue": "support", "wait_s": 10.0, "ended_at": START.isoformat(), **call}
    office.hear(Touch("api", f"c{number}", Kind.CALL, Direction.INBOUND, START, (IVANS_PHONE,), call=facts))


async def test_figures_say_how_they_are_made(caller: Caller, office: Office) -> None:
    ring(office, 1, outcome="answered", talk_s=60.0)
    ring(office, 2, outcome="answered", talk_s=60.0, wait_s=21.0)
    ring(office, 3, outcome="missed", reason="abandoned")
    ring(office, 4, outcome="missed", reason="timeout")
    office.clock.move(minutes=1)
    found = await caller.get("/metrics?by=queue")
    assert (found["from"], found["to"], found["zone"]) == ("2026-09-14T00:00:00Z", "2026-09-14T09:01:00Z", "UTC")
    assert found["norms"] == [{"team": None, "service_level": "SL4", "answer_within_s": 20.0, "short_abandon_s": 5.0}]
    figures = {one["name"]: one for one in found["figures"]}
    level = figures["service_level"]
    assert (level["value"], level["numerator"], level["denominator"], level["unit"]) == (50.0, 1, 2, "percent")
    assert all(
        one["formula"] and one["interval"] == {"from": found["from"], "to": found["to"]} for one in figures.values()
    )
    assert any("lost by us" in text for text in level["exclusions"])
    assert (figures["offered"]["value"], figures["lost_by_us"]["value"]) == (4, 1)
    assert found["missed"] == {"abandoned": 1, "timeout": 1}
    (part,) = found["items"]
    assert (part["key"], part["figures"]["aht_s"], part["missed"]) == ("support", 60.0, found["missed"])
    assert (await caller.get("/metrics?queue=sales"))["missed"] == {}
    assert (await caller.get("/metrics?to=2026-09-14T00:00:00Z"))["from"] == "2026-09-13T00:00:00Z"


@pytest.mark.parametrize("office", ["sqlite"], indirect=True)
async def test_an_interval_is_refused_by_its_name(caller: Caller) -> None:
    for query, field in (
        ("from=2026-09-14T00:00:00Z&to=2026-09-13T00:00:00Z", "to"),
        ("from=2020-09-14T00:00:00Z", "from"),
        ("from=2026-06-14T00:00:00Z&by=hour", "by"),
        ("by=year", "by"),
        ("from=yesterday", "from"),
    ):
        answer = await caller.call("GET", f"/api/v1/metrics?{query}")
        assert (answer.status, answer.error["field"]) == (422, field), query
    caller.become("operator")
    assert (await caller.call("GET", "/api/v1/metrics")).status == 403
    assert (await caller.call("GET", "/api/v1/board")).status == 200


PBX = """
[line.pbx]
channel = "asterisk"
team = "support"
host = "127.0.0.1"
username = "hub"
secret = "x"
queues = { support = "support", vips = "sales" }
[operator.anna]
name = "Анна"
teams = ["support"]
extension = "101"
[operator.boris]
name = "Borys"
teams = ["sales"]
extension = "102"
"""


@pytest.fixture
def staffed(office: Office) -> Office:
    """An office with a telephone exchange."""
    office.act(lambda unit, setup: take(unit, read_setup([("pbx.toml", PBX)]), "test"))
    return office


async def test_the_board_shows_this_instant(staffed: Office, caller: Caller, office: Office) -> None:
    office.mail()
    office.mail(party=(IVANS_PHONE,))
    promises = [row["id"] for row in office.rows(models.obligation)]

    def live(unit: Unit) -> None:
        now = unit.now
        health = {"line": "pbx", "state": "running", "since": now, "seen_at": now}
        health["held_until"] = now + timedelta(minutes=1)
        unit.connection.execute(insert(models.line_health).values(**health))
        phone = {"line": "pbx", "paused": False, "reason": "", "queues": ["support"], "since": now}
        for extension, operator, state in (("101", "anna", "talking"), ("102", "boris", "free")):
            unit.connection.execute(
                insert(models.phone).values(**phone, extension=extension, operator=operator, state=state)
            )
        for queue, waiting in (("support", 2), ("vips", 1)):
            since = now - timedelta(seconds=30 * waiting)
            row = {"line": "pbx", "queue": queue, "waiting": waiting, "longest_since": since}
            unit.connection.execute(insert(models.phone_queue).values(**row))
        for number, minutes in zip(promises, (10, -10), strict=True):
            due = now + timedelta(minutes=minutes)
            unit.connection.execute(update(models.obligation).where(models.obligation.c.id == number).values(due=due))

    office.store.write_now(live)
    found = await caller.get("/board")
    assert (found["waiting"], found["longest_wait_s"], found["at"]) == (3, 60.0, "2026-09-14T09:00:00Z")
    assert (found["states"]["talking"], found["states"]["free"], found["states"]["wrap_up"]) == (1, 1, 0)
    assert [(one["operator"], one["state"]) for one in found["operators"]] == [("anna", "talking"), ("boris", "free")]
    assert (found["promises"]["soon"], found["promises"]["late"]) == (1, 1)
    assert [one["id"] for one in found["promises"]["nearest"]] == promises
    assert found["conversations"]["waiting"] == 2
    assert all(one["formula"] and one["interval"] == "now" for one in found["about"])
    theirs = await caller.get("/board?team=sales")
    assert (theirs["waiting"], theirs["longest_wait_s"]) == (1, 30.0)
    assert [one["operator"] for one in theirs["operators"]] == ["boris"]
    assert theirs["promises"]["nearest"] == []
