"""An office on both databases, for everything that is tested without a network."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hub.actions.conftest import office
from tests.hub.office import Office

__all__ = ["office"]


@pytest.fixture
def plain_office(tmp_path: Path) -> Iterator[Office]:
    """An office on SQLite, for tests that walk through many examples."""
    opened = Office.open(f"sqlite:///{tmp_path / 'touchline.db'}", tmp_path / "files")
    yield opened
    opened.close()
