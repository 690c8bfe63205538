"""The Viber of one test, and a bot at it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.channels.viber.rig import ViberRig
from tests.peers.viber import Viber


@pytest.fixture
async def viber() -> AsyncIterator[Viber]:
    """A fresh server."""
    async with Viber() as server:
        yield server


@pytest.fixture
async def rig(viber: Viber, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[ViberRig]:
    """A bot at it, in a hurry."""
    monkeypatch.setattr("channels.fetching.PAUSES", (0.01, 0.01))
    made = ViberRig(viber)
    await made.site.start()
    yield made
    await made.close()
