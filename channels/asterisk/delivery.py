"""Hands touches to the hub: those of one call in their order, those of different calls side by side; none is lost.

What the hub takes in together costs it much less. So what may wait a moment goes with the next telephone that rings,
or after a fortieth of a second: that a call has come to a queue is mostly told together with whose telephone it rings.

The PBX tells things once. So what the hub cannot take now (its database is away) is offered again until it can, and
when too much waits, the events are read no further: the PBX buffers them.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable
from itertools import takewhile

import structlog

from channels.contract import Accepted
from channels.touch import Touch

log = structlog.get_logger(__name__)

_MOST = 2_000
_GATHER_S = 0.025
_URGENT = "ringing"
_LAST = frozenset({"ended", "completed"})
"""They wait for all that was before: whatever trouble mixed up, what they say of the call stands."""
_AGAIN_S = (0.2, 0.5, 1.0, 2.0, 5.0)


class Delivery:
    """One line's touches on their way into the log."""

    def __init__(self, deliver: Callable[[Touch], Awaitable[Accepted]]) -> None:
        self._deliver = deliver
        self._queues: dict[str, deque[Touch]] = {}
        self._workers: dict[str, asyncio.Task[None]] = {}
        self._held: list[str] = []
        self._timer: asyncio.TimerHandle | None = None
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
        if key not in self._workers and key not in self._held:
            self._held.append(key)
        if touch.phase == _URGENT:
            self._tell()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_GATHER_S, self._tell)

    def _tell(self) -> None:
        """Begin with all that was held back."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for key in self._held:
            self._workers[key] = asyncio.create_task(self._work(key))
        self._held.clear()

    async def drain(self, seconds: float) -> None:
        """Wait until everything is delivered, but not for ever."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                self._tell()
                while self._workers:
                    await asyncio.wait(list(self._workers.values()))

    async def close(self) -> None:
        """Stop. What was not delivered is found again by the next start (rebuild.py)."""
        if self._timer is not None:
            self._timer.cancel()
        workers = list(self._workers.values())
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)

    async def _work(self, key: str) -> None:
        queue = self._queues[key]
        try:
            while queue:
                some = _begin_of(queue)
                await asyncio.gather(*(self._insist(touch) for touch in some))
                for _ in some:
                    queue.popleft()
                self._waiting -= len(some)
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


def _begin_of(queue: deque[Touch]) -> list[Touch]:
    """What can be handed over together: all up to the end of the call."""
    before = list(takewhile(lambda touch: touch.phase not in _LAST, queue))
    return before or [queue[0]]
