"""Handing a mail to an SMTP server, and what its answers mean.

A connection of its own for every message: a long-kept one has been seen to hang on reconnecting, and a hub sends
replies, not campaigns. Each step has a timeout twice over, in the library and around it.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import aiosmtplib

from channels.email.compose import needs_utf8, wire_address
from channels.email.imap import connection_error
from channels.email.settings import SmtpSettings
from channels.email.tls import tls_context
from channels.errors import BadSettings, ChannelError, Rejected, Throttled, Uncertain, Unreachable

_PATIENCE = 300.0


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail with its envelope. An empty sender is the null return path of automatic mail."""

    sender: str
    recipients: Sequence[str]
    raw: bytes


@dataclass(slots=True)
class _Refusals:
    lasting: dict[str, str] = field(default_factory=dict)
    passing: dict[str, str] = field(default_factory=dict)

    def all(self) -> dict[str, str]:
        return {**self.lasting, **self.passing}


async def hand_over(
    letter: Letter, settings: SmtpSettings, own_address: str, before_data: Callable[[], Awaitable[None]]
) -> dict[str, str]:
    """Send one letter; the recipients that were refused while others were accepted, with reasons.

    `before_data` runs once the envelope is accepted, right before the text goes out: after it, nobody can be sure
    until the server answers. Raises `ChannelError`.
    """
    async with _connected(settings) as client:
        refused = await _send_envelope(client, letter, settings, own_address)
        await before_data()
        await _send_text(client, letter.raw, settings)
    return refused.all()


async def check_sign_in(settings: SmtpSettings) -> None:
    """Connect, sign in, leave. Raises `ChannelError`."""
    async with _connected(settings) as client:
        try:
            async with asyncio.timeout(settings.timeout_s):
                await client.noop()
        except (aiosmtplib.SMTPException, TimeoutError, OSError) as error:
            raise Unreachable(f"{settings.host} broke off: {_said(error)}") from error


@contextlib.asynccontextmanager
async def _connected(settings: SmtpSettings) -> AsyncIterator[aiosmtplib.SMTP]:
    client = await _connect(settings)
    try:
        if settings.user is not None:
            await _sign_in(client, settings)
        yield client
        with contextlib.suppress(aiosmtplib.SMTPException, TimeoutError, OSError):
            async with asyncio.timeout(5):
                await client.quit()
    finally:
        client.close()


async def _connect(settings: SmtpSettings) -> aiosmtplib.SMTP:
    host, port = settings.host, settings.effective_port()
    client = aiosmtplib.SMTP(
        hostname=host,
        port=port,
        timeout=settings.timeout_s,
        use_tls=settings.tls is True,
        start_tls=settings.tls == "starttls",
        tls_context=_context(settings),
        local_hostname="localhost" if host in ("127.0.0.1", "localhost", "::1") else None,
    )
    try:
        async with asyncio.timeout(settings.timeout_s * 1.5):
            await client.connect()
        return client
    except BaseException as error:
        client.close()
        if not isinstance(error, (aiosmtplib.SMTPException, TimeoutError, OSError)):
            raise
        raise _connect_error(error, host, port) from error


def _context(settings: SmtpSettings) -> ssl.SSLContext | None:
    if settings.tls is False:
        return None
    try:
        return tls_context(settings.ca)
    except OSError as error:
        raise BadSettings(f"smtp.ca cannot be read: {error}", remedy="Give a file of PEM certificates.") from error


def _connect_error(error: Exception, host: str, port: int) -> ChannelError:
    for cause in (error, error.__cause__, error.__context__):
        if isinstance(cause, OSError) and not isinstance(cause, (aiosmtplib.SMTPException, TimeoutError)):
            return connection_error(cause, host, port)
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return _answer_error(error.code, error.message, f"{host} does not greet")
    if "STARTTLS" in str(error):
        return BadSettings(f"{host} offers no STARTTLS", remedy="Set smtp.tls to true or false.")
    return Unreachable(f"{host}:{port} cannot be reached ({_said(error)})", remedy="Check host and port.")


async def _sign_in(client: aiosmtplib.SMTP, settings: SmtpSettings) -> None:
    assert settings.user is not None
    password = settings.password.get_secret_value() if settings.password is not None else ""
    try:
        async with asyncio.timeout(settings.timeout_s):
            await client.login(settings.user, password)
    except aiosmtplib.SMTPAuthenticationError as error:
        if 400 <= error.code < 500:
            raise Unreachable(f"{settings.host} cannot check passwords now: {_said(error)}") from error
        raise BadSettings(
            f"{settings.host} does not let {settings.user!r} in: {_said(error)}",
            remedy="Correct smtp.user and smtp.password.",
        ) from error
    except aiosmtplib.SMTPNotSupported as error:
        raise BadSettings(
            f"{settings.host} offers no sign-in: {error}", remedy="Leave out smtp.user, or turn on smtp.tls."
        ) from error
    except (aiosmtplib.SMTPException, TimeoutError, OSError) as error:
        raise Unreachable(f"{settings.host} broke off the sign-in: {_said(error)}") from error


