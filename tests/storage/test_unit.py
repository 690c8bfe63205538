"""One transaction: numbers, events, savepoints; on both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, select

from storage.events import Event
from storage.models import conversation, raw
from storage.repositories.intake import update_rows, write_rows
from storage.store import Store
from storage.unit import Unit
from tests.storage.conftest import NOW


def add_raw(unit: Unit) -> int:
    number = unit.take_ids(raw, 1)[0]
    unit.connection.execute(insert(raw).values(id=number, media_type="x", size=0))
    return number


def test_numbers_ascend_within_and_across_transactions(store: Store) -> None:
    first = store.write_now(lambda unit: [add_raw(unit) for _ in range(3)] + unit.take_ids(raw, 40))
    assert first == sorted(set(first)) and len(first) == 43
    assert store.write_now(lambda unit: unit.take_ids(raw, 0)) == []
    assert store.write_now(add_raw) not in first[:3]


def test_numbers_of_an_undone_piece_are_not_given_twice_in_one_transaction(store: Store) -> None:
    def work(unit: Unit) -> list[int]:
        before = add_raw(unit)
        with pytest.raises(ValueError), unit.savepoint():
            add_raw(unit)
            raise ValueError
        return [before, add_raw(unit), add_raw(unit)]

    numbers = store.write_now(work)
    rows = store.read_now(lambda connection: connection.execute(select(raw.c.id).order_by(raw.c.id)).scalars().all())
    assert list(rows) == numbers == sorted(set(numbers))


def test_events_of_an_undone_piece_are_forgotten(store: Store) -> None:
    def work(unit: Unit) -> tuple[Event, ...]:
        unit.emit(Event("line", "before"))
        with pytest.raises(ValueError), unit.savepoint():
            unit.emit(Event("line", "inside"))
            raise ValueError
        unit.emit(Event("line", "after"))
        return unit.events

    assert [event.id for event in store.write_now(work)] == ["before", "after"]


def test_a_failed_transaction_leaves_nothing(store: Store) -> None:
    def work(unit: Unit) -> None:
        add_raw(unit)
        raise ValueError

    with pytest.raises(ValueError):
        store.write_now(work)
    assert store.read_now(lambda connection: connection.execute(select(raw)).all()) == []


def test_many_rows_change_each_in_its_own_way(store: Store) -> None:
    def work(unit: Unit) -> None:
        fixed = {"client_id": 1, "channels": [], "opened_at": NOW, "last_at": NOW}
        write_rows(unit, conversation, [{"id": number, **fixed} for number in range(1, 301)])
        changes = {number: {"version": number, "channels": [str(number)]} for number in range(1, 300)}
        update_rows(unit, conversation, {**changes, 300: {"owner": "anna", "waiting_since": NOW}, 7: {}})

    store.write_now(work)
    query = select(conversation).order_by(conversation.c.id)
    rows = store.read_now(lambda connection: connection.execute(query).mappings().all())
    assert [row["version"] for row in rows[:6]] == [1, 2, 3, 4, 5, 6]
    assert (rows[6]["version"], rows[7]["channels"], rows[298]["version"]) == (1, ["8"], 299)
    assert (rows[299]["owner"], rows[299]["waiting_since"], rows[299]["version"]) == ("anna", NOW, 1)
