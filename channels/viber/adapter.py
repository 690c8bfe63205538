"""One bot: callbacks come in, messages go out; the rest is asked elsewhere."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

import orjson
import structlog

from channels.contents import Linked
from channels.contract import Door, Health, LineState
from channels.fetching import Inbox
from channels.outbox import Outbox
from channels.pace import Pace
from channels.parcels import recipient_of
from channels.touch import Message, Sent, Webhook, WebhookAnswer
from channels.viber.compose import Part, parts_of
from channels.viber.parse import SCHEME, read
from channels.viber.settings import MOST_NAME, Settings
from channels.viber.shelf import hand_out, put_up
from channels.viber.wire import WHO, Wire
from channels.webhook import check_by, hook_of, is_signed

log = structlog.get_logger(__name__)

OVERALL_S = 1.0 / 50
PER_RECIPIENT_S = 0.1
_SIGNATURE_HEADER = "x-viber-content-signature"
_LOOK_S = 60.0


class ViberChannel:
    """A running bot. See `channels.contract.Channel`. `look_s`: how often Viber is asked whether it still calls us."""

    def __init__(self, line: str, settings: Settings, door: Door, look_s: float = _LOOK_S) -> None:
        self._line, self._settings, self._door, self._look_s = line, settings, door, look_s
        self._wire = Wire(settings)
        self._outbox = Outbox(door.memory)
        self._pace = Pace[str](OVERALL_S, lambda _: PER_RECIPIENT_S)
        self._inbox = Inbox[Linked](door, self._outbox, self._wire.fetch, lambda wanted: wanted.name)
        self._name = settings.sender

    async def listen(self) -> None:
        """Have Viber call us, and look now and then whether it still would."""
        address = hook_of(self._door, "Viber")
        await self._greet()
        await self._wire.set_webhook(address)
        self._door.health(Health(LineState.RUNNING))
        while True:
            await asyncio.sleep(self._look_s)
            if (await self._greet()).get("webhook") != address:
                log.warning("webhook_was_changed", line=self._line)
                await self._wire.set_webhook(address)

    async def check(self) -> Health:
        """Ask Viber who the bot is, and see that there is an address to be called at."""

        async def ask() -> None:
            await self._greet()
            hook_of(self._door, "Viber")

        return await check_by(ask)

    async def send(self, message: Message) -> Sent:
        """Hand one message over. Raises `ChannelError`; `Uncertain` if it may be out."""
        to, parts = recipient_of(message, SCHEME, WHO), parts_of(message)
        if not self._name:
            await self._greet()
        frame = {"receiver": to, "min_api_version": 1, "tracking_data": message.reference, "sender": self._as(message)}

        async def make_ready(part: Part) -> Part:
            await self._pace.wait(to)
            return part if part.file is None else part.with_address(await put_up(self._door, self._line, part.file))

        async def hand_over(part: Part, number: int) -> str:
            return await self._wire.send({**frame, **part.content})

        return await self._outbox.send(message, parts, hand_over, make_ready)

    async def was_sent(self, message: Message) -> Sent | Literal[False] | None:
        """What our own notes say; Viber cannot be asked."""
        return await self._outbox.was_sent(message)

    async def receive(self, webhook: Webhook) -> WebhookAnswer:
        """Take one callback in, or hand a file out. An answer other than 200 makes Viber call again."""
        if webhook.path and webhook.method in ("GET", "HEAD"):
            return await hand_out(self._door, self._line, webhook.path)
        if webhook.method != "POST":
            return WebhookAnswer(405, b"POST only\n")
        given = webhook.headers.get(_SIGNATURE_HEADER) or webhook.query.get("sig")
        if not any(is_signed(webhook.body, secret, given) for secret in self._settings.signing):
            log.warning("webhook_with_wrong_signature", line=self._line, remote=webhook.remote)
            return WebhookAnswer(401, b"wrong signature\n")
        reading = read(webhook.body, self._line, self._door.now())
        if reading.receipt is not None:
            await self._door.report(reading.receipt)
        touch, files = reading.touch, reading.files
        if touch is not None and not await self._inbox.take(reading.sender, touch, files):
            return WebhookAnswer(503, b"a file is missing: please call again\n")
        if reading.welcome and self._settings.welcome:
            return WebhookAnswer(200, orjson.dumps(await self._welcome()), "application/json")
        return WebhookAnswer(200)

    async def close(self) -> None:
        """Let go of connections. The webhook stays: Viber calls again what we miss meanwhile."""
        await self._wire.close()

    async def _greet(self) -> dict[str, Any]:
        """Who are we? Messages are signed with a name."""
        account = await self._wire.greet()
        if not self._name:
            self._name = str(account.get("name") or "")[:MOST_NAME]
        return account

    def _as(self, message: Message) -> dict[str, str]:
        """The operator's name, and the bot's for what nobody has written."""
        name = None if message.automatic else message.sender_name
        return {"name": (name or self._name or "-")[:MOST_NAME]}

    async def _welcome(self) -> dict[str, Any]:
        """The one message that may be said to somebody who has only opened the chat."""
        if not self._name:
            await self._greet()
        return {"sender": {"name": self._name or "-"}, "type": "text", "text": self._settings.welcome}
