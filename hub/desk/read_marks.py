"""Tells a messenger that what the client wrote was read, once somebody of ours has opened the conversation.

Where the channel can say so (`ReadMarker`) and the line's set-up lets it. It is a courtesy: nothing waits for it, and
what could not be told is told the next time the conversation is opened.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable

import structlog
from aiohttp import web
from sqlalchemy import Connection, select

from channels.contract import Channel, ReadMarker
from channels.errors import ChannelError
from hub.composition import HUB
from storage.models import interaction

log = structlog.get_logger(__name__)

_MOST_REMEMBERED = 5000


class ReadMarks:
    """What was told by this process. To tell twice does no harm."""

    def __init__(self, channel_of: Callable[[str], Channel]) -> None:
        self._channel_of = channel_of
        self._told: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._telling: set[asyncio.Task[None]] = set()

    def opened(self, line: str, external_id: str) -> None:
        """Somebody has looked at this message, and at everything before it."""
        if (line, external_id) in self._told:
            return
        try:
            channel = self._channel_of(line)
        except ChannelError as error:
            log.info("read_mark_not_told", line=line, reason=error.reason)
            return
        if not isinstance(channel, ReadMarker):
            return
        self._told[line, external_id] = None
        if len(self._told) > _MOST_REMEMBERED:
            self._told.popitem(last=False)
        task = asyncio.get_running_loop().create_task(self._tell(channel, line, external_id))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _tell(self, channel: ReadMarker, line: str, external_id: str) -> None:
        try:
            await channel.mark_read(external_id)
        except ChannelError as error:
            self._told.pop((line, external_id), None)
            log.info("read_mark_not_told", line=line, reason=error.reason)

    async def close(self, app: web.Application) -> None:
        """The server stops."""
        for task in self._telling:
            task.cancel()
        await asyncio.gather(*self._telling, return_exceptions=True)


MARKS: web.AppKey[ReadMarks] = web.AppKey("desk_read_marks")


def find_last_heard(connection: Connection, conversation: int) -> tuple[str, str] | None:
    """Line and external id of the client's newest message."""
    table = interaction.c
    query = (
        select(table.line, table.external_id)
        .where(
            table.conversation_id == conversation,
            table.direction == "inbound",
            table.kind == "message",
            table.automatic.is_(None),
            table.external_id.is_not(None),
        )
        .order_by(table.id.desc())
        .limit(1)
    )
    row = connection.execute(query).first()
    return (row.line, row.external_id) if row is not None else None


async def note_opened(request: web.Request, conversation: int) -> None:
    """The page of a conversation was asked for (not only a part of it, which open pages fetch by themselves)."""
    hub = request.app[HUB]
    found = await hub.store.read(lambda connection: find_last_heard(connection, conversation))
    if found is not None and found[0] in hub.setup.current.lines:
        request.app[MARKS].opened(*found)
