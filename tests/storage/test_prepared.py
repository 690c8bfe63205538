"""Statements given to the driver itself answer, change and fail as SQLAlchemy's own do, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import bindparam, event, select, update
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError

from storage.among import among, one_of
from storage.driver import ask, tell
from storage.models import conversation, identity
from storage.prepared import Prepared, PreparedChange
from storage.repositories.intake import write_rows
from storage.store import Store
from storage.unit import Unit

AT = datetime(2026, 11, 21, 12, 30, 15, 123456, tzinfo=UTC)
SINCE = bindparam("since", type_=conversation.c.last_at.type)
TALKS = (
    select(conversation)
    .where(among(conversation.c.client_id), conversation.c.last_at >= SINCE)
    .where(one_of(conversation.c.state, ("open", "postponed")))
    .order_by(conversation.c.id)
)
OF_CLIENTS = Prepared(TALKS, locking=True)
NAMED = Prepared(select(identity.c.value, identity.c.odd, identity.c.shared).where(among(identity.c.value)))


def talk(number: int, **changes: Any) -> dict[str, Any]:
    row = {"id": number, "client_id": number * 10, "state": "open", "channels": ["email", "чат"], "opened_at": AT}
    return {**row, "last_at": AT + timedelta(hours=number), "subject": None, "version": 1, **changes}


def seed(unit: Unit) -> None:
    write_rows(unit, conversation, [talk(1), talk(2, state="junk"), talk(3, subject='"50 %s" — ё'), talk(4)])


def test_it_answers_what_the_query_itself_would(store: Store) -> None:
    store.write_now(seed)

    def both(unit: Unit) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        given = {"keys": [10, 20, 30], "since": AT + timedelta(hours=1)}
        plain = unit.connection.execute(TALKS, given).mappings()
        return OF_CLIENTS.mappings(unit.connection, **given), [dict(row) for row in plain]

    prepared, plain = store.write_now(both)
    assert prepared == plain
    assert [(row["id"], row["channels"], row["last_at"]) for row in prepared] == [
        (1, ["email", "чат"], AT + timedelta(hours=1)),
        (3, ["email", "чат"], AT + timedelta(hours=3)),
    ]


def test_texts_and_yes_or_no(store: Store) -> None:
    row = {"id": 1, "client_id": 1, "scheme": "phone", "value": "+7'\"?%s:x", "odd": True, "shared": False}
    store.write_now(lambda unit: write_rows(unit, identity, [{**row, "name": None, "added_at": AT}]))
    found = store.read_now(lambda connection: NAMED.rows(connection, keys={"+7'\"?%s:x", "other"}))
    assert found == [("+7'\"?%s:x", True, False)]
    assert store.read_now(lambda connection: NAMED.rows(connection, keys=())) == []


def test_a_change_is_made_to_each_row(store: Store) -> None:
    store.write_now(seed)
    names = ("subject", "channels", "last_at")
    values = {name: bindparam(name, type_=conversation.c[name].type) for name in names}
    change = PreparedChange(update(conversation).where(conversation.c.id == bindparam("number")).values(values))
    rows = [{"number": n, "subject": f"s{n}", "channels": [str(n)], "last_at": AT} for n in (1, 4)]

    def work(unit: Unit) -> list[tuple[Any, ...]]:
        change.make(unit.connection, rows)
        table = conversation.c
        query = select(table.id, table.subject, table.channels, table.last_at).order_by(table.id)
        return [tuple(row) for row in unit.connection.execute(query)]

    found = store.write_now(work)
    assert [row for row in found if row[0] in (1, 4)] == [(1, "s1", ["1"], AT), (4, "s4", ["4"], AT)]
    assert [row[1] for row in found if row[0] in (2, 3)] == [None, '"50 %s" — ё']


def test_what_reads_otherwise_each_time_is_refused(store: Store) -> None:
    query = Prepared(select(conversation.c.id).where(conversation.c.id.in_([1, 2])))
    with pytest.raises(ValueError, match="reads otherwise"):
        store.read_now(query.rows)


def test_errors_are_those_of_sqlalchemy(store: Store) -> None:
    twice = "INSERT INTO raw (id, media_type, size) VALUES (1, 'x', 0), (1, 'x', 0)"
    with pytest.raises(IntegrityError):
        store.write_now(lambda unit: tell(unit.connection, twice))
    with pytest.raises((OperationalError, ProgrammingError)):
        store.read_now(lambda connection: ask(connection, "SELECT nothing FROM nowhere"))
    assert store.read_now(lambda connection: ask(connection, "SELECT count(*) FROM raw")) == [(0,)]


def test_a_statement_opens_the_transaction_that_its_connection_lacks(store: Store) -> None:
    """Several questions of one reader see one state of the database where the database can."""

    def read(connection: Any) -> bool:
        before: bool = connection.in_transaction()
        ask(connection, "SELECT 1")
        return not before and connection.in_transaction()

    assert store.read_now(read)


def test_listeners_are_told(store: Store) -> None:
    heard: list[str] = []
    engine = store.engines.reader

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        heard.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        store.read_now(lambda connection: ask(connection, "SELECT 7"))
    finally:
        event.remove(engine, "before_cursor_execute", note)
    assert heard[-1] == "SELECT 7"
