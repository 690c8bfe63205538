"""A MAX line at the vendor of the tests, as the contract kit and the channel's own tests use it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from channels.max import Settings
from channels.max.adapter import MaxChannel
from channels.touch import Identity
from tests.channels.max.vendor import CLIENT, SECRET, TOKEN, Vendor, call
from tests.channels.messenger import MessengerRig

HOOK = "https://hub.example/hooks/max"


class MaxRig(MessengerRig[Vendor, MaxChannel]):
    """See `tests.channels.kit.Rig`."""

    line = "max"
    client = Identity("max", str(CLIENT), "Иван Петров")

    def __init__(self, vendor: Vendor) -> None:
        super().__init__(vendor)
        self.hook: str | None = HOOK

    def settings(self, **more: Any) -> Settings:
        told = {"token": TOKEN, "secret": SECRET, "base_url": self.vendor.base_url, "timeout_s": 5}
        return Settings.model_validate({**told, **more})

    def channel(self, *, wrong_credentials: bool = False, look_s: float = 300.0, **more: Any) -> MaxChannel:
        settings = self.settings(**({"token": "wrong"} if wrong_credentials else {}), **more)
        door = replace(self.door.door(), hook=lambda: self.hook)
        made = MaxChannel(self.line, settings, door, look_s)
        return self.keep(made)

    async def incoming(self, text: str) -> None:
        self.pusher.push(call(self.vendor.message(text)))

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
