"""Long polling with our own offset: Telegram forgets an update once a later one is asked for, so that comes last.

A poll confirms what the poll before it brought; until then `deliver` has returned for all of it. What comes twice has
the same event key. The offset is kept with its time: after a week of silence Telegram numbers updates anew, perhaps
lower, and an old offset would confirm what nobody has seen (core.telegram.org/bots/api#update).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

from telegram import Bot
from telegram.error import TelegramError

from channels.contract import Door
from channels.errors import Unreachable
from channels.telegram.wire import MOST_UPDATES, Requests, fetch_updates, translate
from channels.untrusted import dump, load

_STALE = timedelta(days=5)
_NUMBER = re.compile(rb'"update_id"\s*:\s*(\d{1,18})')


class Poll:
    """One bot's updates, in order. `take_in(raw, update)` returns when an update is committed (None = not JSON)."""

    def __init__(
        self, bot: Bot, requests: Requests, door: Door, key: str, take_in: Callable[[bytes, Any], Awaitable[None]]
    ) -> None:
        self._bot, self._requests, self._door, self._key = bot, requests, door, key
        self._take_in = take_in
        self._offset: int | None = None
        self._heard: datetime | None = None

    async def run(self) -> None:
        """Until cancelled. Raises `ChannelError`."""
        await self._recall()
        while True:
            payload = await self._fetch(MOST_UPDATES)
            try:
                updates = _updates(payload)
            except ValueError:
                await self._step_over()
            else:
                await self._hand_in(updates)

    async def _fetch(self, most: int) -> bytes:
        if self._heard is not None and self._door.now() - self._heard > _STALE:
            self._offset = None
        try:
            return await fetch_updates(self._bot, self._requests, self._offset, most)
        except TelegramError as error:
            raise translate(error) from error

    async def _hand_in(self, updates: list[Any]) -> None:
        """All at once, for the hub commits what queues up together; the first failure is raised when all are done."""
        if not updates:
            return
        outcomes = await asyncio.gather(
            *(self._take_in(dump(update), update) for update in updates), return_exceptions=True
        )
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
        numbers = [update["update_id"] for update in updates if _has_number(update)]
        if not numbers:
            raise Unreachable("Telegram sends updates without numbers")
        await self._move(max(numbers) + 1)

    async def _step_over(self) -> None:
        """Somewhere in this batch is something that is not JSON: one at a time, until it is past."""
        payload = await self._fetch(1)
        try:
            await self._hand_in(_updates(payload))
        except ValueError:
            found = _NUMBER.search(payload)
            if found is None:
                raise Unreachable("Telegram (or whoever answers at base_url) does not speak the Bot API") from None
            await self._take_in(payload, None)
            await self._move(int(found[1]) + 1)

    async def _move(self, offset: int) -> None:
        now = self._door.now()
        await self._door.memory.keep(self._key, f"{offset} {now.isoformat()}")
        self._offset, self._heard = offset, now

    async def _recall(self) -> None:
        number, _, heard = (await self._door.memory.recall(self._key) or "").partition(" ")
        if number.isdecimal() and heard:
            self._offset, self._heard = int(number), datetime.fromisoformat(heard)


def _updates(payload: bytes) -> list[Any]:
    """Raises `ValueError` for what is not an answer to `getUpdates`."""
    answer = load(payload)
    if not isinstance(answer, dict) or not isinstance(answer.get("result"), list):
        raise ValueError("not an answer to getUpdates")
    return list(answer["result"])


def _has_number(update: Any) -> bool:
    return isinstance(update, dict) and type(update.get("update_id")) is int
