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

    async def send(self, message: Message, parts: Sequence[P], hand_over: Callable[[P, int], Awaitable[str]]) -> Sent:
        """Hand over what is not out yet. `hand_over(part, number)` returns the vendor's id, without spaces.

        Raises what `hand_over` raises: anything but `Uncertain` says that the part is not out.
        """
        word, ids = await self._recall(message)
        if word == _DONE:
            return Sent(ids[0])
        if word == _HANDING:
            raise Uncertain("the connection broke while this message was handed over: it may be out")
        for number in range(len(ids), len(parts)):
            await self._keep(message, _HANDING, ids)
            ids.append(await self._hand_over(message, parts[number], ids, hand_over))
            if ids[1:]:
                await self._memory.keep(f"part {ids[-1]}", ids[0])
            await self._keep(message, _DONE if number == len(parts) - 1 else _PART, ids)
        return Sent(ids[0])

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
        except ChannelError as error:
            await self._keep(message, _PART, ids)
            if ids and not error.retryable:
                error.reason = f"{error.reason} (the first {len(ids)} of its parts went out)"
                error.args = (error.reason,)
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
