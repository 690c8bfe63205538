"""A channel that does what a test tells it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from channels.contract import Health, LineState
from channels.touch import Message, Sent, Webhook, WebhookAnswer


@dataclass
class FakeChannel:
    """`fate` is raised by `send`, unless it is None; `known` is what `was_sent` answers."""

    fate: Exception | None = None
    known: Sent | Literal[False] | None = False
    ends_with: Exception | None = None
    sent: list[Message] = field(default_factory=list)
    asked: list[Message] = field(default_factory=list)
    listened: int = 0
    closed: int = 0
    on_listen: Callable[[], None] = lambda: None

    async def listen(self) -> None:
        self.listened += 1
        self.on_listen()
        if self.ends_with is not None:
            raise self.ends_with
        await asyncio.Event().wait()

    async def check(self) -> Health:
        return Health(LineState.RUNNING)

    async def send(self, message: Message) -> Sent:
        self.sent.append(message)
        if self.fate is not None:
            raise self.fate
        return Sent(f"<{message.reference}@office.example>")

    async def was_sent(self, message: Message) -> Sent | Literal[False] | None:
        self.asked.append(message)
        return self.known

    async def receive(self, webhook: Webhook) -> WebhookAnswer:
        return WebhookAnswer(404)

    async def close(self) -> None:
        self.closed += 1
