"""The Viber channel keeps the contract of all channels."""

from __future__ import annotations

from tests.channels.kit import ContractKit


class TestViberKeepsTheContract(ContractKit):
    """`rig` comes from this folder's conftest."""
