"""SMS keeps the contract of all channels, over SMPP and over each shape of HTTP gateway."""

from __future__ import annotations

import pytest

from tests.channels.kit import ContractKit, Rig
from tests.channels.sms.gateway import HttpRig


class TestSmppKeepsTheContract(ContractKit):
    pass


class TestHttpKeepsTheContract(ContractKit):
    @pytest.fixture
    def rig(self, web_rig: HttpRig) -> Rig:
        if web_rig.gateway.shape == "kannel":
            web_rig.exempt = {**web_rig.exempt, "opt-out": "Kannel tells no reason of a refusal"}
        return web_rig
