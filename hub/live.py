"""The live bus: tells every open desk of this process what a commit has changed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

from storage.events import Event

_MOST_WAITING = 1000


class Live:
    """Listeners get events in commit order. One that does not read falls behind and is told to start afresh (None)."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._queues: set[asyncio.Queue[Event | None]] = set()
        self._callbacks: list[Callable[[Event], None]] = []

    def bind(self, loop: asyncio.AbstractEventLoop) -> None:
        """The loop on which listeners live."""
        self._loop = loop

    def on_event(self, callback: Callable[[Event], None]) -> Callable[[], None]:
        """Call `callback` for every event, on the loop, until what this answers is called; it must not block."""
        self._callbacks.append(callback)
        return lambda: self._callbacks.remove(callback)

    def tell_from_thread(self, events: tuple[Event, ...]) -> None:
        """What the write lane calls after a commit."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.tell, events)

    def tell(self, events: Iterable[Event]) -> None:
        """Hand events to all listeners, on the loop."""
        for event in events:
            for callback in tuple(self._callbacks):
                callback(event)
            for queue in self._queues:
                _put(queue, event)

    def tell_lost(self) -> None:
        """Events may have been missed: everybody reads everything again, and jobs are looked for."""
        for callback in tuple(self._callbacks):
            callback(Event("job", 0, "lost"))
        for queue in self._queues:
            _put(queue, None)

    @asynccontextmanager
    async def listen(self) -> AsyncIterator[asyncio.Queue[Event | None]]:
        """A queue of events from now on; None in it means: events were lost, read everything again."""
        queue: asyncio.Queue[Event | None] = asyncio.Queue(maxsize=_MOST_WAITING)
        self._queues.add(queue)
        try:
            yield queue
        finally:
            self._queues.discard(queue)


def _put(queue: asyncio.Queue[Event | None], event: Event | None) -> None:
    try:
        queue.put_nowait(event)
    except asyncio.QueueFull:
        while not queue.empty():
            queue.get_nowait()
        queue.put_nowait(None)
