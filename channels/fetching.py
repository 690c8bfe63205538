"""Fetches the files that a message refers to. A file that cannot be had becomes a remark: the message matters more.

Where the source pushes (webhooks), it is also our memory: a message whose file cannot be had now is taken in at once
with a remark, and its webhook is answered so that the vendor pushes it again. When the file comes then, it is one more
phase of the same message. After `ASK_AGAIN_FOR` the remark is the last word.
"""

from __future__ import annotations

import asyncio
import mimetypes
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Generic, TypeVar
from weakref import WeakValueDictionary

from channels.contents import MOST_BYTES, Linked
from channels.contract import Door
from channels.errors import ChannelError, Rejected, Unreachable
from channels.http import Http
from channels.outbox import Outbox
from channels.touch import Attachment, Touch

W = TypeVar("W")

Prepare = Callable[[Touch], Awaitable[Touch]]

PAUSES = (0.5, 2.0, 5.0)
ASK_AGAIN_FOR = timedelta(hours=1)
_FETCHED = "fetched"
_GONE = frozenset({400, 401, 403, 404, 405, 406, 410, 415, 451})


@dataclass(frozen=True, slots=True)
class Missing:
    """Why a file is not here, and whether asking later may help."""

    remark: str
    later: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """What came of the files of one message, in its order."""

    results: tuple[Attachment | Missing, ...] = ()

    @property
    def files(self) -> tuple[Attachment, ...]:
        """Those that are here."""
        return tuple(one for one in self.results if isinstance(one, Attachment))

    @property
    def remarks(self) -> tuple[str, ...]:
        """What is to be said of the others."""
        return tuple(one.remark for one in self.results if isinstance(one, Missing))

    @property
    def awaited(self) -> str:
        """The places of those that may come later, as the line's memory keeps them."""
        places = (place for place, one in enumerate(self.results) if isinstance(one, Missing) and one.later)
        return " ".join(map(str, places))


async def fetch_all(
    wanted: Sequence[W],
    fetch: Callable[[W], Awaitable[Attachment]],
    name_of: Callable[[W], str],
    pauses: Sequence[float] | None = None,
) -> Found:
    """All files at once, each tried again after the pauses (`PAUSES`). `fetch` raises `ChannelError`."""
    if not wanted:
        return Found()
    waits = PAUSES if pauses is None else pauses
    return Found(tuple(await asyncio.gather(*(_fetch(one, fetch, name_of(one), waits) for one in wanted))))


async def _fetch(
    wanted: W, fetch: Callable[[W], Awaitable[Attachment]], name: str, pauses: Sequence[float]
) -> Attachment | Missing:
    for pause in (*pauses, None):
        try:
            return await fetch(wanted)
        except ChannelError as error:
            if not error.retryable or pause is None:
                return Missing(f"the file {name} could not be fetched: {error.reason}", error.retryable)
        await asyncio.sleep(pause)
    raise AssertionError("the last try returns")


async def deliver_with_files(door: Door, touch: Touch, found: Found) -> bool:
    """Deliver a pushed message with what was found; False: ask the vendor to push it again, for a file's sake.

    What is missing is noted before the message is committed: a crash in between brings both again.
    """
    if not found.results:
        await door.deliver(touch)
        return True
    key = f"file {touch.event_key}"
    noted = await door.memory.recall(key)
    if found.awaited and not noted:
        await door.memory.keep(key, found.awaited)
    complete = replace(touch, attachments=(*touch.attachments, *found.files), remarks=(*touch.remarks, *found.remarks))
    accepted = await door.deliver(complete)
    if not found.awaited:
        if noted:
            await _deliver_later(door, touch, found, noted)
            await door.memory.keep(key, "")
        return True
    if accepted.again and not noted:
        await door.memory.keep(key, "")  # it was whole when it came first
        return True
    return door.now() - touch.at > ASK_AGAIN_FOR


async def _deliver_later(door: Door, touch: Touch, found: Found, noted: str) -> None:
    places = {int(place) for place in noted.split()}
    late = tuple(one for place, one in enumerate(found.results) if place in places and isinstance(one, Attachment))
    if late:
        names = ", ".join(file.name for file in late)
        remarks = (f"fetched after all: {names}",)
        key = f"{touch.event_key}:{_FETCHED}"
        await door.deliver(replace(touch, event_key=key, phase=_FETCHED, attachments=late, remarks=remarks, raw=None))


async def fetch_linked(http: Http, who: str, wanted: Linked, **more: Any) -> Attachment:
    """A file by its address. Raises `Unreachable` where asking later may help, else `Rejected`."""
    answered = await http.ask("GET", wanted.url, most=MOST_BYTES, **more)
    if answered.status in _GONE:
        raise Rejected(f"{who} does not hand it out ({answered.status})")
    if answered.status != 200:
        raise Unreachable(f"{who} answered {answered.status} instead of the file")
    told = answered.headers.get("content-type", "").partition(";")[0].strip()
    media_type = wanted.media_type or told or "application/octet-stream"
    ending = "" if "." in wanted.name else mimetypes.guess_extension(media_type) or ""
    return Attachment(wanted.name + ending, media_type, answered.body)


class Inbox(Generic[W]):
    """Takes pushed messages in: what one person says in its order, each with its files, different people together."""

    def __init__(
        self,
        door: Door,
        outbox: Outbox,
        fetch: Callable[[W], Awaitable[Attachment]],
        name_of: Callable[[W], str],
    ) -> None:
        self._door, self._outbox, self._fetch, self._name_of = door, outbox, fetch, name_of
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def take(self, sender: str, touch: Touch, files: Sequence[W] = (), prepare: Prepare | None = None) -> bool:
        """Returns once it is committed. False: a file is still missing, the vendor shall push it again.

        `prepare` is done in the sender's turn, too (asking what he is called).
        """
        turn = self._turns.setdefault(sender, asyncio.Lock())
        async with turn:
            known = touch if prepare is None else await prepare(touch)
            found = await fetch_all(files, self._fetch, self._name_of)
            return await deliver_with_files(self._door, await self._outbox.refer(known), found)
