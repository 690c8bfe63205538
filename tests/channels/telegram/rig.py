"""A bot line on our Bot API, as the contract kit and the adapter's own tests use it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from channels.telegram import Settings, create
from channels.telegram.adapter import TelegramChannel
from channels.touch import Identity, Message
from tests.channels.door import FakeDoor
from tests.peers.telegram import CLIENT, BotApi


class TelegramRig:
    """See `tests.channels.kit.Rig`."""

    line = "bot"
    exempt: Mapping[str, str] = {}

    def __init__(self, api: BotApi, **own: Any) -> None:
        self.api, self.own = api, own
        self.door = FakeDoor()
        self.opened: list[TelegramChannel] = []

    def settings(self, **more: Any) -> Settings:
        return Settings.model_validate(
            {"token": self.api.token, "base_url": self.api.base_url, "timeout_s": 5, **self.own, **more}
        )

    def channel(self, *, wrong_credentials: bool = False, **more: Any) -> TelegramChannel:
        if wrong_credentials:
            more["token"] = "4711:wrong"
        self.opened.append(create(self.line, self.settings(**more), self.door.door()))
        return self.opened[-1]

    async def close(self) -> None:
        """Let go of whatever a test has left open."""
        for channel in self.opened:
            await channel.close()

    async def incoming(self, text: str) -> None:
        self._last = self.api.say(text)

    async def incoming_again(self) -> None:
        self.api.happen("message", self._last)

    def message(self, text: str, reference: str, **more: Any) -> Message:
        to = (Identity("telegram", str(CLIENT["id"]), "Иван Петров"),)
        return Message(reference, to, text, datetime(2026, 11, 21, 9, tzinfo=UTC), conversation=7, **more)

    async def outgoing(self) -> list[str]:
        return self.api.texts()

    def external_ids(self) -> list[str]:
        return [f"{call.chat}:{call.message_id}" for call in self.api.calls]

    def refuse_for_now(self) -> None:
        self.api.refuse("send", 429, "Too Many Requests: retry after 1", retry_after=1)

    def refuse_for_good(self) -> None:
        self.api.refuse("send", 400, "Bad Request: chat not found")

    def opt_out(self) -> None:
        self.api.blocked.add(CLIENT["id"])

    async def stop_server(self) -> None:
        await self.api.stop()

    async def start_server(self) -> None:
        await self.api.start()
