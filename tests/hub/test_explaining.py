"""An obligation is explained by the versions it was judged by, not by those of today."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from hub.errors import NotFound
from hub.explaining import ObligationExplained, explain_obligation
from hub.setup.importing import take
from hub.setup.reading import read_setup
from hub.setup.snapshot import load_setup
from storage import models
from storage.store import Store

START = datetime(2026, 9, 18, 13, 15, tzinfo=UTC)
SETUP = """
[calendar.office]
zone = "Europe/Moscow"
[calendar.office.week]
mon = ["09:00-18:00"]
tue = ["09:00-18:00"]
wed = ["09:00-18:00"]
thu = ["09:00-18:00"]
fri = ["09:00-18:00"]
[regulation.reaction]
title = { en = "Answer in four hours", ru = "Ответить за четыре часа" }
kind = "respond"
within = "4 working hours"
calendar = "office"
"""


@pytest.fixture
def store(database_url: str, tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(database_url, tmp_path / "files", lambda: START)
    yield opened
    opened.engines.dispose()


def bring(store: Store, text: str) -> None:
    store.write_now(lambda unit: take(unit, read_setup([("s.toml", text)]), "test"))


def write(store: Store, **changes: Any) -> None:
    row = {
        "id": 7,
        "regulation": "reaction",
        "version": 1,
        "start_key": "i1",
        "slot": "respond",
        "client_id": 1,
        "state": "running",
        "started": START,
        "target": "4 working hours",
        "calendar": "office",
        "calendar_version": 1,
        "due": datetime(2026, 9, 21, 8, 15, tzinfo=UTC),
        "pinned": False,
        "pauses": [],
        "steps_done": [],
        "details": {},
        **changes,
    }
    store.write_now(lambda unit: unit.connection.execute(insert(models.obligation).values(**row)))


def explained(store: Store, language: str = "en") -> ObligationExplained:
    return store.read_now(lambda connection: explain_obligation(connection, load_setup(connection), 7, language))


def test_the_due_comes_about_day_by_day(store: Store) -> None:
    bring(store, SETUP)
    write(store)
    event = {
        "id": 1,
        "obligation_id": 7,
        "at": START,
        "noted_at": START,
        "event": "applied",
        "data": {"set": {"a": 1}, "cause": "i1"},
    }
    store.write_now(lambda unit: unit.connection.execute(insert(models.clock_event).values(**event)))
    told = json.loads(json.dumps(explained(store).as_json()))
    assert told["title"] == "Answer in four hours"
    assert explained(store, "ru").title == "Ответить за четыре часа"
    assert told["due"] == told["computed"]["due"] == "2026-09-21T08:15:00Z"
    assert [day["weekday"] for day in told["computed"]["days"]] == ["fri", "sat", "sun", "mon"]
    assert told["history"] == [
        {"at": "2026-09-18T13:15:00Z", "noted_at": "2026-09-18T13:15:00Z", "event": "applied", "data": {"cause": "i1"}}
    ]


def test_later_versions_do_not_change_what_was_judged(store: Store) -> None:
    bring(store, SETUP)
    bring(store, SETUP.replace("09:00-18:00", "12:00-13:00").replace("four", "five"))
    write(store)
    found = explained(store)
    assert found.computed is not None
    assert found.computed.due == found.obligation.due
    assert found.title == "Answer in four hours"


def test_pauses_count(store: Store) -> None:
    bring(store, SETUP)
    pause = [
        (START + timedelta(minutes=15)).isoformat(),
        (START + timedelta(minutes=45)).isoformat(),
        "waiting_client",
        None,
    ]
    write(store, pauses=[pause], due=datetime(2026, 9, 21, 8, 45, tzinfo=UTC))
    found = explained(store)
    assert found.computed is not None
    assert found.computed.due == found.obligation.due
    assert found.computed.pauses[0].moved == timedelta(minutes=30)


def test_a_regulation_that_nobody_knows_any_more(store: Store) -> None:
    write(store)
    found = explained(store)
    assert (found.title, found.computed) == ("reaction", None)


def test_a_promise_that_names_a_date(store: Store) -> None:
    bring(store, SETUP)
    write(store, target="on 2026-09-21")
    assert explained(store).as_json()["computed"] is None


def test_there_is_no_such_obligation(store: Store) -> None:
    with pytest.raises(NotFound):
        explained(store)
