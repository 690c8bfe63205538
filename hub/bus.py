"""Carries live events between processes: through Redis when given, else through PostgreSQL's LISTEN/NOTIFY.

A lost event is never a lost fact: rows are the memory, events only say where to look. After a gap every listener is
told to read everything again.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from collections.abc import Sequence
from typing import Any, Protocol

import psycopg
import structlog
from redis import asyncio as redis
from redis.exceptions import RedisError
from sqlalchemy.engine import make_url

from hub.live import Live
from hub.settings import Settings
from storage.events import Event
from storage.trailing import trail
from storage.unit import Unit

log = structlog.get_logger(__name__)

CHANNEL = "touchline"
_MOST_BYTES = 7000
_AGAIN_S = 2.0
_NOTIFY = "SELECT pg_notify(%s, payload) FROM json_array_elements_text(CAST(%s AS json)) AS payload"


class Bus(Protocol):
    """One per process."""

    def before_commit(self, unit: Unit) -> None:
        """In the lane's thread, inside the transaction."""

    def told(self, events: tuple[Event, ...]) -> None:
        """In the lane's thread, after the commit."""

    async def run(self) -> None:
        """Hear what other processes commit, until cancelled."""


def choose_bus(settings: Settings, live: Live) -> Bus:
    """The bus that the settings allow: SQLite has one process, so its events stay inside."""
    if settings.database.startswith("sqlite"):
        return LocalBus(live)
    if settings.redis_url:
        return RedisBus(settings.redis_url, live)
    return PostgresBus(settings.database, live)


class LocalBus:
    """Events stay in this process."""

    def __init__(self, live: Live) -> None:
        self._live = live

    def before_commit(self, unit: Unit) -> None:
        """Nobody else to tell."""

    def told(self, events: tuple[Event, ...]) -> None:
        """Tell the desks of this process."""
        self._live.tell_from_thread(events)

    async def run(self) -> None:
        """Nothing to hear."""


class PostgresBus:
    """NOTIFY inside the transaction, so that others hear of it exactly when it is committed."""

    def __init__(self, url: str, live: Live) -> None:
        self._url = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._live = live
        self._me = secrets.token_hex(6)

    def before_commit(self, unit: Unit) -> None:
        """Tell the other processes at the commit."""
        if payloads := pack(self._me, unit.events):
            trail(unit.connection, _NOTIFY, (CHANNEL, json.dumps(payloads)))

    def told(self, events: tuple[Event, ...]) -> None:
        """Tell the desks of this process at once."""
        self._live.tell_from_thread(events)

    async def run(self) -> None:
        """LISTEN, again and again."""
        while True:
            try:
                await self._listen()
            except (psycopg.Error, OSError) as error:
                log.warning("bus_lost", error=repr(error))
            await asyncio.sleep(_AGAIN_S)

    async def _listen(self) -> None:
        connection = await psycopg.AsyncConnection.connect(self._url, autocommit=True)
        async with connection:
            await connection.execute(f"LISTEN {CHANNEL}")
            self._live.tell_lost()
            async for notice in connection.notifies():
                hear(self._live, self._me, notice.payload)


class RedisBus:
    """PUBLISH after the commit."""

    def __init__(self, url: str, live: Live) -> None:
        self._client: redis.Redis = redis.Redis.from_url(url, decode_responses=True)
        self._live = live
        self._me = secrets.token_hex(6)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._sending: set[asyncio.Task[None]] = set()

    def before_commit(self, unit: Unit) -> None:
        """Nothing to do inside the transaction."""

    def told(self, events: tuple[Event, ...]) -> None:
        """Tell the desks of this process, then the others."""
        self._live.tell_from_thread(events)
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._publish_soon, events)

    def _publish_soon(self, events: tuple[Event, ...]) -> None:
        task = asyncio.create_task(self._publish(events))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _publish(self, events: tuple[Event, ...]) -> None:
        try:
            for payload in pack(self._me, events):
                await self._client.publish(CHANNEL, payload)
        except (RedisError, OSError) as error:
            log.warning("bus_not_told", error=repr(error))

    async def run(self) -> None:
        """SUBSCRIBE, again and again."""
        self._loop = asyncio.get_running_loop()
        try:
            while True:
                try:
                    await self._listen()
                except (RedisError, OSError) as error:
                    log.warning("bus_lost", error=repr(error))
                await asyncio.sleep(_AGAIN_S)
        finally:
            self._loop = None
            with contextlib.suppress(RedisError, OSError):
                await self._client.aclose()

    async def _listen(self) -> None:
        async with self._client.pubsub(ignore_subscribe_messages=True) as subscription:
            await subscription.subscribe(CHANNEL)
            self._live.tell_lost()
            async for message in subscription.listen():
                hear(self._live, self._me, message["data"])


def pack(me: str, events: Sequence[Event]) -> list[str]:
    """Events as payloads, each small enough for NOTIFY (8,000 bytes)."""
    payloads: list[str] = []
    waiting: list[str] = []
    size = 0
    for one in (event.as_json() for event in events):
        length = len(one.encode())
        if waiting and size + length > _MOST_BYTES:
            payloads.append(_payload(me, waiting))
            waiting, size = [], 0
        waiting.append(one)
        size += length + 1
    if waiting:
        payloads.append(_payload(me, waiting))
    return payloads


def _payload(me: str, events: list[str]) -> str:
    return f"{_opening(me)}[{','.join(events)}]}}"


def _opening(me: str) -> str:
    """How what we told ourselves begins: it need not be read to be known."""
    return f'{{"from":"{me}","events":'


def hear(live: Live, me: str, payload: str) -> None:
    """Pass on what another process told; what is not ours to read is ignored."""
    if payload.startswith(_opening(me)):
        return
    try:
        message: dict[str, Any] = json.loads(payload)
        if message["from"] == me:
            return
        events = [Event(**one) for one in message["events"]]
    except (ValueError, TypeError, KeyError) as error:
        log.warning("bus_noise", error=repr(error))
        return
    live.tell(events)
