"""Which calls last now, and on whose telephones they are: kept in memory from events, so that a page that opens need
not look through the log."""

from __future__ import annotations

from datetime import timedelta

from aiohttp import web
from sqlalchemy import Connection, select

from hub.call_parts import find_parts
from hub.composition import Hub
from hub.setup.snapshot import SetUp
from storage.events import Event
from storage.models import interaction

LONGEST = timedelta(hours=6)
"""A call that began earlier and whose end nobody told is shown no more."""


class LiveCalls:
    """One per process."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._calls: dict[int, frozenset[str]] = {}
        self._heard: set[int] = set()
        self._known = False
        hub.live.on_event(self.hear)

    def hear(self, event: Event) -> None:
        """Every event of this process."""
        if event.what == "lost":
            self._known = False
        if event.subject != "interaction" or event.phones is None:
            return
        number = int(event.id)
        self._heard.add(number)
        if event.phones:
            self._calls[number] = frozenset(event.phones.split(","))
        else:
            self._calls.pop(number, None)

    async def of(self, operator: str) -> list[int]:
        """The calls in which he has a part now, oldest first."""
        if not self._known:
            await self._learn()
        return sorted(number for number, phones in self._calls.items() if operator in phones)

    async def _learn(self) -> None:
        """Read them once; what is told meanwhile is newer."""
        self._known = True
        self._heard.clear()
        setup, since = self._hub.setup.current, self._hub.store.now() - LONGEST
        try:
            found = await self._hub.store.read(lambda connection: _read(connection, setup, since))
        except Exception:  # the database is away for a while: the next page asks again
            self._known = False
            raise
        fresh = {number: phones for number, phones in found.items() if number not in self._heard}
        heard = {number: phones for number, phones in self._calls.items() if number in self._heard}
        self._calls = {**fresh, **heard}


LIVE_CALLS: web.AppKey[LiveCalls] = web.AppKey("desk_live_calls")


def _read(connection: Connection, setup: SetUp, since: object) -> dict[int, frozenset[str]]:
    columns = interaction.c
    query = select(columns.id, columns.direction, columns.call, columns.ended_at).where(
        columns.at > since, columns.kind == "call", columns.ended_at.is_(None), columns.call.is_not(None)
    )
    parts = {
        row["id"]: frozenset(find_parts(dict(row), setup.operator_by_extension))
        for row in connection.execute(query).mappings()
    }
    return {number: phones for number, phones in parts.items() if phones}
