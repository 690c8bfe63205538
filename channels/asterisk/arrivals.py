"""Recordings of which nobody told: they are looked for by the call's id in their names, for an hour after it ended."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson
import structlog

from channels.asterisk.delivery import Delivery
from channels.asterisk.files import search_recording
from channels.asterisk.settings import Settings
from channels.contract import Door, OpenCall
from channels.touch import Direction, Kind, Touch

log = structlog.get_logger(__name__)

_KEY = "recordings awaited"
_LONGEST = timedelta(hours=1)
_EVERY_S = 1.0
_FIRST_S, _RAREST_S = 1.0, 300.0
_MOST = 300


@dataclass(slots=True)
class Awaited:
    """One call. `names` are what the last look found."""

    call: str
    at: datetime
    ended_at: datetime
    direction: str
    next_at: datetime
    pause_s: float = _FIRST_S
    names: tuple[str, ...] = ()


class Arrivals:
    """What one line waits for; it is remembered over a restart."""

    def __init__(self, line: str, settings: Settings, door: Door) -> None:
        self._line, self._settings, self._door = line, settings, door
        self._awaited: dict[str, Awaited] = {}
        self._changed = False

    @property
    def looks(self) -> bool:
        """Whether there is a folder to look into."""
        return bool(self._settings.recordings) and "{path}" not in str(self._settings.recordings)

    def note(self, touch: Touch) -> None:
        """A call has ended, or more is known of it."""
        call, key = touch.call or {}, touch.external_id or ""
        if call.get("recordings") or not self.looks:
            self._changed |= self._awaited.pop(key, None) is not None
        elif touch.phase == "ended" and call.get("outcome") == "answered" and len(self._awaited) < _MOST:
            began = touch.at if not call.get("answered_at") else datetime.fromisoformat(str(call["answered_at"]))
            ended = datetime.fromisoformat(str(call["ended_at"])) if call.get("ended_at") else touch.at
            self._awaited[key] = Awaited(key, began, ended, touch.direction.value, self._door.now())
            self._changed = True

    async def run(self, delivery: Delivery) -> None:
        """Look until cancelled."""
        await self._recall()
        while True:
            await asyncio.sleep(_EVERY_S)
            now = self._door.now()
            for one in [each for each in self._awaited.values() if each.next_at <= now]:
                await self._look_for(one, now, delivery)
            if self._changed:
                self._changed = False
                await self._keep()

    async def _look_for(self, one: Awaited, now: datetime, delivery: Delivery) -> None:
        told = OpenCall(one.call, one.at, one.direction, {})
        names = tuple(await asyncio.to_thread(search_recording, told, self._settings))
        if names and names == one.names:  # as at the last look: it is whole, and there are no more
            await delivery.put(self._touch(one, names))
            self._awaited.pop(one.call, None)
            self._changed = True
            return
        one.names = names
        one.pause_s = _FIRST_S if names else min(one.pause_s * 2, _RAREST_S)
        one.next_at = now + timedelta(seconds=one.pause_s)
        if now - one.ended_at > _LONGEST and not names:
            self._awaited.pop(one.call, None)
            self._changed = True

    def _touch(self, one: Awaited, names: tuple[str, ...]) -> Touch:
        return Touch(
            line=self._line,
            event_key=f"{one.call}|completed|recording",
            kind=Kind.CALL,
            direction=Direction(one.direction),
            at=one.ended_at,
            external_id=one.call,
            phase="completed",
            call={"recordings": list(names), "recording": names[0]},
        )

    async def _recall(self) -> None:
        kept = await self._door.memory.recall(_KEY)
        for call, at, ended, direction in orjson.loads(kept) if kept else ():
            began = datetime.fromisoformat(at)
            found = Awaited(call, began, datetime.fromisoformat(ended), direction, self._door.now())
            self._awaited.setdefault(call, found)

    async def _keep(self) -> None:
        rows = [
            [one.call, one.at.isoformat(), one.ended_at.isoformat(), one.direction] for one in self._awaited.values()
        ]
        try:
            await self._door.memory.keep(_KEY, orjson.dumps(rows).decode())
        except Exception as error:  # the hub's database is away for a while
            self._changed = True
            log.warning("mark_not_kept", line=self._line, error=repr(error))
