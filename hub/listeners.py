"""Keeps lines running: one supervisor per line, so that a broken one never stops the others."""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import socket
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import quote

import structlog
from sqlalchemy import Connection, insert, select, update

from channels import registry
from channels.contract import Accepted, Channel, Door, Health, LineState
from channels.errors import BadSettings, ChannelError, Throttled
from channels.touch import Receipt, Touch
from hub.access.keys import sign
from hub.kept_files import KeptFiles
from hub.live import Live
from hub.receipts import report
from hub.settings import Settings
from hub.setup.lines import Line, settings_of
from hub.setup.live import LiveSetUp
from hub.setup.snapshot import SetUp
from hub.talks import LineTalks
from hub.telephony.answering import answer
from hub.telephony.keeping import PictureKeeper
from hub.telephony.known import Extensions, find_open_calls
from storage import models
from storage.events import Event
from storage.store import Store
from storage.unit import Unit

log = structlog.get_logger(__name__)

HOLD = timedelta(seconds=20)
_RENEW_S = 5.0
_AGAIN_S = (1, 2, 5, 10, 30, 60)
_PERSON_S = 300.0
_CLOSE_S = 10.0


class Memory:
    """What one line remembers: rows of `bookmark`."""

    def __init__(self, store: Store, line: str) -> None:
        self._store = store
        self._line = line

    async def recall(self, key: str) -> str | None:
        """The value kept last."""
        table = models.bookmark
        query = select(table.c.value).where(table.c.line == self._line, table.c.key == key)
        return await self._store.read(lambda connection: connection.execute(query).scalar_one_or_none())

    async def keep(self, key: str, value: str) -> None:
        """Committed when this returns."""
        await self._store.write(lambda unit: _keep(unit, self._line, key, value))


