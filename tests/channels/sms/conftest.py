"""An SMSC for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.channels.sms.rig import SmppRig
from tests.peers.smsc import Smsc


@pytest.fixture
async def smsc() -> AsyncIterator[Smsc]:
    one = Smsc()
    await one.start()
    yield one
    await one.stop()


@pytest.fixture
def rig(smsc: Smsc) -> SmppRig:
    return SmppRig(smsc)
