"""VK of one test, and a line at it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.channels.vk.rig import VkRig
from tests.channels.vk.vendor import Vendor


@pytest.fixture
async def vendor() -> AsyncIterator[Vendor]:
    """A fresh server."""
    async with Vendor() as server:
        yield server


@pytest.fixture
async def rig(vendor: Vendor, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[VkRig]:
    """A line at it, in a hurry."""
    monkeypatch.setattr("channels.fetching.PAUSES", (0.01,))
    made = VkRig(vendor)
    yield made
    await made.close()
