"""The Graph API of one test, and a line at it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.channels.whatsapp.rig import WhatsAppRig
from tests.peers.whatsapp import GraphApi


@pytest.fixture
async def api() -> AsyncIterator[GraphApi]:
    """A fresh server."""
    async with GraphApi() as server:
        yield server


@pytest.fixture
async def rig(api: GraphApi, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[WhatsAppRig]:
    """A line at it, in a hurry."""
    monkeypatch.setattr("channels.fetching.PAUSES", (0.01, 0.01))
    made = WhatsAppRig(api)
    yield made
    await made.close()
