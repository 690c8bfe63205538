"""An empty database brings itself up to date, as often and from as many sides as one likes; models and tables agree."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import insert, inspect, select

from storage.engine import BadDatabaseUrl, open_engines, read_url
from storage.models import bookmark, client, metadata
from storage.schema import prepare
from storage.store import Store
from tests.storage.conftest import NOW


def test_preparing_twice_does_nothing_the_second_time(database_url: str) -> None:
    engines = open_engines(database_url)
    assert prepare(engines)
    assert not prepare(engines)
    engines.dispose()


def test_processes_that_come_at_once_wait_for_each_other(database_url: str) -> None:
    def come(_: int) -> None:
        engines = open_engines(database_url)
        prepare(engines)
        engines.dispose()

    with ThreadPoolExecutor(4) as several:
        list(several.map(come, range(4)))
    engines = open_engines(database_url)
    with engines.reader.connect() as connection:
        assert connection.execute(select(bookmark)).all() == []
    engines.dispose()


def test_the_tables_are_those_of_the_models(opened: Store) -> None:
    options = {"include_object": lambda item, name, kind, *_: not (kind == "table" and "_words" in (name or ""))}
    with opened.engines.reader.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
    assert [one for one in found if not (one[0] == "remove_index" and "_words" in one[1].name)] == []


def test_columns_are_as_free_to_be_empty_as_the_models_say(opened: Store) -> None:
    with opened.engines.reader.connect() as connection:
        inspector = inspect(connection)
        for table in metadata.sorted_tables:
            if table.info.get("fts") and opened.dialect == "sqlite":
                continue
            found = [(one["name"], one["nullable"]) for one in inspector.get_columns(table.name)]
            assert found == [(one.name, one.nullable) for one in table.c], table.name


def test_instants_keep_their_instant(store: Store) -> None:
    warsaw = datetime(2026, 7, 1, 12, 0, 0, 123456, tzinfo=timezone(timedelta(hours=2)))
    store.write_now(
        lambda unit: unit.connection.execute(insert(client).values(id=1, name="x", created_at=warsaw)) and None
    )
    found = store.read_now(lambda connection: connection.execute(select(client.c.created_at)).scalar_one())
    assert (found, found.tzinfo) == (warsaw, UTC)


def test_an_instant_without_a_zone_is_refused(store: Store) -> None:
    naive = NOW.replace(tzinfo=None)
    with pytest.raises(Exception, match="time zone"):
        store.write_now(lambda unit: unit.connection.execute(insert(client).values(id=1, name="x", created_at=naive)))


@pytest.mark.parametrize("url", ["", "nonsense", "mysql://x", "sqlite://", "sqlite:///:memory:"])
def test_what_is_no_database_of_ours_is_refused(url: str) -> None:
    with pytest.raises(BadDatabaseUrl):
        open_engines(url)


def test_every_spelling_of_postgresql_is_one() -> None:
    for url in ("postgres://a@b/c", "postgresql://a@b/c", "postgresql+psycopg://a@b/c"):
        assert read_url(url).drivername == "postgresql+psycopg"
