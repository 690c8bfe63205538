"""What Telegram takes from a bot: a message a second in one chat, 20 a minute in one group, 30 a second altogether.

Source: core.telegram.org/bots/faq, "My bot is hitting limits". A short wait is waited here; a long one is the caller's.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from channels.errors import Throttled

PER_CHAT_S = 1.0
PER_GROUP_S = 60.0 / 20
OVERALL_S = 1.0 / 30
PATIENCE_S = 10.0
_MOST_CHATS = 2000


class Limits:
    """When the next message may go out. Groups have negative ids."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._chats: dict[int, float] = {}
        self._overall = 0.0

    async def wait(self, chat: int) -> None:
        """Returns when a message to this chat may go out. Raises `Throttled` when that is too far away."""
        now = self._clock()
        at = max(now, self._chats.get(chat, 0.0))
        if at - now > PATIENCE_S:
            raise Throttled("too many messages to this chat", retry_after=at - now)
        self._forget(now)
        self._chats[chat] = at + (PER_GROUP_S if chat < 0 else PER_CHAT_S)
        if at > now:
            await asyncio.sleep(at - now)
        await self._wait_overall()

    async def _wait_overall(self) -> None:
        now = self._clock()
        at = max(now, self._overall)
        if at - now > PATIENCE_S:
            raise Throttled("too many messages at once", retry_after=at - now)
        self._overall = at + OVERALL_S
        if at > now:
            await asyncio.sleep(at - now)

    def hold(self, chat: int, seconds: float) -> None:
        """Telegram has asked for patience: nothing goes to this chat before."""
        self._chats[chat] = max(self._chats.get(chat, 0.0), self._clock() + seconds)

    def _forget(self, now: float) -> None:
        if len(self._chats) > _MOST_CHATS:
            self._chats = {chat: at for chat, at in self._chats.items() if at > now}
