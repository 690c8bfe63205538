"""A VK line at the vendor of the tests, as the contract kit and the channel's own tests use it."""

from __future__ import annotations

from typing import Any

from channels.touch import Identity
from channels.vk import Settings
from channels.vk.adapter import VkChannel
from tests.channels.messenger import MessengerRig
from tests.channels.vk.vendor import CLIENT, GROUP, SECRET, TOKEN, Vendor, call


class VkRig(MessengerRig[Vendor, VkChannel]):
    """See `tests.channels.kit.Rig`."""

    line = "vk"
    client = Identity("vk", str(CLIENT), "Иван Петров")

    def settings(self, **more: Any) -> Settings:
        told = {"token": TOKEN, "secret": SECRET, "group_id": GROUP, "base_url": self.vendor.base_url, "timeout_s": 5}
        return Settings.model_validate({**told, **more})

    def channel(self, *, wrong_credentials: bool = False, **more: Any) -> VkChannel:
        settings = self.settings(**({"token": "wrong"} if wrong_credentials else {}), **more)
        made = VkChannel(self.line, settings, self.door.door())
        return self.keep(made)

    async def incoming(self, text: str) -> None:
        self.pusher.push(call(self.vendor.message(text)))

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
