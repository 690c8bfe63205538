"""A VK line at the vendor of the tests, as the contract kit and the channel's own tests use it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from channels.touch import Identity, Message
from channels.vk import Settings
from channels.vk.adapter import VkChannel
from tests.channels.door import FakeDoor
from tests.channels.pusher import Pusher
from tests.channels.vk.vendor import CLIENT, GROUP, SECRET, TOKEN, Vendor, call


class VkRig:
    """See `tests.channels.kit.Rig`."""

    line = "vk"
    exempt: Mapping[str, str] = {
        "crash before acknowledgement": "acknowledged by the webhook's answer, not by memory",
        "external id from reference": "VK names the messages",
    }

    def __init__(self, vendor: Vendor) -> None:
        self.vendor = vendor
        self.door = FakeDoor()
        self.pusher = Pusher()
        self.opened: list[VkChannel] = []

    def settings(self, **more: Any) -> Settings:
        told = {"token": TOKEN, "secret": SECRET, "group_id": GROUP, "base_url": self.vendor.base_url, "timeout_s": 5}
        return Settings.model_validate({**told, **more})

    def channel(self, *, wrong_credentials: bool = False, **more: Any) -> VkChannel:
        settings = self.settings(**({"token": "wrong"} if wrong_credentials else {}), **more)
        made = VkChannel(self.line, settings, self.door.door(), pauses=(0.01,))
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
        to = (Identity("vk", str(CLIENT), "Иван Петров"),)
        return Message(reference, to, text, datetime(2026, 11, 21, 9, tzinfo=UTC), **more)

    async def outgoing(self) -> list[str]:
        return [one.get("message", "") for one in self.vendor.taken]

    def external_ids(self) -> list[str]:
        return [f"{one['peer_ids']}:{one['conversation_message_id']}" for one in self.vendor.taken]

    def refuse_for_now(self) -> None:
        self.vendor.refusals.append(10)

    def refuse_for_good(self) -> None:
        self.vendor.refusals.append(100)

    def opt_out(self) -> None:
        self.vendor.refusals.append(901)

    async def stop_server(self) -> None:
        await self.vendor.stop()

    async def start_server(self) -> None:
        await self.vendor.start()