async def _send_envelope(
    client: aiosmtplib.SMTP, letter: Letter, settings: SmtpSettings, own_address: str
) -> _Refusals:
    """MAIL and RCPT; nothing is out yet. Raises unless at least one recipient is accepted."""
    encoding, options = await _utf8_options(client, letter, settings)
    refused = _Refusals()
    try:
        await _send_sender(client, letter.sender, own_address, encoding, options)
        for recipient in letter.recipients:
            await _send_recipient(client, recipient, encoding, refused)
    except aiosmtplib.SMTPResponseException as error:
        raise _answer_error(error.code, error.message, f"{settings.host} refuses the sender") from error
    except (aiosmtplib.SMTPException, TimeoutError, OSError) as error:
        raise Unreachable(f"{settings.host} broke off: {_said(error)}") from error
    if len(refused.all()) == len(letter.recipients):
        raise _nobody_accepted(refused)
    return refused


async def _utf8_options(client: aiosmtplib.SMTP, letter: Letter, settings: SmtpSettings) -> tuple[str, list[str]]:
    if not needs_utf8(letter.sender, *letter.recipients):
        return "ascii", []
    try:
        if client.is_ehlo_or_helo_needed:
            await client.ehlo()
    except (aiosmtplib.SMTPException, TimeoutError, OSError) as error:
        raise Unreachable(f"{settings.host} broke off: {_said(error)}") from error
    if not client.supports_extension("smtputf8"):
        raise Rejected("this server cannot carry addresses with letters beyond ASCII before @")
    return "utf-8", ["SMTPUTF8", "BODY=8BITMIME"]


async def _send_sender(
    client: aiosmtplib.SMTP, sender: str, own_address: str, encoding: str, options: list[str]
) -> None:
    """The null sender of automatic mail is refused by some submission servers: they get our address instead."""
    try:
        await client.mail(wire_address(sender) if sender else "", options=options, encoding=encoding)
    except aiosmtplib.SMTPSenderRefused as error:
        if sender or error.code < 500:
            raise
        await client.rset()
        await client.mail(wire_address(own_address), options=options, encoding=encoding)


async def _send_recipient(client: aiosmtplib.SMTP, recipient: str, encoding: str, refused: _Refusals) -> None:
    try:
        await client.rcpt(wire_address(recipient), encoding=encoding)
    except aiosmtplib.SMTPRecipientRefused as error:
        which = refused.passing if 400 <= error.code < 500 else refused.lasting
        which[recipient] = f"{error.code} {_one_line(error.message)}"


def _nobody_accepted(refused: _Refusals) -> ChannelError:
    reasons = "; ".join(f"{address}: {reason}" for address, reason in list(refused.all().items())[:5])
    if refused.passing:
        return Throttled(f"not accepted for now: {reasons}", retry_after=_PATIENCE)
    return Rejected(f"refused: {reasons}", remedy="Check the address.")


async def _send_text(client: aiosmtplib.SMTP, raw: bytes, settings: SmtpSettings) -> None:
    """DATA. A broken connection from here on leaves everything open."""
    try:
        async with asyncio.timeout(settings.timeout_s * 3 + len(raw) / 50_000):
            await client.data(raw)
    except aiosmtplib.SMTPResponseException as error:
        raise _answer_error(error.code, error.message, f"{settings.host} refuses the text") from error
    except (aiosmtplib.SMTPException, TimeoutError, OSError) as error:
        raise Uncertain(f"{settings.host} broke off after the text was sent: {_said(error)}") from error


def _answer_error(code: int, message: str, what: str) -> ChannelError:
    said = f"{what}: {code} {_one_line(message)}"
    if code == 421 or code in (450, 451, 452):
        return Throttled(said, retry_after=_PATIENCE)
    if 400 <= code < 500:
        return Unreachable(said)
    if code in (530, 535, 538):
        return BadSettings(said, remedy="Give smtp.user and smtp.password, and the TLS that the server wants.")
    return Rejected(said)


def _said(error: BaseException) -> str:
    return _one_line(str(error) or type(error).__name__)


def _one_line(message: str) -> str:
    return " ".join(message.split())[:300]
