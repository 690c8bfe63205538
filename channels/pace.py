"""How fast messages may go out: so many seconds between two to one recipient, so many between any two.

A short wait is waited here; a long one is the caller's (`Throttled`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from channels.errors import Throttled

K = TypeVar("K", bound=Hashable)

PATIENCE_S = 10.0
_MOST_KEYS = 2000


class Pace(Generic[K]):
    """When the next message may go out. `each_s` answers for a recipient, `overall_s` is for all together."""

    def __init__(
        self, overall_s: float, each_s: Callable[[K], float], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._overall_s, self._each_s, self._clock = overall_s, each_s, clock
        self._next: dict[K, float] = {}
        self._overall = 0.0

    async def wait(self, key: K) -> None:
        """Returns when a message to this recipient may go out. Raises `Throttled` when that is too far away."""
        now = self._clock()
        at = max(now, self._next.get(key, 0.0))
        if at - now > PATIENCE_S:
            raise Throttled("too many messages to this recipient", retry_after=at - now)
        self._forget(now)
        self._next[key] = at + self._each_s(key)
        if at > now:
            await asyncio.sleep(at - now)
        await self._wait_overall()

    async def _wait_overall(self) -> None:
        now = self._clock()
        at = max(now, self._overall)
        if at - now > PATIENCE_S:
            raise Throttled("too many messages at once", retry_after=at - now)
        self._overall = at + self._overall_s
        if at > now:
            await asyncio.sleep(at - now)

    def hold(self, key: K, seconds: float) -> None:
        """The vendor has asked for patience: nothing goes to this recipient before."""
        self._next[key] = max(self._next.get(key, 0.0), self._clock() + seconds)

    def hold_all(self, seconds: float) -> None:
        """The vendor has asked for patience with the whole account."""
        self._overall = max(self._overall, self._clock() + seconds)

    def _forget(self, now: float) -> None:
        if len(self._next) > _MOST_KEYS:
            self._next = {key: at for key, at in self._next.items() if at > now}
