"""Assignment over the store: how busy people are, passing on, draining."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, update

from routing.assignment import Desk, compile_routes
from routing.assignment.giving import drain, load_desk, pass_on
from storage.models import client, conversation, interaction
from storage.store import Store
from storage.unit import Unit
from tests.routing.world import OFFICE, book_of, msk

BOOK = book_of('[route.all]\nteam = "support"\nstrategy = "least_busy"\npass_on_after = "15 min"\n', OFFICE)
ROUTES = compile_routes(BOOK)
NOW = msk("2026-09-14 10:00")


def _talk(unit: Unit, number: int, **more: Any) -> None:
    waits = more.pop("waits", NOW - timedelta(minutes=number))
    values = {"client_id": 1, "team": "support", "opened_at": NOW, "last_at": NOW, "waiting_since": waits, **more}
    unit.connection.execute(insert(conversation).values(id=number, **values))


@pytest.fixture
def store(database_url: str, tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(database_url, tmp_path, lambda: NOW)

    def fill(unit: Unit) -> None:
        unit.connection.execute(insert(client).values(id=1, name="C", created_at=NOW))
        base = {"kind": "message", "channel": "email", "line": "mail", "direction": "outbound", "client_id": 1}
        unit.connection.execute(insert(interaction).values(id=1, at=NOW, operator="boris", **base))
        _talk(unit, 1, owner="anna")
        _talk(unit, 2, owner="anna", state="waiting_client")
        _talk(unit, 3, owner="boris")
        _talk(unit, 4, owner="boris", state="solved")
        for number in (10, 11, 12):
            _talk(unit, number)
        _talk(unit, 13, waits=None)

    opened.write_now(fill)
    yield opened
    opened.engines.dispose()


def test_how_busy_everybody_is(store: Store) -> None:
    desk = store.write_now(lambda unit: load_desk(unit, client=1))
    assert desk.busy == {"anna": 2, "boris": 1}
    assert desk.turn == {"anna": 2, "boris": 4}
    assert desk.last == "boris"


def test_draining_gives_the_longest_waiting_first_and_spreads_them(store: Store) -> None:
    found = store.write_now(lambda unit: drain(unit, BOOK, ROUTES, load_desk(unit)))
    assert [(each.conversation, each.operator) for each in found] == [(12, "vera"), (11, "boris"), (10, "vera")]
    nobody = store.write_now(lambda unit: drain(unit, BOOK, ROUTES, Desk(present=frozenset())))
    assert nobody == []


def test_passing_on_what_nobody_answered(store: Store) -> None:
    found = store.write_now(lambda unit: pass_on(unit, BOOK, ROUTES, 1, "anna", load_desk(unit)))
    assert found is not None
    assert (found.operator, found.pass_on_at) == ("vera", NOW + timedelta(minutes=15))
    alone = store.write_now(lambda unit: pass_on(unit, BOOK, ROUTES, 1, "anna", Desk(present=frozenset({"anna"}))))
    assert alone is not None
    assert (alone.operator, alone.reason) == (None, "passed_on:nobody_free")


def test_what_was_answered_or_taken_meanwhile_stays(store: Store) -> None:
    assert store.write_now(lambda unit: pass_on(unit, BOOK, ROUTES, 1, "boris", load_desk(unit))) is None
    answered = update(conversation).where(conversation.c.id == 1).values(waiting_since=None)
    store.write_now(lambda unit: unit.connection.execute(answered))
    assert store.write_now(lambda unit: pass_on(unit, BOOK, ROUTES, 1, "anna", load_desk(unit))) is None
