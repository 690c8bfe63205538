"""A WhatsApp line at our Graph API, as the contract kit and the channel's own tests use it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from channels.touch import Identity, Message
from channels.whatsapp import Settings
from channels.whatsapp.adapter import WhatsAppChannel
from tests.channels.door import FakeDoor
from tests.channels.pusher import Pusher
from tests.peers.whatsapp import CLIENT, NUMBER_ID, SECRET, TOKEN, VERIFY_TOKEN, GraphApi, webhook

PAYLOADS = Path(__file__).parent / "payloads"


def payload(name: str) -> Any:
    """A documented payload. Each file says from which page of the vendor's its shape is."""
    return json.loads((PAYLOADS / f"{name}.json").read_text("utf-8"))["payload"]


def told(api: GraphApi, **more: Any) -> dict[str, Any]:
    """The keys of a line at this server."""
    keys = {"token": TOKEN, "secret": SECRET, "verify_token": VERIFY_TOKEN, "phone_number_id": NUMBER_ID}
    return {**keys, "base_url": api.base_url, "timeout_s": 5, **more}


class WhatsAppRig:
    """See `tests.channels.kit.Rig`."""

    line = "wa"
    exempt: Mapping[str, str] = {
        "crash before acknowledgement": "acknowledged by the webhook's answer, not by memory",
        "external id from reference": "Meta names the messages",
    }

    def __init__(self, api: GraphApi) -> None:
        self.api = api
        self.door = FakeDoor()
        self.pusher = Pusher()
        self.opened: list[WhatsAppChannel] = []

    def channel(self, *, wrong_credentials: bool = False, **more: Any) -> WhatsAppChannel:
        if wrong_credentials:
            more["token"] = "wrong"
        settings = Settings.model_validate(told(self.api, **more))
        made = WhatsAppChannel(self.line, settings, self.door.door(), look_s=0.05)
        self.opened.append(made)
        self.pusher.channel = made
        return made

    async def close(self) -> None:
        """Let go of whatever a test has left open."""
        await self.pusher.stop()
        for channel in self.opened:
            await channel.close()

    async def incoming(self, text: str) -> None:
        self.pusher.push(webhook(self.api.said(text)))

    async def incoming_again(self) -> None:
        self.pusher.push_again()

    def message(self, text: str, reference: str, **more: Any) -> Message:
        to = (Identity("whatsapp", CLIENT, "Иван Петров"),)
        return Message(reference, to, text, datetime(2026, 11, 21, 9, tzinfo=UTC), conversation=7, **more)

    async def outgoing(self) -> list[str]:
        return self.api.texts()

    def external_ids(self) -> list[str]:
        return [one.id for one in self.api.taken]

    def refuse_for_now(self) -> None:
        self.api.refuse(131000, "Something went wrong", status=500)

    def refuse_for_good(self) -> None:
        self.api.refuse(131026, "Message undeliverable")

    def opt_out(self) -> None:
        self.api.stopped.add(CLIENT)

    async def stop_server(self) -> None:
        await self.api.stop()

    async def start_server(self) -> None:
        await self.api.start()
