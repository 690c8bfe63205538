"""An office on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.engine import open_engines
from storage.schema import prepare
from tests.hub.office import Office
from tests.peers.postgres import Postgres


def prepare_database(url: str) -> None:
    engines = open_engines(url)
    prepare(engines)
    engines.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    url = f"sqlite:///{tmp_path / 'touchline.db'}"
    postgres: Postgres | None = None
    if request.param == "postgresql":
        postgres = request.getfixturevalue("postgres")
        assert postgres is not None
        url = postgres.prepared_database("touchline", prepare_database)
    opened = Office.open(url, tmp_path / "files")
    yield opened
    opened.close()
    if postgres is not None:
        postgres.drop(url)
