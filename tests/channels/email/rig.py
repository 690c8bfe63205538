"""A mailbox line on the mail peers, as the contract kit and the adapter's own tests use it."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from channels.email import Settings, create
from channels.email.adapter import EmailChannel
from channels.email.mime import read
from channels.touch import Identity, Message
from tests.channels.door import FakeDoor
from tests.peers.dovecot import Dovecot
from tests.peers.mailbox import Mailbox
from tests.peers.smtp import SmtpServer
from tests.peers.workshop import free_port

CLIENT = "client@outside.example"
_serial = itertools.count(1)


def settings_for(box: Mailbox, imap_port: int, smtp_port: int, **own: Any) -> Settings:
    """The settings of a line on this mailbox. `imap` and `smtp` add to those sections."""
    imap = {"host": "127.0.0.1", "port": imap_port, "user": box.user, "password": box.password, "tls": False}
    smtp = {"host": "127.0.0.1", "port": smtp_port, "tls": False}
    imap |= {"timeout_s": 5, **own.pop("imap", {})}
    smtp |= {"timeout_s": 5, **own.pop("smtp", {})}
    return Settings.model_validate({"address": box.address, "imap": imap, "smtp": smtp, **own})


def mail(
    text: str, *, sender: str = CLIENT, to: str = "support@office.example", subject: str = "Вопрос", **headers: str
) -> bytes:
    """A plain mail of a client; every call makes another Message-ID."""
    made = EmailMessage(policy=policy.SMTP)
    made["From"], made["To"], made["Subject"] = sender, to, subject
    made["Date"] = "Sat, 21 Nov 2026 12:00:00 +0300"
    made["Message-ID"] = headers.pop("message_id", f"<{next(_serial)}.test@outside.example>")
    for name, value in headers.items():
        made[name.replace("_", "-").title()] = value
    made.set_content(text)
    return made.as_bytes()


class EmailRig:
    """See `tests.channels.kit.Rig`."""

    line = "support-mail"
    exempt: Mapping[str, str] = {"opt-out": "plain mail has no opt-out: the hub keeps the list"}

    def __init__(self, dovecot: Dovecot, box: Mailbox, smtp: SmtpServer | None, **own: Any) -> None:
        self.dovecot, self.box, self._smtp = dovecot, box, smtp
        self.door = FakeDoor(own={box.address})
        self.own = own
        self._last = b""

    @property
    def smtp(self) -> SmtpServer:
        assert self._smtp is not None
        return self._smtp

    def settings(self, *, wrong_credentials: bool = False, **more: Any) -> Settings:
        own = {**self.own, **more}
        if wrong_credentials:
            own["imap"] = {**own.get("imap", {}), "password": "wrong"}
        port = self._smtp.port if self._smtp is not None else 0
        return settings_for(self.box, self.dovecot.imap_port, port, **own)

    def channel(self, *, wrong_credentials: bool = False) -> EmailChannel:
        return create(self.line, self.settings(wrong_credentials=wrong_credentials), self.door.door())

    async def incoming(self, text: str) -> None:
        self._last = mail(text, to=self.box.address)
        self.box.deliver(self._last)

    async def incoming_again(self) -> None:
        self.box.deliver(self._last)

    def message(self, text: str, reference: str) -> Message:
        to = (Identity("email", CLIENT, "Иван Клиент"),)
        return Message(reference, to, text, datetime(2026, 11, 21, 9, tzinfo=UTC), subject="Вопрос", conversation=7)

    async def outgoing(self) -> list[str]:
        return [read(each.raw)[0].decoded().decode().strip() for each in self.smtp.received]

    def external_ids(self) -> list[str]:
        return [str(message_from_bytes(each.raw)["Message-ID"]) for each in self.smtp.received]

    def refuse_for_now(self) -> None:
        self.smtp.refuse(CLIENT, "451 4.7.1 greylisted, come back later", times=1)

    def refuse_for_good(self) -> None:
        self.smtp.refuse(CLIENT, "550 5.1.1 no such user", times=1)

    def opt_out(self) -> None:
        raise NotImplementedError("exempt")

    async def stop_server(self) -> None:
        self.own = {**self.own, "imap": {**self.own.get("imap", {}), "port": free_port()}}

    async def start_server(self) -> None:
        del self.own["imap"]["port"]
