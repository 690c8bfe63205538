"""One key of the line's memory: what changes while it is being written is written together, by one writer at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from channels.contract import Memory


class Shelf:
    """`dump` gives what is to be kept, at the moment when it is written."""

    def __init__(self, memory: Memory, key: str, dump: Callable[[], str]) -> None:
        self._memory, self._key, self._dump = memory, key, dump
        self._now: asyncio.Task[None] | None = None
        self._next: asyncio.Task[None] | None = None

    async def load(self) -> str | None:
        """What was kept last."""
        return await self._memory.recall(self._key)

    async def save(self) -> None:
        """Returns once everything that had changed before the call is safe; raises if it could not be written."""
        if self._next is None:
            self._next = asyncio.create_task(self._write(self._now))
            self._next.add_done_callback(_look_at)
        await asyncio.shield(self._next)

    async def _write(self, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait({before})
        await asyncio.sleep(0)  # what else has come with it is written with it
        self._now, self._next = self._next, None
        await self._memory.keep(self._key, self._dump())


def _look_at(task: asyncio.Task[None]) -> None:
    """Whoever waited may be gone: an error that nobody asks for is no error."""
    if not task.cancelled():
        task.exception()
