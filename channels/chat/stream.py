"""One visitor's stream: his talk as it is, then whatever is new, until he goes."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator

import structlog

from channels.chat.lobby import Lobby, Seat
from channels.chat.session import Sessions, identity_of
from channels.chat.view import Piece, Told, attendance_piece, written
from channels.talk import Attendance, Talks

log = structlog.get_logger(__name__)

HEARTBEAT_S = 15.0
_LOOK_S = 60.0
"""So often he is said to be here, and his talk is read even if no hint came."""
_GRACE_S = 5.0
"""Going from page to page ends one stream and opens another."""


class Stream:
    """What is written to one browser."""

    def __init__(self, session: str, network: str, lobby: Lobby, talks: Talks, sessions: Sessions) -> None:
        self._who, self._session, self._network = identity_of(session), session, network
        self._lobby, self._talks = lobby, talks
        self._told = Told(session, sessions)
        self._attendance: Attendance | None = None
        self._noted = 0.0

    async def pieces(self) -> AsyncGenerator[bytes]:
        """Events as bytes; a comment now and then shows that the line stands."""
        with self._lobby.sit(self._session, self._network) as seat:
            try:
                looked = 0.0
                while not self._lobby.closed:
                    for piece in await self._look(seat):
                        yield written(piece)
                    looked = time.monotonic()
                    while not await _woken(seat) and time.monotonic() - looked < _LOOK_S:
                        yield b": here\n\n"
            finally:
                if seat.clients:
                    self._lobby.leave_later(self._session, _GRACE_S)

    async def _look(self, seat: Seat) -> list[Piece]:
        """What is new. A database that is away for a moment ends no stream."""
        seat.woken.clear()
        try:
            talk = await self._talks.read(self._who)
            attendance = await self._lobby.attendance()
            seat.learn(talk)
            await self._note(seat)
        except Exception as error:
            log.info("talk_not_read", error=repr(error))
            return []
        pieces = [] if attendance == self._attendance else [attendance_piece(attendance)]
        self._attendance = attendance
        news = self._told.news(talk)
        return [*pieces, news] if news is not None else pieces

    async def _note(self, seat: Seat) -> None:
        """Whoever is in the log is said to be here."""
        if seat.clients and time.monotonic() - self._noted >= _LOOK_S - 1:
            self._noted = time.monotonic()
            await self._talks.note_presence(self._who, True)


async def _woken(seat: Seat) -> bool:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(HEARTBEAT_S):
            await seat.woken.wait()
    return seat.woken.is_set()
