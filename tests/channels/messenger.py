"""What the rigs of messengers have in common: a line at an emulator of the vendor, pushed to by webhook."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from channels.contract import Channel
from channels.touch import Identity, Message
from tests.channels.door import FakeDoor
from tests.channels.pusher import Pusher
from tests.peers.site import Site

S = TypeVar("S", bound=Site)
C = TypeVar("C", bound=Channel)

WRITTEN_AT = datetime(2026, 11, 21, 9, tzinfo=UTC)


class MessengerRig(Generic[S, C]):
    """See `tests.channels.kit.Rig`. `client` is whom our messages go to."""

    line: str
    client: Identity
    exempt: Mapping[str, str] = {
        "crash before acknowledgement": "acknowledged by the webhook's answer: tests/flows/test_crash_webhooks.py",
        "external id from reference": "the vendor names the messages",
    }

    def __init__(self, vendor: S) -> None:
        self.vendor = vendor
        self.door = FakeDoor()
        self.pusher = Pusher()
        self.opened: list[C] = []

    def keep(self, made: C) -> C:
        """A channel that the vendor calls from now on."""
        self.opened.append(made)
        self.pusher.channel = made
        return made

    async def close(self) -> None:
        """Let go of whatever a test has left open."""
        await self.pusher.stop()
        for channel in self.opened:
            await channel.close()

    async def incoming_again(self) -> None:
        self.pusher.push_again()

    def message(self, text: str, reference: str, **more: Any) -> Message:
        return Message(reference, (self.client,), text, WRITTEN_AT, conversation=7, **more)

    async def stop_server(self) -> None:
        await self.vendor.stop()

    async def start_server(self) -> None:
        await self.vendor.start()
