"""A real SMTP server whose answers the test writes: refusals per recipient, broken sign-in, lost connections, silence.

It lives in a thread with a loop of its own, so that synchronous and asynchronous tests can both use it.
"""

import asyncio
import importlib.metadata
import logging
import ssl
import threading
import time
from dataclasses import dataclass, field
from typing import Self

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.peers.certificates import Certificate, make_certificate

ACCOUNTS = {"support": "secret", "sales": "secret", "robot": "secret"}
SIZE_LIMIT = 40 * 1024 * 1024
NEED_AUTH = "530 5.7.0 Authentication required"


@dataclass(frozen=True, slots=True)
class Received:
    """One mail as it came over the wire."""

    sender: str
    recipients: tuple[str, ...]
    raw: bytes
    user: str | None
    encrypted: bool
    at: float


@dataclass(slots=True)
class Script:
    """How the server behaves until the next `reset`."""

    recipients: dict[str, list[str]] = field(default_factory=dict)
    senders: dict[str, str] = field(default_factory=dict)
    data: list[str] = field(default_factory=list)
    auth: str | None = None
    require_auth: bool = False
    vanish_after_data: int = 0
    delay: float = 0.0


class SmtpServer:
    """Plain port with STARTTLS, and a second port with TLS from the first byte."""

    def __init__(self) -> None:
        self.certificate: Certificate = make_certificate()
        self.received: list[Received] = []
        self.script = Script()
        self.attempts = 0
        self.port = self.tls_port = 0
        self._connections: set[_Connection] = set()
        self._loop = asyncio.new_event_loop()
        self._servers: list[asyncio.Server] = []
        logging.getLogger("mail.log").setLevel(logging.CRITICAL)
        self._thread = threading.Thread(target=self._loop.run_forever, name="smtp-peer", daemon=True)
        self._thread.start()
        self.start()

    def refuse(self, recipient: str, reply: str, times: int | None = None) -> None:
        """Answer RCPT TO for this address with ``reply`` ("451 4.7.1 later"), always or so many times."""
        self.script.recipients[recipient.lower()] = [reply] * times if times else [reply, "for ever"]

    def refuse_sender(self, sender: str, reply: str) -> None:
        """Answer MAIL FROM of this address with ``reply``."""
        self.script.senders[sender.lower()] = reply

    def refuse_data(self, *replies: str) -> None:
        """Take these answers, one per mail, after the text of a mail was sent; then accept again."""
        self.script.data.extend(replies)

    def refuse_sign_in(self, reply: str = "535 5.7.8 Authentication credentials invalid") -> None:
        """Refuse every sign-in, whatever the password."""
        self.script.auth = reply

    def require_sign_in(self) -> None:
        """Answer 530 to whoever has not signed in."""
        self.script.require_auth = True

    def vanish_after_data(self, times: int = 1) -> None:
        """Take the mail, then drop the connection before the answer: the sender cannot know."""
        self.script.vanish_after_data = times

    def delay(self, seconds: float) -> None:
        """Wait so long before the answer to a mail's text."""
        self.script.delay = seconds

    def reset(self) -> None:
        """Forget the script and the mails."""
        self.script = Script()
        self.received.clear()
        self.attempts = 0
        if not self._servers:
            self.start()

    async def wait_for(self, count: int = 1, seconds: float = 60.0) -> list[Received]:
        """Wait until at least so many mails were received."""
        deadline = time.monotonic() + seconds
        while len(self.received) < count:
            if time.monotonic() > deadline:
                raise AssertionError(f"{len(self.received)} mails received after {seconds} s, not {count}")
            await asyncio.sleep(0.01)
        return list(self.received)

    def start(self) -> None:
        """Listen, again on the same ports after `stop`."""
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)

    def stop(self) -> None:
        """Hang up on everybody and refuse connections."""
        asyncio.run_coroutine_threadsafe(self._hang_up(), self._loop).result(10)

    def close(self) -> None:
        """End the server."""
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def _listen(self) -> None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.certificate.chain, self.certificate.key)
        loop = self._loop
        plain = await loop.create_server(
            lambda: _Connection(self, starttls=context), "127.0.0.1", self.port, reuse_address=True
        )
        self.port = plain.sockets[0].getsockname()[1]
        tls = await loop.create_server(
            lambda: _Connection(self), "127.0.0.1", self.tls_port, ssl=context, reuse_address=True
        )
        self.tls_port = tls.sockets[0].getsockname()[1]
        self._servers = [plain, tls]

    async def _hang_up(self) -> None:
        for server in self._servers:
            server.close()
        for connection in list(self._connections):
            if connection.transport is not None:
                connection.transport.abort()
        self._servers = []
        await asyncio.sleep(0)
        pending = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)


class _Connection(SMTP):
    """One client; the base class keeps the protocol, this one the list of who is connected."""

    def __init__(self, server: SmtpServer, starttls: ssl.SSLContext | None = None) -> None:
        self._server = server
        super().__init__(
            _Handler(server),
            data_size_limit=SIZE_LIMIT,
            enable_SMTPUTF8=True,
            hostname="smtp.office.example",
            tls_context=starttls,
            auth_require_tls=False,
            authenticator=self._check_password,
            loop=server._loop,
        )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._server._connections.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        self._server._connections.discard(self)

    def _check_password(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object
    ) -> AuthResult:
        if (reply := self._server.script.auth) is not None:
            return AuthResult(success=False, handled=False, message=reply)
        if not isinstance(data, LoginPassword):
            return AuthResult(success=False, handled=False)
        user = data.login.decode()
        good = ACCOUNTS.get(user.partition("@")[0]) == data.password.decode()
        return AuthResult(success=good, handled=False, auth_data=user)


class _Handler:
    """Answers by the script; aiosmtpd calls these by name."""

    def __init__(self, server: SmtpServer) -> None:
        self._server = server

    async def handle_MAIL(  # noqa: N802 - named by aiosmtpd
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        script = self._server.script
        if script.require_auth and not session.authenticated:
            return NEED_AUTH
        if reply := script.senders.get(address.lower()):
            return reply
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802 - named by aiosmtpd
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        replies = self._server.script.recipients.get(address.lower())
        if replies:
            return replies[0] if replies[-1] == "for ever" else replies.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        peer, script = self._server, self._server.script
        peer.attempts += 1
        if script.delay:
            await asyncio.sleep(script.delay)
        if script.data:
            return script.data.pop(0)
        raw = envelope.original_content or b""
        user = session.auth_data if isinstance(session.auth_data, str) else None
        assert server.transport is not None
        encrypted = server.transport.get_extra_info("ssl_object") is not None
        mail = Received(envelope.mail_from or "", tuple(envelope.rcpt_tos), raw, user, encrypted, time.time())
        peer.received.append(mail)
        if script.vanish_after_data:
            script.vanish_after_data -= 1
            server.transport.abort()
        return "250 2.0.0 OK: queued"


def version() -> str:
    """Which aiosmtpd."""
    return f"{importlib.metadata.version('aiosmtpd')} (wheel)"
