"""The email channel keeps the contract of all channels."""

from __future__ import annotations

import pytest

from tests.channels.email.rig import EmailRig
from tests.channels.kit import ContractKit, Rig
from tests.peers.dovecot import Dovecot
from tests.peers.mailbox import Mailbox
from tests.peers.smtp import SmtpServer


class TestEmailKeepsTheContract(ContractKit):
    @pytest.fixture
    def rig(self, dovecot: Dovecot, box: Mailbox, smtp: SmtpServer) -> Rig:
        return EmailRig(dovecot, box, smtp)
