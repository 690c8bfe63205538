"""What is done in the background after a gap: looks into the PBX's records, until nothing more can come of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from itertools import chain, repeat

import structlog

from channels.asterisk.calls import Calls, Phase
from channels.asterisk.lookback import DELAYS_S, PATIENCE_S, LookBack
from channels.asterisk.rebuild import Rebuild, Snapshot
from channels.asterisk.settings import Settings
from channels.contract import Door, Health, LineState

log = structlog.get_logger(__name__)

_OPEN = "looking back since"
_AWAY_S = 60.0
"""How often records are asked for that are away."""

Deliver = Callable[[Iterable[Phase]], Awaitable[None]]


class Aftermath:
    """The gaps of one line. `deliver` takes phases."""

    def __init__(self, line: str, settings: Settings, door: Door, calls: Calls, deliver: Deliver) -> None:
        self._line, self._settings, self._door, self._calls = line, settings, door, calls
        self._deliver = deliver
        self._tasks: set[asyncio.Task[None]] = set()

    async def begin(self, snapshot: Snapshot, rebuild: Rebuild, since: datetime | None, now: datetime) -> None:
        """Look for calls that vanished, and for whole ones since `since`. Does not wait for what is found."""
        earlier = await self._door.memory.recall(_OPEN) if since is not None else None
        if since is not None and earlier:  # the look-back of the last start was not finished
            since = min(since, datetime.fromisoformat(earlier))
        vanished = {call.id: call for call in rebuild.vanished}
        look = LookBack(self._settings, self._calls, since, now, vanished, snapshot.names)
        if look.is_idle:
            return
        if not look.has_records:
            await self._deliver(look.give_up(since or now))
            return
        task = asyncio.create_task(self._look(look, since or now), name=f"look back {self._line}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Stop looking; the next start goes on with it."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _look(self, look: LookBack, lost_at: datetime) -> None:
        try:
            if look.since is not None:
                await self._remember(look.since)
            await self._look_again_and_again(look, lost_at)
            if look.since is not None:  # another look, only for calls that vanished, leaves the mark alone
                await self._remember(None)
        except Exception:
            log.exception("records_not_looked_into", line=self._line)

    async def _look_again_and_again(self, look: LookBack, lost_at: datetime) -> None:
        began = asyncio.get_running_loop().time()
        for number, delay in enumerate(chain(DELAYS_S, repeat(_AWAY_S))):
            await asyncio.sleep(delay)
            before = look.faults
            await self._deliver(look.tell(await asyncio.to_thread(look.look)))
            if look.faults != before:
                self._tell_health(look)
            if look.vanished and asyncio.get_running_loop().time() - began >= PATIENCE_S:
                await self._deliver(look.give_up(lost_at))
            if number >= len(DELAYS_S) - 1 and not look.faults and not look.vanished:
                return

    def _tell_health(self, look: LookBack) -> None:
        """The line runs all the same."""
        if not look.faults:
            self._door.health(Health(LineState.RUNNING))
            return
        reason = "; ".join(f"{kind} cannot be read: {why}" for kind, why in sorted(look.faults.items()))
        remedy = f"Correct {', '.join(sorted(look.faults))} of the line, or start the database: it is tried again."
        self._door.health(Health(LineState.RUNNING, reason, remedy))
        log.warning("records_away", line=self._line, kinds=sorted(look.faults))

    async def _remember(self, since: datetime | None) -> None:
        try:
            await self._door.memory.keep(_OPEN, since.isoformat() if since is not None else "")
        except Exception as error:  # the hub's database is away for a while
            log.warning("mark_not_kept", line=self._line, error=repr(error))
