"""Writes that nobody waits for: they are there when asked for, and what goes wrong with them is told in time."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError, IntegrityError

from storage.events import Event
from storage.models import raw
from storage.repositories.intake import write_rows
from storage.store import Store
from storage.unit import Unit


def keep(unit: Unit, *numbers: int) -> None:
    write_rows(unit, raw, [{"id": number, "media_type": "x", "size": 0} for number in numbers])


def kept(store: Store) -> list[int]:
    return list(store.read_now(lambda connection: connection.execute(select(raw.c.id).order_by(raw.c.id)).scalars()))


def test_what_was_written_is_seen_by_the_next_question(store: Store) -> None:
    def work(unit: Unit) -> list[int]:
        keep(unit, 1, 2)
        keep(unit, 3)
        return list(unit.connection.execute(select(raw.c.id).order_by(raw.c.id)).scalars())

    assert store.write_now(work) == [1, 2, 3] == kept(store)


def test_what_fails_last_fails_the_transaction(store: Store) -> None:
    with pytest.raises(IntegrityError):
        store.write_now(lambda unit: [keep(unit, 1), keep(unit, 2), keep(unit, 1)])
    assert kept(store) == []


def test_after_a_failure_the_rest_fails_too_and_the_connection_is_good_again(store: Store) -> None:
    def work(unit: Unit) -> None:
        keep(unit, 1)
        keep(unit, 1)
        for number in range(2, 200):
            keep(unit, number)

    with pytest.raises(DBAPIError):
        store.write_now(work)
    store.write_now(lambda unit: keep(unit, 7))
    assert kept(store) == [7]


def test_what_fails_in_a_savepoint_is_undone_alone(store: Store) -> None:
    def work(unit: Unit) -> None:
        keep(unit, 1)
        with pytest.raises(IntegrityError), unit.savepoint():
            unit.emit(Event("line", "inside"))
            keep(unit, 2)
            keep(unit, 1)
        keep(unit, 3)
        assert unit.events == ()

    store.write_now(work)
    assert kept(store) == [1, 3]


def test_another_error_is_not_hidden_by_what_failed_before(store: Store) -> None:
    def fail(unit: Unit) -> None:
        keep(unit, 1)
        with unit.savepoint():
            keep(unit, 2)
            raise ValueError("ours")

    def fail_twice(unit: Unit) -> None:
        keep(unit, 1)
        if unit.dialect == "postgresql":  # there it is not yet known that this fails
            keep(unit, 1)
        raise ValueError("ours")

    for work in (fail, fail_twice):
        with pytest.raises(ValueError, match="ours"):
            store.write_now(work)
    assert kept(store) == []
