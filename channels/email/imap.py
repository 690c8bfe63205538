"""One signed-in IMAP connection, over the mended wire. Every call is bounded in time and ends with a `ChannelError`.

A call may last as long as the server keeps talking; a server that says nothing for `timeout_s` counts as gone, and a
connection that breaks wakes whoever waits at once.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import ssl
import time
from base64 import b64encode
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from aioimaplib.aioimaplib import IMAP4, AioImapException, Command, Response, quoted

from channels.email.folders import Folder, encode_name, read_list
from channels.email.settings import ImapSettings
from channels.email.tls import tls_context
from channels.email.wire import Literal, Wire
from channels.errors import BadSettings, ChannelError, Throttled, Unreachable

T = TypeVar("T")

MOST_AT_ONCE = 200
_UID = re.compile(rb"\bUID (\d+)")
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d+)")
_DATE = re.compile(rb'\bINTERNALDATE "([^"]{20,40})"')
_VALIDITY = re.compile(rb"\[UIDVALIDITY (\d+)\]")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class Listed:
    """What the server says about a mail before it is read."""

    uid: int
    size: int
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Fetched:
    """A mail's bytes: all of them, or only the beginning."""

    uid: int
    raw: bytes


class Refused(Exception):
    """The server answered NO or BAD to a command; the connection goes on."""


