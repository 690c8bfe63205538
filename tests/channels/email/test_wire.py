"""Servers that misbehave in ways a real one cannot be asked to: greetings and answers written by hand."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from channels.email.imap import open_session
from channels.email.settings import ImapSettings
from channels.errors import Unreachable

CAPABILITY = b"* CAPABILITY IMAP4rev1\r\n%s OK done\r\n"


@contextlib.asynccontextmanager
async def serving(greeting: bytes, *answers: bytes) -> AsyncIterator[ImapSettings]:
    """A server that greets, answers each line in turn (`%s` is its tag), then says nothing more."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        waiting = list(answers)
        with contextlib.suppress(ConnectionError):
            while line := await reader.readline():
                if waiting:
                    writer.write(waiting.pop(0).replace(b"%s", line.split()[0]))
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield ImapSettings(host="127.0.0.1", port=port, user="u", password=SecretStr("p"), tls=False, timeout_s=0.3)
    finally:
        server.close()
        await server.wait_closed()
        await asyncio.sleep(0.05)
        gc.collect()


@pytest.mark.parametrize(
    ("greeting", "answers", "why"),
    [
        (b"", (), "silent"),
        (b"* OK hello\r\n", (), "silent"),
        (b"* OK hello\r\n", (CAPABILITY,), "silent"),
        (b"* BYE too many connections\r\n", (), "too many connections"),
        (b"* OK hello\r\n", (CAPABILITY, b"* BYE going down\r\n"), "silent|going down"),
        (b"* OK hello\r\n", (b"* CAPABILITY IMAP4rev1 {99999999999}\r\n",), "silent|understood"),
        (b"* OK hello\r\n", (b"* X {999999999}\r\n",), "cannot be understood"),
        (b"* OK hello\r\n", (b"A999999 OK whose tag is this\r\n",), "cannot be understood"),
        (b"\xff\xfe nonsense\r\n", (), "silent|understood"),
    ],
)
async def test_a_server_that_misbehaves_is_left(greeting: bytes, answers: tuple[bytes, ...], why: str) -> None:
    async with serving(greeting, *answers) as settings:
        with pytest.raises(Unreachable, match=why):
            await asyncio.wait_for(open_session(settings, 1000), 60)


async def test_ten_thousand_lines_in_one_chunk() -> None:
    listed = b"".join(b"* %d FETCH (UID %d RFC822.SIZE 5)\r\n" % (n, n) for n in range(1, 10_001)) + b"%s OK done\r\n"
    ok = b"%s OK done\r\n"
    async with serving(b"* OK hello\r\n", CAPABILITY, ok, CAPABILITY, ok, listed) as settings:
        session = await open_session(settings, 1000)
        await session.select("INBOX")
        assert len(await session.list_mails(range(1, 10_001))) == 10_000
        await session.close()
