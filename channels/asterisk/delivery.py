"""Hands touches to the hub: those of one call in their order, those of different calls side by side; none is lost.

The PBX tells things once. So what the hub cannot take now (its database is away) is offered again until it can, and
when too much waits, the events are read no further: the PBX buffers them.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable

import structlog

from channels.contract import Accepted
from channels.touch import Touch

log = structlog.get_logger(__name__)

_MOST = 2_000
_AGAIN_S = (0.2, 0.5, 1.0, 2.0, 5.0)


class Delivery:
    """One line's touches on their way into the log."""

    def __init__(self, deliver: Callable[[Touch], Awaitable[Accepted]]) -> None:
        self._deliver = deliver
        self._queues: dict[str, deque[Touch]] = {}
        self._workers: dict[str, asyncio.Task[None]] = {}
        self._waiting = 0
        self._room = asyncio.Event()
        self._room.set()

    async def put(self, touch: Touch) -> None:
        """Take one touch; waits only when far too many wait already."""
        await self._room.wait()
        key = touch.external_id or touch.event_key
        self._queues.setdefault(key, deque()).append(touch)
        self._waiting += 1
        if self._waiting >= _MOST:
            self._room.clear()
        if key not in self._workers:
            self._workers[key] = asyncio.create_task(self._work(key))

    async def drain(self, seconds: float) -> None:
        """Wait until everything is delivered, but not for ever."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._workers:
                    await asyncio.wait(list(self._workers.values()))

    async def close(self) -> None:
        """Stop. What was not delivered is found again by the next start (rebuild.py)."""
        workers = list(self._workers.values())
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)

    async def _work(self, key: str) -> None:
        queue = self._queues[key]
        try:
            while queue:
                await self._insist(queue[0])
                queue.popleft()
                self._waiting -= 1
                if self._waiting < _MOST:
                    self._room.set()
        finally:
            self._waiting -= len(queue)
            self._queues.pop(key, None)
            self._workers.pop(key, None)

    async def _insist(self, touch: Touch) -> None:
        failures = 0
        while True:
            try:
                await self._deliver(touch)
                return
            except Exception as error:
                log.warning("touch_not_taken", line=touch.line, key=touch.event_key, error=repr(error))
                await asyncio.sleep(_AGAIN_S[min(failures, len(_AGAIN_S) - 1)])
                failures += 1
