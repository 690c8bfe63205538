"""The Bot API of one test, and a line on it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.channels.telegram.rig import TelegramRig
from tests.peers.telegram import BotApi


@pytest.fixture
async def api() -> AsyncIterator[BotApi]:
    """A fresh server."""
    async with BotApi() as server:
        yield server


@pytest.fixture
async def rig(api: BotApi) -> AsyncIterator[TelegramRig]:
    """A line that polls."""
    rig = TelegramRig(api)
    yield rig
    await rig.close()
