"""SMS over SMPP keeps the contract of all channels."""

from __future__ import annotations

from tests.channels.kit import ContractKit


class TestSmppKeepsTheContract(ContractKit):
    pass
