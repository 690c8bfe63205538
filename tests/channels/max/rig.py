"""A MAX line at the vendor of the tests, as the contract kit and the channel's own tests use it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from channels.max import Settings
from channels.max.adapter import MaxChannel
from channels.touch import Identity, Message
from tests.channels.door import FakeDoor
from tests.channels.max.vendor import CLIENT, SECRET, TOKEN, Vendor, call
from tests.channels.pusher import Pusher

HOOK = "https://hub.example/hooks/max"


class MaxRig:
    """See `tests.channels.kit.Rig`."""

    line = "max"
    exempt: Mapping[str, str] = {
        "crash before acknowledgement": "acknowledged by the webhook's answer, not by memory",
        "external id from reference": "MAX names the messages",
    }

    def __init__(self, vendor: Vendor) -> None:
        self.vendor = vendor
        self.door = FakeDoor()
        self.hook: str | None = HOOK
        self.pusher = Pusher()
        self.opened: list[MaxChannel] = []

    def settings(self, **more: Any) -> Settings:
        told = {"token": TOKEN, "secret": SECRET, "base_url": self.vendor.base_url, "timeout_s": 5}
        return Settings.model_validate({**told, **more})

    def channel(self, *, wrong_credentials: bool = False, look_s: float = 300.0, **more: Any) -> MaxChannel:
        settings = self.settings(**({"token": "wrong"} if wrong_credentials else {}), **more)
        door = replace(self.door.door(), hook=lambda: self.hook)
        made = MaxChannel(self.line, settings, door, look_s, pauses=(0.01,))
        self.opened.append(made)
        self.pusher.channel = made
        return made

    async def close(self) -> None:
        """Let go of whatever a test has left open."""
        await self.pusher.stop()
        for channel in self.opened:
            await channel.close()

    async def incoming(self, text: str) -> None:
        self.pusher.push(call(self.vendor.message(text)))

    async def incoming_again(self) -> None:
        self.pusher.push_again()

    def message(self, text: str, reference: str, **more: Any) -> Message:
        to = (Identity("max", str(CLIENT), "Иван Петров"),)
        return Message(reference, to, text, datetime(2026, 11, 21, 9, tzinfo=UTC), **more)

    async def outgoing(self) -> list[str]:
        return [one["text"] for one in self.vendor.taken]

    def external_ids(self) -> list[str]:
        return [one["mid"] for one in self.vendor.taken]

    def refuse_for_now(self) -> None:
        self.vendor.refusals.append((429, "too.many.requests", ""))

    def refuse_for_good(self) -> None:
        self.vendor.refusals.append((400, "proto.payload", "text is too long"))

    def opt_out(self) -> None:
        self.vendor.refusals.append((403, "chat.denied", "error.dialog.suspended"))

    async def stop_server(self) -> None:
        await self.vendor.stop()

    async def start_server(self) -> None:
        await self.vendor.start()
