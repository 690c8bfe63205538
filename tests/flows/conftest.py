"""What the crash tests share."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def durable_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database that survives SIGKILL and power cuts: fsync is on in both."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'touchline.db'}"
    url: str = request.getfixturevalue("own_postgres").fresh_database()
    return url
