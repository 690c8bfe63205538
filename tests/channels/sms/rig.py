"""An SMS line on the scripted SMSC, as the contract kit and the channel's own tests use it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from channels.sms import Settings
from channels.sms.settings import SmppSettings
from channels.sms.smpp import SmppChannel
from channels.touch import Identity, Message
from tests.channels.door import FakeDoor
from tests.peers.smsc import CLIENT, Smsc

VENDOR_OPTED_OUT = 0x0000043C


def message_to(text: str, reference: str, to: str = f"+{CLIENT}", **more: Any) -> Message:
    """A message of ours to a number."""
    return Message(reference, (Identity("phone", to),), text, datetime(2026, 11, 21, 9, tzinfo=UTC), **more)


class SmppRig:
    """See `tests.channels.kit.Rig`."""

    line = "sms"
    exempt: Mapping[str, str] = {
        "crash before acknowledgement": "acknowledged by deliver_sm_resp, not by memory: see test_receive",
    }

    def __init__(self, smsc: Smsc, **own: Any) -> None:
        self.smsc, self.own = smsc, own
        self.door = FakeDoor()

    def settings(self, **more: Any) -> SmppSettings:
        told = {
            "gateway": "smpp",
            "host": "127.0.0.1",
            "port": self.smsc.port,
            "system_id": "hub",
            "password": "secret",
            "sender": "Touchline",
            "timeout_s": 5,
            "opted_out_codes": [VENDOR_OPTED_OUT],
            **self.own,
            **more,
        }
        found = Settings.model_validate(told)
        assert isinstance(found, SmppSettings)
        return found

    def channel(self, *, wrong_credentials: bool = False, **more: Any) -> SmppChannel:
        if wrong_credentials:
            more["password"] = "wrong"
        return SmppChannel(self.line, self.settings(**more), self.door.door(), look_s=0.05)

    async def incoming(self, text: str) -> None:
        self.smsc.say(text)

    async def incoming_again(self) -> None:
        self.smsc.push_again()

    def message(self, text: str, reference: str, **more: Any) -> Message:
        return message_to(text, reference, **more)

    async def outgoing(self) -> list[str]:
        return self.smsc.texts()

    def external_ids(self) -> list[str]:
        return [one.id for one in self.smsc.submitted]

    def refuse_for_now(self) -> None:
        self.smsc.answers.append(0x58)

    def refuse_for_good(self) -> None:
        self.smsc.answers.append(0x0B)

    def opt_out(self) -> None:
        self.smsc.answers.append(VENDOR_OPTED_OUT)

    async def stop_server(self) -> None:
        await self.smsc.stop()

    async def start_server(self) -> None:
        await self.smsc.start()
