"""The set-up of a running process: notices within a second or two that somebody imported something, and tells."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias

import structlog

from hub.setup.definition import revision
from hub.setup.snapshot import SetUp, load_setup
from storage.store import Store

log = structlog.get_logger(__name__)

Subscriber: TypeAlias = Callable[[SetUp, SetUp], Awaitable[None] | None]


class LiveSetUp:
    """`current` is replaced as a whole, never changed: whoever works with a snapshot finishes with it."""

    def __init__(self, store: Store, current: SetUp, *, every: float = 1.0) -> None:
        self._store = store
        self._current = current
        self._every = every
        self._subscribers: list[Subscriber] = []
        self._turn = asyncio.Lock()

    @classmethod
    def open(cls, store: Store, *, every: float = 1.0) -> LiveSetUp:
        """Load what is stored. Blocks."""
        return cls(store, store.read_now(load_setup), every=every)

    @property
    def current(self) -> SetUp:
        """What is in force now."""
        return self._current

    def subscribe(self, told: Subscriber) -> None:
        """Call `told(old, new)` after every change, in the event loop; what it raises is logged and harms nobody."""
        self._subscribers.append(told)

    async def refresh(self) -> bool:
        """Look now; True if something had changed. Returns after all subscribers were told."""
        async with self._turn:
            if await self._store.read(revision) == self._current.revision:
                return False
            old, self._current = self._current, await self._store.read(load_setup)
            log.info("setup_changed", revision=self._current.revision, problems=len(self._current.problems))
            for told in self._subscribers:
                await _tell(told, old, self._current)
            return True

    async def watch(self) -> None:
        """Look every now and then, until cancelled."""
        while True:
            await asyncio.sleep(self._every)
            try:
                await self.refresh()
            except Exception as error:  # the database may be away for a while; the old set-up holds meanwhile
                log.warning("setup_not_read", error=repr(error))


async def _tell(told: Subscriber, old: SetUp, new: SetUp) -> None:
    try:
        answer = told(old, new)
        if answer is not None:
            await answer
    except Exception:
        log.exception("setup_subscriber_failed", subscriber=getattr(told, "__qualname__", repr(told)))
