"""Ends wrap-ups, and keeps the exchange's pauses in step with them. Runs in the process that listens on the line."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import Connection, select

from channels.contract import OperatorPresence, OperatorState, Telephone
from channels.errors import ChannelError
from hub.composition import Hub
from hub.telephony import wrap_up
from hub.telephony.exchanges import exchanges
from hub.telephony.orders import listening
from hub.telephony.wrap_up import AHEAD, BEGUN, FINISHED, REASON
from storage import models
from storage.events import Event
from storage.repositories import phones as rows

log = structlog.get_logger(__name__)

_LOOK_S = 2.0
_BUSY = (OperatorState.TALKING, OperatorState.RINGING)


async def finish(hub: Hub, operator: str) -> float | None:
    """End his wrap-up now and tell the log; answers its seconds, None when he was in none. From any process."""
    now = hub.store.now()
    found = await hub.store.read(lambda connection: _find(connection, operator))
    if found is None:
        return None
    wrapping, call = found
    seconds = round(max((min(now, wrapping.until) - wrapping.since).total_seconds(), 0.0), 3)
    await hub.intake.deliver(wrap_up.make_touch(call, wrapping, seconds))
    ended = await hub.store.write(lambda unit: wrap_up.end(unit, wrapping))
    return seconds if ended else None


def _find(connection: Connection, operator: str) -> tuple[Any, dict[str, Any]] | None:
    wrapping = rows.find_wrap_up(connection, operator)
    if wrapping is None:
        return None
    table = models.interaction
    row = connection.execute(select(table).where(table.c.id == wrapping.interaction_id)).one()
    return wrapping, dict(row._mapping)


class WrapUps:
    """One per process that listens."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._bell = asyncio.Event()
        self._heard: list[tuple[str, str]] = []
        self._left_over: set[str] = set()
        hub.live.on_event(self._hear)

    def _hear(self, event: Event) -> None:
        if event.subject == "wrap_up":
            self._heard.append((str(event.id), event.what))
            self._bell.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self._bell.clear()
            pause = _LOOK_S
            try:
                pause = await self._look()
            except Exception as error:  # the database is away for a while: all of it is found again
                log.warning("wrap_ups_not_looked_at", error=repr(error))
            try:
                async with asyncio.timeout(pause):
                    await self._bell.wait()
            except TimeoutError:
                continue

    async def _look(self) -> float:
        """What was told, what is due, what was left over; answers in how many seconds the next is due."""
        telephones = self._telephones()
        heard, self._heard = self._heard, []
        for operator, what in heard:
            await self._obey(telephones, operator, what)
        now = self._hub.store.now()
        running = await self._hub.store.read(rows.read_wrap_ups)
        for one in running:
            if one.line in telephones and one.until <= now:
                await finish(self._hub, one.operator)
        await self._clear_left_over(telephones, {one.operator for one in running})
        due = min((one.until for one in running if one.line in telephones), default=now + timedelta(seconds=_LOOK_S))
        return min(max((due - now).total_seconds(), 0.05), _LOOK_S)

    def _telephones(self) -> dict[str, Telephone]:
        found = ((key, listening(self._hub, key)) for key, _ in exchanges(self._hub.setup.current))
        return {key: telephone for key, telephone in found if telephone is not None}

    async def _obey(self, telephones: dict[str, Telephone], operator: str, what: str) -> None:
        for line, telephone in telephones.items():
            phone = next((one for one in telephone.picture().operators if one.operator == operator), None)
            if phone is None or not phone.queues:
                continue
            if what in (AHEAD, BEGUN) and not phone.paused:
                await _pause(line, telephone, phone)
            elif what == FINISHED and _is_ours(phone) and phone.state not in _BUSY:
                await _unpause(line, telephone, phone)

    async def _clear_left_over(self, telephones: dict[str, Telephone], running: set[str]) -> None:
        """A pause of ours that outlived its wrap-up (the hub was killed): seen twice, it is lifted."""
        seen: set[str] = set()
        for line, telephone in telephones.items():
            for phone in telephone.picture().operators:
                if not _is_ours(phone) or phone.state in _BUSY or phone.operator in running:
                    continue
                seen.add(f"{line} {phone.extension}")
                if f"{line} {phone.extension}" in self._left_over:
                    await _unpause(line, telephone, phone)
        self._left_over = seen


def _is_ours(phone: OperatorPresence) -> bool:
    return phone.paused and phone.reason == REASON


async def _pause(line: str, telephone: Telephone, phone: OperatorPresence) -> None:
    try:
        await telephone.pause(phone.extension, REASON)
    except ChannelError as error:
        log.warning("wrap_up_not_paused", line=line, extension=phone.extension, reason=error.reason)


async def _unpause(line: str, telephone: Telephone, phone: OperatorPresence) -> None:
    try:
        await telephone.unpause(phone.extension)
    except ChannelError as error:
        log.warning("wrap_up_not_unpaused", line=line, extension=phone.extension, reason=error.reason)
