"""One key of the line's memory: what changes while it is being written is written together, by one writer at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from channels.contract import Memory


class Shelf:
    """`dump` gives what is to be kept, at the moment when it is written."""

    def __init__(self, memory: Memory, key: str, dump: Callable[[], str]) -> None:
        self._memory, self._key, self._dump = memory, key, dump
        self._lock = asyncio.Lock()
        self._asked = self._kept = 0

    async def load(self) -> str | None:
        """What was kept last."""
        return await self._memory.recall(self._key)

    async def save(self) -> None:
        """Returns once everything that had changed before the call is safe."""
        self._asked += 1
        mine = self._asked
        async with self._lock:
            if self._kept >= mine:
                return
            await asyncio.sleep(0)  # what else has come with it is written with it
            covered, value = self._asked, self._dump()
            await self._memory.keep(self._key, value)
            self._kept = covered