class Session:
    """Use `open_session`. Commands are sent one after another."""

    def __init__(self, settings: ImapSettings, client: _Client) -> None:
        self._settings = settings
        self._wire = client.wire
        self._client = client
        self._turn = asyncio.Lock()
        self._idling = False

    @property
    def can_idle(self) -> bool:
        """Does the server push?"""
        return "IDLE" in self._wire.capabilities

    async def select(self, folder: str) -> int:
        """Open a folder; its UIDVALIDITY. Raises `Refused` if there is none of that name."""
        lines = await self._do(self._wire.select(encode_name(folder)), f"open folder {folder!r}")
        found = next((match for line in lines if (match := _VALIDITY.search(line))), None)
        return int(found[1]) if found else 0

    async def folders(self) -> list[Folder]:
        """All folders."""
        return read_list(await self._do(self._wire.simple_command("LIST", '""', '"*"'), "list folders"))

    async def create(self, folder: str) -> None:
        """Make a folder and show it in mail programs."""
        await self._do(self._wire.simple_command("CREATE", encode_name(folder)), f"create folder {folder!r}")
        with contextlib.suppress(Refused):
            await self._do(self._wire.simple_command("SUBSCRIBE", encode_name(folder)), "subscribe")

    async def uids_after(self, last: int, since: date | None) -> list[int]:
        """UIDs greater than `last`, in order."""
        self._wire.news.clear()
        criteria = [f"UID {last + 1}:*"]
        if since is not None:
            criteria.append(f"SINCE {since.day}-{_MONTHS[since.month - 1]}-{since.year}")
        return [uid for uid in await self._search(*criteria) if uid > last]

    async def find_by_message_id(self, message_id: str) -> list[int]:
        """UIDs in the open folder of mails with this Message-ID."""
        return await self._search(f"HEADER Message-ID {quoted(message_id.strip('<>'))}")

    async def _search(self, *criteria: str) -> list[int]:
        lines = await self._do(self._wire.search(*criteria, charset=None, by_uid=True), "search")
        return sorted({int(word) for line in lines for word in line.split() if word.isdigit()})

    async def list_mails(self, uids: Sequence[int]) -> list[Listed]:
        """Size and arrival of at most `MOST_AT_ONCE` mails; those gone meanwhile are left out."""
        lines = await self._do(self._wire.uid("FETCH", uid_set(uids), "(UID RFC822.SIZE INTERNALDATE)"), "list mails")
        listed: dict[int, Listed] = {}
        for line in lines:
            uid, size, at = _UID.search(line), _SIZE.search(line), _DATE.search(line)
            if uid is not None and size is not None:
                listed[int(uid[1])] = Listed(int(uid[1]), int(size[1]), _read_date(at[1]) if at else None)
        return [listed[uid] for uid in uids if uid in listed]

    async def read_mails(self, uids: Sequence[int], most_bytes: int) -> list[Fetched]:
        """The mails, none of them marked as read; of each at most `most_bytes`."""
        lines = await self._do(
            self._wire.uid("FETCH", uid_set(uids), f"(UID BODY.PEEK[]<0.{most_bytes}>)"), "read mails"
        )
        fetched: dict[int, Fetched] = {}
        for place, line in enumerate(lines):
            if isinstance(line, Literal) and place:
                around = lines[place - 1] + b" " + (lines[place + 1] if place + 1 < len(lines) else b"")
                uid = _UID.search(around)
                if uid is not None:
                    fetched[int(uid[1])] = Fetched(int(uid[1]), bytes(line))
        return [fetched[uid] for uid in uids if uid in fetched]

    async def wait_for_news(self, seconds: float) -> None:
        """Until the server announces mail, at most `seconds`: by IDLE where it can, else by asking once at the end."""
        if self._wire.news.is_set():
            return
        if not self.can_idle:
            await self._wait(asyncio.sleep(seconds), seconds)
            await self._do(self._wire.simple_command("NOOP"), "be polled")
            return
        idle = asyncio.create_task(self._wire.idle())
        self._idling = True
        try:
            await self._await(self._wire.wait_for_idle_response(), "go idle")
            await self._wait(self._wire.news.wait(), seconds)
            self._wire.idle_done()
            await self._await(idle, "end its idling")
            self._idling = False
        finally:
            idle.cancel()

    async def move(self, uids: Sequence[int], folder: str) -> None:
        """Move mails; by copy and deletion where the server cannot move."""
        target = encode_name(folder)
        if "MOVE" in self._wire.capabilities:
            await self._do(self._wire.uid("MOVE", uid_set(uids), target), f"move to {folder!r}")
            return
        await self._do(self._wire.uid("COPY", uid_set(uids), target), f"copy to {folder!r}")
        await self._do(self._wire.uid("STORE", uid_set(uids), "+FLAGS.SILENT", r"(\Deleted)"), "delete after copying")
        if "UIDPLUS" in self._wire.capabilities:
            await self._do(self._wire.uid("EXPUNGE", uid_set(uids)), "expunge")

    async def append(self, folder: str, raw: bytes) -> None:
        """Put a mail that we sent into a folder, marked as read."""
        await self._do(self._wire.append(raw, encode_name(folder), r"(\Seen)"), f"append to {folder!r}")

    async def close(self) -> None:
        """Say goodbye without waiting for an answer, and let go."""
        ending = b"DONE\r\n" if self._idling else b""
        await self._wire.hang_up(ending + b"bye LOGOUT\r\n")

    async def _do(self, call: Awaitable[Response], what: str) -> list[bytes]:
        """The answer's lines, without the closing one."""
        async with self._turn:
            response = await self._await(call, what)
        if response.result != "OK":
            raise Refused(f"the mail server would not {what}: {response.result} {_words(response)}")
        return response.lines[:-1]

    async def _await(self, call: Awaitable[T], what: str) -> T:
        return await self._client.talk(call, self._settings.timeout_s, what)

    async def _wait(self, waiting: Awaitable[object], seconds: float) -> None:
        """Wait without expecting the server to talk; a lost connection ends it with `Unreachable`."""
        task = asyncio.ensure_future(waiting)
        try:
            either: set[asyncio.Future[Any]] = {task, self._wire.lost}
            await asyncio.wait(either, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            task.cancel()
        if self._wire.lost.done():
            raise Unreachable(self._wire.lost.result())


class _Client(IMAP4):
    """aioimaplib's client with our wire."""

    def __init__(self, settings: ImapSettings, largest_literal: int) -> None:
        loop = asyncio.get_running_loop()
        self.wire = Wire(loop, largest_literal)
        self.protocol = self.wire
        self._settings = settings
        context = tls_context(settings.ca) if settings.tls is True else None
        self._client_task = loop.create_task(
            loop.create_connection(lambda: self.wire, settings.host, settings.effective_port(), ssl=context)
        )

    async def talk(self, call: Awaitable[T], silence: float, what: str) -> T:
        """Await a call while the server talks. Raises `Unreachable` when it is silent for too long or gone."""
        wire = self.wire
        task = asyncio.ensure_future(call)
        wire.heard_at = time.monotonic()
        try:
            while not task.done():
                left = wire.heard_at + silence - time.monotonic()
                if wire.lost.done():
                    raise Unreachable(wire.lost.result())
                if left <= 0:
                    wire.lose("the server fell silent")
                    raise Unreachable(f"the mail server was silent for {silence:g} s when asked to {what}")
                either: set[asyncio.Future[Any]] = {task, wire.lost}
                await asyncio.wait(either, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            return task.result()
        except AioImapException as error:
            raise Unreachable(f"the mail server would not {what}: {error}") from error
        finally:
            task.cancel()

    async def begin(self) -> None:
        """Connect, upgrade, sign in."""
        settings = self._settings
        try:
            async with asyncio.timeout(settings.timeout_s):
                await self._client_task
            await self.talk(self.wire.wait("AUTH|NONAUTH"), settings.timeout_s, "say hello")
        except TimeoutError as error:
            self._client_task.cancel()
            raise Unreachable(f"{settings.host} does not answer", remedy="Check host, port and firewall.") from error
        except OSError as error:
            raise connection_error(error, settings.host, settings.effective_port()) from error
        if settings.tls == "starttls":
            await self._upgrade()
        if self.wire.state == "NONAUTH":
            await self._sign_in()

    async def _upgrade(self) -> None:
        settings, wire = self._settings, self.wire
        if "STARTTLS" not in wire.capabilities:
            raise BadSettings(f"{settings.host} offers no STARTTLS", remedy="Set imap.tls to true or false.")
        await self.talk(wire.execute(Command("STARTTLS", wire.new_tag(), loop=wire.loop)), settings.timeout_s, "TLS")
        wire.drop_unread()
        try:
            context = tls_context(settings.ca)
            async with asyncio.timeout(settings.timeout_s):
                upgraded = await wire.loop.start_tls(wire.transport, wire, context, server_hostname=settings.host)
        except TimeoutError as error:
            raise Unreachable(f"{settings.host} did not finish the TLS handshake") from error
        except OSError as error:
            raise connection_error(error, settings.host, settings.effective_port()) from error
        if upgraded is None:
            raise Unreachable(f"{settings.host} broke off the TLS handshake")
        wire.transport = upgraded
        await self.talk(wire.capability(), settings.timeout_s, "tell its capabilities")

    async def _sign_in(self) -> None:
        settings, wire = self._settings, self.wire
        user, password = settings.user, settings.password.get_secret_value()
        if not (user + password).isascii() and {"AUTH=PLAIN", "SASL-IR"} <= wire.capabilities:
            token = b64encode(f"\0{user}\0{password}".encode()).decode("ascii")
            command = Command("AUTHENTICATE", wire.new_tag(), "PLAIN", token, loop=wire.loop)
            response = await self.talk(wire.execute(command, scrub=token), settings.timeout_s, "sign in")
            if response.result == "OK":
                wire.state = "AUTH"
        else:
            response = await self.talk(wire.login(quoted(user), password), settings.timeout_s, "sign in")
        if response.result != "OK":
            raise _sign_in_error(settings, _words(response))
        await self.talk(wire.capability(), settings.timeout_s, "tell its capabilities")


async def open_session(settings: ImapSettings, most_bytes: int) -> Session:
    """Connect and sign in. Raises `Unreachable`, `Throttled` or `BadSettings`."""
    try:
        client = _Client(settings, most_bytes + 1024 * 1024)
    except OSError as error:
        raise BadSettings(f"imap.ca cannot be read: {error}", remedy="Give a file of PEM certificates.") from error
    try:
        await client.begin()
    except BaseException:
        client._client_task.cancel()
        await client.wire.hang_up()
        raise
    return Session(settings, client)


def connection_error(error: OSError, host: str, port: int) -> ChannelError:
    """What a failed connection means: a certificate or a name is for a person, the rest may pass."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return BadSettings(
            f"the certificate of {host} is not trusted: {error.verify_message}",
            remedy="Use the name that the certificate is for, or name its authority in `ca`.",
        )
    if isinstance(error, socket.gaierror) and error.errno in (socket.EAI_NONAME, socket.EAI_SERVICE):
        return BadSettings(f"there is no host {host!r}", remedy="Correct `host`.")
    if isinstance(error, ssl.SSLError):
        return BadSettings(
            f"{host}:{port} does not speak TLS as asked ({error.reason or error})", remedy="Check `port` and `tls`."
        )
    return Unreachable(f"{host}:{port} cannot be reached ({error.strerror or error})", remedy="Check host and port.")


def _sign_in_error(settings: ImapSettings, words: str) -> ChannelError:
    upper = words.upper()
    if "[UNAVAILABLE]" in upper or "[INUSE]" in upper or "TEMPORAR" in upper:
        return Unreachable(f"{settings.host} cannot check passwords now: {words}")
    if "[LIMIT]" in upper or "TOO MANY" in upper:
        return Throttled(f"{settings.host} wants fewer connections: {words}", retry_after=60)
    return BadSettings(
        f"{settings.host} does not let {settings.user!r} in: {words}", remedy="Correct imap.user and imap.password."
    )


def uid_set(uids: Sequence[int]) -> str:
    """`1,2,3,7` as `1:3,7`."""
    spans: list[list[int]] = []
    for uid in sorted(uids):
        if spans and uid == spans[-1][1] + 1:
            spans[-1][1] = uid
        else:
            spans.append([uid, uid])
    return ",".join(str(first) if first == last else f"{first}:{last}" for first, last in spans)


def _words(response: Response) -> str:
    return response.lines[-1].decode("utf-8", "replace")[:300] if response.lines else ""


def _read_date(value: bytes) -> datetime | None:
    """` 3-Nov-2026 10:15:00 +0300`: parsed by hand, since month names of `strptime` follow the locale."""
    try:
        day, clock, zone = value.decode("ascii").split()
        number, month, year = day.split("-")
        stamp = f"{year}-{_MONTHS.index(month.title()) + 1:02}-{int(number):02}T{clock}{zone[:3]}:{zone[3:]}"
        return datetime.fromisoformat(stamp).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
