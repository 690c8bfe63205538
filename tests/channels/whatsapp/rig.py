"""A WhatsApp line at our Graph API, as the contract kit and the channel's own tests use it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from channels.touch import Identity
from channels.whatsapp import Settings
from channels.whatsapp.adapter import WhatsAppChannel
from tests.channels.messenger import MessengerRig
from tests.peers.whatsapp import CLIENT, NUMBER_ID, SECRET, TOKEN, VERIFY_TOKEN, GraphApi, webhook

PAYLOADS = Path(__file__).parent / "payloads"


def payload(name: str) -> Any:
    """A documented payload. Each file says from which page of the vendor's its shape is."""
    return json.loads((PAYLOADS / f"{name}.json").read_text("utf-8"))["payload"]


def told(api: GraphApi, **more: Any) -> dict[str, Any]:
    """The keys of a line at this server."""
    keys = {"token": TOKEN, "secret": SECRET, "verify_token": VERIFY_TOKEN, "phone_number_id": NUMBER_ID}
    return {**keys, "base_url": api.base_url, "timeout_s": 5, **more}


class WhatsAppRig(MessengerRig[GraphApi, WhatsAppChannel]):
    """See `tests.channels.kit.Rig`."""

    line = "wa"
    client = Identity("whatsapp", CLIENT, "Иван Петров")

    def channel(self, *, wrong_credentials: bool = False, **more: Any) -> WhatsAppChannel:
        if wrong_credentials:
            more["token"] = "wrong"
        settings = Settings.model_validate(told(self.vendor, **more))
        made = WhatsAppChannel(self.line, settings, self.door.door(), look_s=0.05)
        return self.keep(made)

    async def incoming(self, text: str) -> None:
        self.pusher.push(webhook(self.vendor.said(text)))

    async def outgoing(self) -> list[str]:
        return self.vendor.texts()

    def external_ids(self) -> list[str]:
        return [one.id for one in self.vendor.taken]

    def refuse_for_now(self) -> None:
        self.vendor.refuse(131000, "Something went wrong", status=500)

    def refuse_for_good(self) -> None:
        self.vendor.refuse(131026, "Message undeliverable")

    def opt_out(self) -> None:
        self.vendor.stopped.add(CLIENT)
