"""An SMSC for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.channels.sms.gateway import Gateway, HttpRig
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


@pytest.fixture(params=["kannel", "json-bearer", "form-basic"])
async def web_rig(request: pytest.FixtureRequest) -> AsyncIterator[HttpRig]:
    gateway = Gateway(request.param)
    await gateway.start()
    rig = HttpRig(gateway)
    yield rig
    await rig.stop()
    await gateway.stop()
