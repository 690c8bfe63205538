"""Rows by one prepared statement: the same types and defaults as any other insert; on both databases."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import StatementError

from storage.bulk import insert_rows
from storage.models import client, interaction, raw
from storage.store import Store
from storage.unit import Unit
from tests.storage.conftest import NOW

Row = dict[str, Any]


def bulk(store: Store, table: Any, rows: list[Row]) -> list[Row]:
    store.write_now(lambda unit: insert_rows(unit.connection, table, rows))
    query = select(table).order_by(table.c.id)
    return [dict(row) for row in store.read_now(lambda connection: connection.execute(query).mappings().all())]


def test_it_writes_what_an_ordinary_insert_writes(store: Store) -> None:
    row = {
        "kind": "message", "channel": "email", "line": "l", "direction": "inbound", "at": NOW, "text": "Ёж 🦔 100%",
        "fields": {"ключ": ["знач", None, 1.5, True]}, "call": None, "candidates": None,
    }  # fmt: skip
    first, second = bulk(store, interaction, [{"id": 1, **row}]), None

    def ordinary(unit: Unit) -> None:
        unit.connection.execute(insert(interaction).values(id=2, **row))

    store.write_now(ordinary)
    second = bulk(store, interaction, [])[1]
    assert {**first[0], "id": 2} == second


def test_defaults_are_fresh_for_each_row(store: Store) -> None:
    rows = bulk(store, client, [{"id": number, "created_at": NOW} for number in (1, 2)])
    assert [(row["kind"], row["fields"], row["provisional"]) for row in rows] == [("person", {}, False)] * 2


def test_rows_may_name_different_columns(store: Store) -> None:
    rows = bulk(store, client, [{"id": 1, "created_at": NOW}, {"id": 2, "created_at": NOW, "name": "Anna"}])
    assert [row["name"] for row in rows] == ["", "Anna"]


def test_bytes_and_instants_of_any_zone(store: Store) -> None:
    assert bulk(store, raw, [{"id": 1, "media_type": "x", "size": 3, "data": b"\0\xff'"}])[0]["data"] == b"\0\xff'"
    moscow = datetime(2026, 11, 21, 12, 0, tzinfo=timezone(timedelta(hours=3)))
    assert bulk(store, client, [{"id": 1, "created_at": moscow}])[0]["created_at"] == NOW


def test_a_large_batch_fits(store: Store) -> None:
    assert len(bulk(store, client, [{"id": number, "created_at": NOW} for number in range(1, 5001)])) == 5000


def test_an_unknown_column_and_a_naive_instant_are_errors(store: Store) -> None:
    with pytest.raises(KeyError, match="no column colour"):
        bulk(store, client, [{"id": 1, "created_at": NOW, "colour": "red"}])
    with pytest.raises((ValueError, StatementError), match="time zone"):
        bulk(store, client, [{"id": 1, "created_at": NOW.replace(tzinfo=None)}])
    assert bulk(store, client, []) == []
