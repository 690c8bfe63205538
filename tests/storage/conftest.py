"""One store per kind of database for a whole module; each test finds it empty."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import delete

from storage.models import metadata
from storage.store import Store
from storage.unit import Unit

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def opened(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    folder = tmp_path_factory.mktemp("store")
    postgres = request.getfixturevalue("postgres") if request.param == "postgresql" else None
    url = postgres.fresh_database() if postgres else f"sqlite:///{folder / 'touchline.db'}"
    store = Store.open(url, folder / "files", lambda: NOW)
    yield store
    store.engines.dispose()
    if postgres:
        postgres.drop(url)


@pytest.fixture
def store(opened: Store) -> Store:
    """Empty."""
    opened.write_now(empty)
    return opened


def empty(unit: Unit) -> None:
    """Take every row out of every table."""
    for table in reversed(metadata.sorted_tables):
        unit.connection.execute(delete(table))