class Listeners:
    """All lines of one process: their channels, made on demand, and the supervisors of those that it listens to."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        setup: LiveSetUp,
        deliver: Callable[[Touch], Awaitable[Accepted]],
        live: Live | None = None,
    ) -> None:
        self._live = live
        self._settings = settings
        self._store = store
        self._setup = setup
        self._deliver = deliver
        self._channels: dict[str, tuple[Line, Channel]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._errands: set[asyncio.Task[None]] = set()
        self._name = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"
        self._listening = False
        self._held: set[str] = set()
        self._pictures: dict[str, PictureKeeper] = {}

    @property
    def name(self) -> str:
        """By which other processes know this one."""
        return self._name

    def listens_to(self, key: str) -> bool:
        """Whether this process, and no other, listens on a line now."""
        return key in self._held

    def channel_of(self, key: str) -> Channel:
        """The channel of a line, made anew when its settings have changed. Raises `BadSettings`."""
        line = self._setup.current.lines.get(key)
        if line is None:
            raise BadSettings(f"there is no line {key!r}", remedy="import its set-up")
        known = self._channels.get(key)
        if known is not None and known[0] == line:
            return known[1]
        settings = settings_of(line, self._settings)
        channel = registry.find(line.channel).create(key, settings, self._door(key))
        self._channels[key] = (line, channel)
        if known is not None:
            self._run_errand(_close(key, known[1]))
        return channel

    def _run_errand(self, errand: Coroutine[Any, Any, None]) -> None:
        """Something short that nobody waits for; a task that nothing refers to may vanish half way."""
        task = asyncio.get_running_loop().create_task(errand)
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    def _door(self, key: str) -> Door:
        door = open_door(self._settings, self._store, self._setup, self._deliver, key)
        picture = self._pictures.setdefault(key, PictureKeeper(self._store, self._setup, key))
        door = replace(door, report=self._report, health=partial(self._note_health, key), presence=picture.show)
        if self._live is None:
            return door
        return replace(door, talks=LineTalks(self._store, lambda: self._setup.current, self._live, key))

    async def _report(self, receipt: Receipt) -> None:
        await self._store.lane.hand_in(self._report_batch, receipt)

    def _report_batch(self, unit: Unit, receipts: Any) -> list[None]:
        return report(unit, self._setup.current, receipts)

    def start(self) -> None:
        """Listen on every line, and follow the set-up from now on."""
        self._listening = True
        self._setup.subscribe(self._follow)
        for key, line in self._setup.current.lines.items():
            if line.listens:
                self._start(key)

    def _start(self, key: str) -> None:
        self._tasks[key] = asyncio.create_task(self._supervise(key), name=f"line {key}")

    async def _follow(self, old: SetUp, new: SetUp) -> None:
        """Stop what is gone or changed, start what is new or changed."""
        changed = {key for key in {*old.lines, *new.lines} if old.lines.get(key) != new.lines.get(key)}
        for key in changed:
            await self._stop(key)
            line = new.lines.get(key)
            if self._listening and line is not None and line.listens:
                self._start(key)

    async def _stop(self, key: str) -> None:
        task = self._tasks.pop(key, None)
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self._lose_picture(key)
            await self._let_go(key)
        _, channel = self._channels.pop(key, (None, None))
        if channel is not None:
            await _close(key, channel)

    async def _lose_picture(self, key: str) -> None:
        if (picture := self._pictures.get(key)) is not None:
            await picture.lose()

    async def _let_go(self, key: str) -> None:
        """So that whoever listens next need not wait until our hold runs out."""
        try:
            await self._store.write(lambda unit: _release_hold(unit, key, self._name))
        except Exception as error:
            log.info("hold_not_released", line=key, error=repr(error))

    async def close(self) -> None:
        """Stop listening and let go of all connections."""
        self._listening = False
        await asyncio.gather(*(self._stop(key) for key in {*self._tasks, *self._channels}))
        await asyncio.gather(*self._errands, return_exceptions=True)

    async def _supervise(self, key: str) -> None:
        """Listen for ever: what can be tried again is, later and later; what needs a person waits for one."""
        failures = 0
        while True:
            if not await self._try_hold(key):
                await asyncio.sleep(_RENEW_S)
                continue
            began = self._store.now()
            self._held.add(key)
            try:
                health, pause = await self._listen_once(key)
            finally:
                self._held.discard(key)
            await self._lose_picture(key)
            failures = 0 if self._store.now() - began > timedelta(minutes=1) else failures + 1
            if health is not None:
                await self._write_health(key, health)
            if pause is None:
                pause = _AGAIN_S[min(failures, len(_AGAIN_S)) - 1] if failures else _AGAIN_S[0]
            await asyncio.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311 (jitter, not a secret)

    async def _listen_once(self, key: str) -> tuple[Health | None, float | None]:
        """Listen until it breaks; answers how the line is now (None = that is another's to say) and how long to wait
        (None = back off)."""
        try:
            if not await self._listen_while_held(key):
                log.warning("hold_lost", line=key)
                return None, _RENEW_S
        except BadSettings as error:
            return Health(LineState.NEEDS_PERSON, error.reason, error.remedy or ""), _PERSON_S
        except Throttled as error:
            return Health(LineState.WILL_RETRY, error.reason, error.remedy or ""), error.retry_after
        except ChannelError as error:
            state = LineState.WILL_RETRY if error.retryable else LineState.NEEDS_PERSON
            return Health(state, error.reason, error.remedy or ""), None if error.retryable else _PERSON_S
        except Exception as error:
            log.exception("line_failed", line=key)
            return Health(LineState.WILL_RETRY, f"unexpected error: {error!r}", "look at the log"), None
        return Health(LineState.WILL_RETRY, "the connection ended"), None

    async def _listen_while_held(self, key: str) -> bool:
        """Listen until it ends by itself; False if another process has taken the line over meanwhile."""
        listening = asyncio.ensure_future(self.channel_of(key).listen())
        keeping = asyncio.create_task(self._keep_hold(key))
        try:
            await asyncio.wait({listening, keeping}, return_when=asyncio.FIRST_COMPLETED)
            if listening.done():
                listening.result()
            return listening.done()
        finally:
            listening.cancel()
            keeping.cancel()
            await asyncio.gather(listening, keeping, return_exceptions=True)

    async def _hold(self, key: str) -> bool:
        """A line is listened to by one process; another takes over when this one falls silent."""
        return await self._store.write(lambda unit: _take_hold(unit, key, self._name))

    async def _try_hold(self, key: str) -> bool:
        try:
            return await self._hold(key)
        except Exception as error:  # the database is away for a while: nothing could be delivered anyway
            log.warning("hold_not_taken", line=key, error=repr(error))
            return False

    async def _keep_hold(self, key: str) -> None:
        """Renew the hold; returns once another process has it."""
        while True:
            await asyncio.sleep(_RENEW_S)
            try:
                if not await self._hold(key):
                    return
            except Exception as error:  # the database is away for a while; the line itself may be well
                log.warning("hold_not_renewed", line=key, error=repr(error))

    def _note_health(self, key: str, health: Health) -> None:
        self._run_errand(self._write_health(key, health))

    async def _write_health(self, key: str, health: Health) -> None:
        try:
            await self._store.write(lambda unit: note_health(unit, key, health))
        except Exception as error:
            log.warning("health_not_written", line=key, error=repr(error))


async def check(settings: Settings, store: Store, setup: LiveSetUp, key: str) -> Health:
    """Really connect and sign in on one line, for `touchline check`."""

    async def refuse(touch: Touch) -> Accepted:
        raise BadSettings("a check delivers nothing")

    listeners = Listeners(settings, store, setup, refuse)
    try:
        return await listeners.channel_of(key).check()
    except BadSettings as error:
        return Health(LineState.NEEDS_PERSON, error.reason, error.remedy or "")
    finally:
        await listeners.close()


def open_door(
    settings: Settings, store: Store, setup: LiveSetUp, deliver: Callable[[Touch], Awaitable[Accepted]], key: str
) -> Door:
    """What a channel of one line is handed, as far as it needs no running process around it."""

    async def report_nothing(receipt: Receipt) -> None:
        log.info("receipt_ignored", line=receipt.line, state=receipt.state.value)

    return Door(
        deliver=deliver,
        report=report_nothing,
        health=lambda health: None,
        memory=Memory(store, key),
        files=KeptFiles(store.files),
        now=store.now,
        sign=partial(sign, settings.secret, "mail"),
        own_addresses=lambda: own_addresses(setup.current),
        hook=lambda: hook_of(settings, setup.current, key),
        extensions=Extensions(lambda: setup.current),
        route=partial(answer, store, setup, key),
        open_calls=lambda: store.read(lambda connection: find_open_calls(connection, key, store.now())),
        default_region=lambda: setup.current.company.default_region,
        languages=lambda: setup.current.company.languages,
    )


def hook_of(settings: Settings, setup: SetUp, key: str) -> str | None:
    """Where the outside calls a line; None without a public address."""
    public = settings.public_url or setup.company.public_url
    return f"{public.rstrip('/')}/hooks/{quote(key, safe='')}" if public else None


def own_addresses(setup: SetUp) -> frozenset[str]:
    """The addresses of all our mailboxes and operators, normalised."""
    lines = {str(line.own["address"]).lower() for line in setup.lines.values() if line.own.get("address")}
    return frozenset(lines | {one.email.lower() for one in setup.operators.values() if one.email})


async def _close(key: str, channel: Channel) -> None:
    try:
        async with asyncio.timeout(_CLOSE_S):
            await channel.close()
    except Exception as error:
        log.info("line_not_closed_cleanly", line=key, error=repr(error))


def _keep(unit: Unit, line: str, key: str, value: str) -> None:
    table = models.bookmark
    here = (table.c.line == line) & (table.c.key == key)
    if unit.connection.execute(update(table).where(here).values(value=value)).rowcount == 0:
        unit.connection.execute(insert(table).values(line=line, key=key, value=value))


def _take_hold(unit: Unit, key: str, holder: str) -> bool:
    table = models.line_health
    row = unit.connection.execute(select(table).where(table.c.line == key)).mappings().first()
    until = unit.now + HOLD
    if row is None:
        values = {"line": key, "state": LineState.WILL_RETRY.value, "reason": "starting", "since": unit.now}
        unit.connection.execute(insert(table).values(**values, seen_at=unit.now, holder=holder, held_until=until))
        return True
    if unit.dialect != "sqlite" and _is_held_by_another(row, holder, unit.now):
        return False  # (SQLite has one process, and it must not wait for its own past life)
    taken = unit.connection.execute(
        update(table)
        .where(table.c.line == key, table.c.holder.is_not_distinct_from(row["holder"]))
        .values(holder=holder, held_until=until, seen_at=unit.now)
    )
    return taken.rowcount == 1


def _release_hold(unit: Unit, key: str, holder: str) -> None:
    table = models.line_health
    mine = (table.c.line == key) & (table.c.holder == holder)
    unit.connection.execute(update(table).where(mine).values(holder=None, held_until=None))


def _is_held_by_another(row: Any, holder: str, now: datetime) -> bool:
    return row["holder"] not in {None, holder} and row["held_until"] is not None and row["held_until"] > now


def note_health(unit: Unit, key: str, health: Health) -> None:
    """Write how a line is; a change is told to the desks, and an outage is remembered with its times."""
    table = models.line_health
    row = unit.connection.execute(select(table).where(table.c.line == key)).mappings().first()
    values = {"state": health.state.value, "reason": health.reason, "remedy": health.remedy, "seen_at": unit.now}
    if row is None:
        unit.connection.execute(insert(table).values(line=key, since=unit.now, **values))
        was = None
    else:
        was = row["state"]
        since = row["since"] if was == health.state.value else unit.now
        unit.connection.execute(update(table).where(table.c.line == key).values(since=since, **values))
    _note_outage(unit, key, health, row["since"] if row and was != LineState.RUNNING.value else unit.now)
    if was != health.state.value:
        unit.emit(Event("line", key, health.state.value))


def _note_outage(unit: Unit, key: str, health: Health, since: datetime) -> None:
    table = models.outage
    open_one = (table.c.line == key) & table.c.ended_at.is_(None)
    if health.state is LineState.RUNNING:
        unit.connection.execute(update(table).where(open_one).values(ended_at=unit.now))
    elif unit.connection.execute(select(table.c.id).where(open_one)).first() is None:
        unit.connection.execute(insert(table).values(line=key, began_at=since, reason=health.reason))


def read_health(connection: Connection) -> dict[str, dict[str, Any]]:
    """How all lines are, by key."""
    rows = connection.execute(select(models.line_health)).mappings()
    return {row["line"]: dict(row) for row in rows}
