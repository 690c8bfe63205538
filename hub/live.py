"""The live bus: tells every open desk of this process what a commit has changed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager

import structlog

from storage.events import Event

log = structlog.get_logger(__name__)

_MOST_WAITING = 1000
_GATHER_S = 0.25


class Inbox:
    """Events for one open page, handed over together: at once when something urgent is among them, else after a
    quarter of a second. A hundred pages are not woken by every event of a busy house."""

    def __init__(self, urgent: Callable[[Event], bool]) -> None:
        self._urgent = urgent
        self._events: list[Event | None] = []
        self._bell = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None

    def put(self, events: Sequence[Event] | None) -> None:
        """On the loop; None: events were lost."""
        if events is None or len(self._events) + len(events) > _MOST_WAITING:
            self._events = [None]
        else:
            self._events += events
        if events is None or any(map(self._urgent, events)):
            self._ring()
        elif self._timer is None and not self._bell.is_set():
            self._timer = asyncio.get_running_loop().call_later(_GATHER_S, self._ring)

    def wake(self) -> None:
        """Whoever waits is to look about, whatever has come."""
        self._ring()

    def _ring(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._bell.set()

    async def take(self) -> list[Event | None]:
        """What has come, as soon as it is to be handed over."""
        await self._bell.wait()
        self._bell.clear()
        events, self._events = self._events, []
        return events


class Live:
    """Listeners get events in commit order. One that does not read falls behind and is told to start afresh (None)."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._queues: set[asyncio.Queue[Event | None]] = set()
        self._inboxes: set[Inbox] = set()
        self._callbacks: list[Callable[[Event], None]] = []
        self._ahead: list[Callable[[tuple[Event, ...]], None]] = []

    def bind(self, loop: asyncio.AbstractEventLoop) -> None:
        """The loop on which listeners live."""
        self._loop = loop

    def on_event(self, callback: Callable[[Event], None]) -> Callable[[], None]:
        """Call `callback` for every event, on the loop, until what this answers is called; it must not block."""
        self._callbacks.append(callback)
        return lambda: self._callbacks.remove(callback)

    def before_telling(self, prepare: Callable[[tuple[Event, ...]], None]) -> None:
        """Call `prepare` with what a commit of this process has changed, in the lane's thread, before anybody hears of
        it; the lane waits for it."""
        self._ahead.append(prepare)

    def tell_from_thread(self, events: tuple[Event, ...]) -> None:
        """What the write lane calls after a commit."""
        for prepare in self._ahead:
            try:
                prepare(events)
            except Exception as error:  # everybody is told all the same
                log.warning("not_prepared", error=repr(error))
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.tell, events)

    def tell(self, events: Iterable[Event]) -> None:
        """Hand events to all listeners, on the loop."""
        told = tuple(events)
        for event in told:
            for callback in tuple(self._callbacks):
                callback(event)
            for queue in self._queues:
                _put(queue, event)
        for inbox in self._inboxes:
            inbox.put(told)

    def tell_lost(self) -> None:
        """Events may have been missed: everybody reads everything again, and jobs are looked for."""
        for callback in tuple(self._callbacks):
            callback(Event("job", 0, "lost"))
        for queue in self._queues:
            _put(queue, None)
        for inbox in self._inboxes:
            inbox.put(None)

    def wake(self) -> None:
        """All open pages look about: the server stops."""
        for inbox in self._inboxes:
            inbox.wake()

    @asynccontextmanager
    async def gather(self, urgent: Callable[[Event], bool]) -> AsyncIterator[Inbox]:
        """An inbox of events from now on."""
        inbox = Inbox(urgent)
        self._inboxes.add(inbox)
        try:
            yield inbox
        finally:
            self._inboxes.discard(inbox)

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
