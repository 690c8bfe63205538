"""A vendor that calls a webhook until it hears that all is well, one call after another: for the rigs of channels."""

from __future__ import annotations

import asyncio
import contextlib

from channels.contract import Channel
from channels.touch import Webhook, WebhookAnswer


class Pusher:
    """Point it at whatever `channel` listens now. `statuses` are what it heard, 500 for an answer that never came."""

    def __init__(self) -> None:
        self.channel: Channel | None = None
        self.statuses: list[int] = []
        self._calls: list[Webhook] = []
        self._last: Webhook | None = None
        self._calling: asyncio.Task[None] | None = None

    def push(self, webhook: Webhook) -> None:
        """From now on this is called until it is heard."""
        self._last = webhook
        self._calls.append(webhook)
        if self._calling is None:
            self._calling = asyncio.create_task(self._call_until_heard())

    def push_again(self) -> None:
        """The last call once more."""
        assert self._last is not None
        self.push(self._last)

    async def stop(self) -> None:
        """Nothing is called any more."""
        if self._calling is not None:
            self._calling.cancel()
            await asyncio.gather(self._calling, return_exceptions=True)

    async def _call_until_heard(self) -> None:
        while True:
            while self._calls and self.channel is not None:
                answer = WebhookAnswer(500)
                with contextlib.suppress(Exception):
                    answer = await self.channel.receive(self._calls[0])
                self.statuses.append(answer.status)
                if answer.status == 200:
                    self._calls.pop(0)
                else:
                    await asyncio.sleep(0.05)
            await asyncio.sleep(0.005)
