"""The API over a real socket and a real store, on both databases, without channels."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.hub.actions.conftest import prepare_database
from tests.hub.api.caller import Caller, open_caller
from tests.hub.office import Office
from tests.peers.postgres import Postgres


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


@pytest.fixture
async def caller(office: Office, tmp_path: Path) -> AsyncIterator[Caller]:
    async with open_caller(office, tmp_path) as opened:
        yield opened
