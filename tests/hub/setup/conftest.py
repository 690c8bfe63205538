"""A store on both databases, and the golden files."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hub.setup.importing import Report, take
from hub.setup.reading import read_setup
from hub.setup.snapshot import SetUp, load_setup
from storage.store import Store

GOLDEN = Path(__file__).parents[2] / "golden"
NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


@pytest.fixture
def store(database_url: str, tmp_path: Path) -> Iterator[Store]:
    """An empty, prepared database."""
    opened = Store.open(database_url, tmp_path / "files", lambda: NOW)
    yield opened
    opened.engines.dispose()


@pytest.fixture
def bring(store: Store) -> Callable[[str], Report]:
    """Import a text."""
    return lambda text: store.write_now(lambda unit: take(unit, read_setup([("some.toml", text)]), "test"))


@pytest.fixture
def setup(store: Store) -> Callable[[], SetUp]:
    """What is in force."""
    return lambda: store.read_now(load_setup)


def golden(*names: str) -> list[tuple[str, str]]:
    """Golden files as sources."""
    return [(f"{name}.toml", (GOLDEN / f"{name}.toml").read_text(encoding="utf-8")) for name in names]
