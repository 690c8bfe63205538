"""aioimaplib's protocol with its receiving side mended.

What was seen in aioimaplib 2.0.3, and what is done about it here:

* responses are taken apart by recursion: about a thousand lines in one chunk raise RecursionError inside
  `data_received`, and the call hangs for ever -> a loop over a buffer;
* completeness of a FETCH is found by counting parentheses over all lines again and again (quadratic, and wrong for a
  lone parenthesis in a quoted string) -> a response is complete when its last line announces no literal;
* every chunk is formatted for a debug message that nobody reads -> not done;
* a lost connection, a BYE or a protocol error is not told to the calls that wait -> `lost` is a future that says why;
* new mail that is announced while another command runs is forgotten -> `news` is an event, set by every EXISTS.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import time

from aioimaplib.aioimaplib import CONNECTED, Command, IMAP4ClientProtocol

_LITERAL = re.compile(rb"\{(\d{1,10})\+?\}$")
_EXISTS = re.compile(rb"\* \d+ EXISTS\b", re.IGNORECASE)
LONGEST_LINE = 32 * 1024 * 1024


class Literal(bytes):
    """The bytes of a literal, told apart from the lines around it."""


class Wire(IMAP4ClientProtocol):
    """One IMAP connection."""

    def __init__(self, loop: asyncio.AbstractEventLoop, largest_literal: int) -> None:
        super().__init__(loop)
        self.lost: asyncio.Future[str] = loop.create_future()
        self.gone = asyncio.Event()
        self.news = asyncio.Event()
        self.heard_at = time.monotonic()
        self._largest_literal = largest_literal
        self._buffer = bytearray()
        self._searched = 0
        self._literal_size: int | None = None
        self._command: Command | None = None
        self._inside = False
        self._said_bye = ""

    def data_received(self, d: bytes) -> None:
        """Take what came, in one pass; a server that makes no sense loses the connection, not the process."""
        self.heard_at = time.monotonic()
        self._buffer += d
        try:
            self._advance()
        except Exception as error:
            self.lose(f"the server said what cannot be understood ({error or type(error).__name__})")

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell everybody who waits."""
        super().connection_lost(exc)
        self.gone.set()
        self.lose(self._said_bye or (f"the connection broke ({exc})" if exc else "the server closed the connection"))

    def lose(self, why: str) -> None:
        """Give the connection up; the first reason counts."""
        if not self.lost.done():
            self.lost.set_result(why)
        for task in self.tasks:  # a greeting whose CAPABILITY is never answered would wait for ever
            task.cancel()
        if self.transport is not None:
            self.transport.abort()

    async def hang_up(self, goodbye: bytes = b"") -> None:
        """Close for good and wait until the socket is let go."""
        if self.transport is None:
            return
        if goodbye and not self.lost.done():
            self.transport.write(goodbye)
        self.lose("closed by us")
        await asyncio.gather(*self.tasks, return_exceptions=True)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2):
                await self.gone.wait()

    def drop_unread(self) -> None:
        """Forget what came before TLS began: nobody vouches for it."""
        self._buffer.clear()
        self._searched = 0

    def _advance(self) -> None:
        at = 0
        while True:
            taken = self._take_literal(at) if self._literal_size is not None else self._take_line(at)
            if taken is None:
                break
            at = taken
        if at:
            del self._buffer[:at]
        if self.pending_sync_command is not None:
            self.pending_sync_command.flush()

    def _take_literal(self, at: int) -> int | None:
        assert self._literal_size is not None
        end = at + self._literal_size
        if len(self._buffer) < end:
            return None
        if self._command is not None:
            self._command.append_to_resp(Literal(self._buffer[at:end]))
        self._literal_size, self._inside, self._searched = None, True, 0
        return end

    def _take_line(self, at: int) -> int | None:
        end = self._buffer.find(b"\r\n", at + self._searched)
        if end < 0:
            self._searched = max(0, len(self._buffer) - at - 1)
            if self._searched > LONGEST_LINE:
                raise ValueError("a line without end")
            return None
        self._searched = 0
        self._hear(bytes(self._buffer[at:end]))
        return end + 2

    def _hear(self, line: bytes) -> None:
        """One line: the start of a response, or what follows a literal inside one."""
        if self._inside:
            if self._command is not None:
                self._command.append_to_resp(line)
        else:
            self._command = self._begin(line)
        literal = _LITERAL.search(line)
        if literal is None:
            self._inside, self._command = False, None
            return
        self._literal_size = int(literal[1])
        if self._literal_size > self._largest_literal:
            raise ValueError(f"a literal of {self._literal_size} bytes")

    def _begin(self, line: bytes) -> Command | None:
        if line[:2] == b"* ":
            if _EXISTS.match(line):
                self.news.set()
            elif line[:5].upper() == b"* BYE":
                self._said_bye = line[2:300].decode("utf-8", "replace")
                if self.state == CONNECTED:
                    self.lose(self._said_bye)
                    return None
        return self._handle_line(line, None)
