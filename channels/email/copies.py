"""Copies of what we sent, put into the Sent folder: best effort, never a reason to fail or repeat a delivery."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from dataclasses import dataclass

from channels.email.folders import sent_folder
from channels.email.imap import Refused, Session, open_session
from channels.email.settings import Settings
from channels.errors import ChannelError

_MOST_WAITING = 500
_PAUSES = (1.0, 10.0, 60.0, 300.0, 900.0)
_LINGER = 20.0


@dataclass(frozen=True, slots=True)
class Copy:
    """One sent mail."""

    message_id: str
    raw: bytes


class SentCopies:
    """A small queue with one connection, opened when there is something to put away and closed soon after."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._waiting: deque[Copy] = deque(maxlen=_MOST_WAITING)
        self._more = asyncio.Event()
        self._worker: asyncio.Task[None] | None = None
        self._closing = False

    def add(self, copy: Copy) -> None:
        """Put a copy away soon."""
        if self._settings.imap.sent is False:
            return
        self._waiting.append(copy)
        self._more.set()
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())

    async def close(self) -> None:
        """Give what waits a moment, then stop."""
        if self._worker is None:
            return
        self._closing = True
        self._more.set()
        if self._waiting:
            await asyncio.wait({self._worker}, timeout=2)
        self._worker.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._worker

    async def _work(self) -> None:
        failures = 0
        while self._waiting and failures < len(_PAUSES):
            try:
                await self._put_away_all()
            except (ChannelError, Refused):
                await asyncio.sleep(_PAUSES[failures])
                failures += 1

    async def _put_away_all(self) -> None:
        session = await open_session(self._settings.imap, self._settings.max_message_bytes)
        try:
            folder = await find_sent(session, self._settings)
            await session.select(folder)
            while self._waiting:
                copy = self._waiting[0]
                if not await session.find_by_message_id(copy.message_id):
                    await session.append(folder, copy.raw)
                self._waiting.popleft()
                if not self._waiting and not self._closing:
                    self._more.clear()
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(_LINGER):
                            await self._more.wait()
        finally:
            await session.close()


async def find_sent(session: Session, settings: Settings) -> str:
    """The folder for sent mail, made if it is missing. Raises `Refused` if it cannot be made."""
    folders = await session.folders()
    wanted = settings.imap.sent
    if isinstance(wanted, str):
        if all(folder.name != wanted for folder in folders):
            await session.create(wanted)
        return wanted
    found = sent_folder(folders)
    if found is not None:
        return found
    return await _make_sent(session)


async def _make_sent(session: Session) -> str:
    """Some servers keep everything below INBOX."""
    refusal: Refused | None = None
    for name in ("Sent", "INBOX.Sent", "INBOX/Sent"):
        try:
            await session.create(name)
            return name
        except Refused as error:
            refusal = refusal or error
    assert refusal is not None
    raise refusal
