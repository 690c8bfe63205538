"""Hands one message over, part by part, and remembers how far it came, so that nothing goes out twice.

For vendors that cannot be asked what became of a message. The line's memory keeps `out REFERENCE`: "part IDS" while
some parts are out, "handing IDS" while one is on its way, "done IDS" at the end. After a crash "handing" means that
nobody can know. `part ID` leads from a later part to the first, under which the log knows the message.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Literal, TypeVar

from channels.contract import Memory
from channels.errors import ChannelError, Uncertain
from channels.touch import Message, Sent, Thread, Touch

P = TypeVar("P")

_HANDING, _PART, _DONE = "handing", "part", "done"


class Outbox:
    """The notes of one line."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    async def send(
        self,
        message: Message,
        parts: Sequence[P],
        hand_over: Callable[[P, int], Awaitable[str]],
        make_ready: Callable[[P], Awaitable[P]] | None = None,
        find: Callable[[int], Awaitable[str | None]] | None = None,
    ) -> Sent:
        """Hand over what is not out yet. `hand_over(part, number)` returns the vendor's id, without spaces.

        `make_ready` does before what may be done twice (waiting for one's turn, uploading a file): a crash in it leaves
        no doubt. `find(number)` asks a vendor that can be asked for the id of a part that may be out, None: it is not;
        without it doubt is `Uncertain`. Raises what they raise: anything but `Uncertain` says that the part is not out.
        """
        word, ids = await self._recall(message)
        if word == _DONE:
            return Sent(ids[0])
        if word == _HANDING:
            ids = await self._resolve(message, ids, len(parts), find)
        for number in range(len(ids), len(parts)):
            try:
                part = parts[number] if make_ready is None else await make_ready(parts[number])
                await self._keep(message, _HANDING, ids)
                ids.append(await self._hand_over(message, part, ids, hand_over))
            except ChannelError as error:
                raise _with_what_is_out(error, len(ids)) from error.__cause__
            await self._keep_out(message, ids, len(parts))
        return Sent(ids[0])

    async def _resolve(
        self, message: Message, ids: list[str], count: int, find: Callable[[int], Awaitable[str | None]] | None
    ) -> list[str]:
        """What is out of a message of which one part may be."""
        if find is None:
            raise Uncertain("the connection broke while this message was handed over: it may be out")
        found = await find(len(ids))
        if found is not None:
            ids = [*ids, found]
            await self._keep_out(message, ids, count)
        return ids

    async def _keep_out(self, message: Message, ids: list[str], count: int) -> None:
        """One more part is out."""
        if ids[1:]:
            await self._memory.keep(f"part {ids[-1]}", ids[0])
        await self._keep(message, _DONE if len(ids) == count else _PART, ids)

    async def was_sent(self, message: Message) -> Sent | Literal[False] | None:
        """`Sent`: all parts were taken. False: the next part never went out. None: nobody can know."""
        word, ids = await self._recall(message)
        if word == _DONE:
            return Sent(ids[0])
        return None if word == _HANDING else False

    async def _hand_over(
        self, message: Message, part: P, ids: list[str], hand_over: Callable[[P, int], Awaitable[str]]
    ) -> str:
        try:
            return await hand_over(part, len(ids))
        except Uncertain:
            raise
        except ChannelError:
            await self._keep(message, _PART, ids)
            raise

    async def first_part(self, external_id: str) -> str | None:
        """The external id that the log knows a later part's message by."""
        return await self._memory.recall(f"part {external_id}")

    async def refer(self, touch: Touch) -> Touch:
        """An answer to a later part of a long message of ours is an answer to its first, which the log knows."""
        for one in touch.thread.answers if touch.thread else ():
            if first := await self.first_part(one):
                return replace(touch, thread=Thread(answers=(one, first)))
        return touch

    async def _recall(self, message: Message) -> tuple[str, list[str]]:
        word, *ids = (await self._memory.recall(f"out {message.reference}") or "").split() or [""]
        return word, ids

    async def _keep(self, message: Message, word: str, ids: list[str]) -> None:
        await self._memory.keep(f"out {message.reference}", " ".join((word, *ids)))


def _with_what_is_out(error: ChannelError, count: int) -> ChannelError:
    if count and not error.retryable:
        error.reason = f"{error.reason} (the first {count} of its parts went out)"
        error.args = (error.reason,)
    return error
