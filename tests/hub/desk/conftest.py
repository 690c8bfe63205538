"""The office of the desk's tests, and a browser that minds every broken rule."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.hub.desk.office import Office, open_office


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    """On SQLite."""
    async with open_office(tmp_path / "home", f"sqlite:///{tmp_path / 'touchline.db'}") as opened:
        yield opened


@pytest.fixture
async def any_office(tmp_path: Path, database_url: str) -> AsyncIterator[Office]:
    """On each database."""
    async with open_office(tmp_path / "home", database_url) as opened:
        yield opened
