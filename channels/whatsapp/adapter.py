"""One number at the Cloud API: webhooks come in, messages go out; the rest is asked elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Literal

import structlog

from channels import phone
from channels.contract import Door, Health, LineState
from channels.errors import Rejected, Throttled
from channels.fetching import Inbox
from channels.outbox import Outbox
from channels.pace import Pace
from channels.touch import Message, Sent, Webhook, WebhookAnswer
from channels.webhook import check_by, is_secret, is_signed, stay_known
from channels.whatsapp.compose import Part, parts_of
from channels.whatsapp.contents import Wanted
from channels.whatsapp.parse import Reading, read
from channels.whatsapp.people import SCHEME
from channels.whatsapp.refusals import TooManyToOne
from channels.whatsapp.settings import Settings
from channels.whatsapp.wire import Wire

log = structlog.get_logger(__name__)

_SIGNATURE_HEADER = "x-hub-signature-256"
_LOOK_S = 60.0
_LONGEST_CHALLENGE = 200
_STRANGE = "messages for another number (%s) are called in here: they are not taken"
_OVERRIDE = "Give that number a callback address of its own, that of its line (override_callback_uri)."


class WhatsAppChannel:
    """A running line. See `channels.contract.Channel`. `look_s`: how often WhatsApp is asked whether it knows us."""

    def __init__(self, line: str, settings: Settings, door: Door, look_s: float = _LOOK_S) -> None:
        self._line, self._settings, self._door, self._look_s = line, settings, door, look_s
        self._wire = Wire(settings)
        self._outbox = Outbox(door.memory)
        self._pace = Pace[str](1.0 / settings.per_second, lambda _: 0.0)
        self._inbox = Inbox[Wanted](door, self._outbox, self._wire.fetch, lambda wanted: wanted.name)

    async def listen(self) -> None:
        """See now and then that WhatsApp knows us; what comes in calls `receive`."""
        await stay_known(self._door, self._wire.greet, self._look_s)

    async def check(self) -> Health:
        """Ask the Graph API for our number."""
        return await check_by(self._wire.greet)

    async def send(self, message: Message) -> Sent:
        """Hand one message over. Raises `ChannelError`; `Uncertain` if it may be out."""
        to, parts = recipient_of(message), parts_of(message)
        quotes = message.replies_to if (message.replies_to or "").startswith("wamid.") else None

        async def make_ready(part: Part) -> Part:
            await self._pace.wait(to)
            return part if part.file is None else part.with_media(await self._wire.upload(part.file))

        async def hand_over(part: Part, number: int) -> str:
            try:
                return await self._wire.send(to, part, quotes if number == 0 else None)
            except TooManyToOne as error:
                self._pace.hold(to, error.retry_after)
                raise
            except Throttled as error:
                self._pace.hold_all(error.retry_after)
                raise

        return await self._outbox.send(message, parts, hand_over, make_ready)

    async def was_sent(self, message: Message) -> Sent | Literal[False] | None:
        """What our own notes say; WhatsApp cannot be asked."""
        return await self._outbox.was_sent(message)

    async def mark_read(self, external_id: str) -> None:
        """Blue ticks, unless the line is set up otherwise. Raises `ChannelError`."""
        if self._settings.read_marks and external_id.startswith("wamid."):
            await self._wire.mark_read(external_id)

    async def receive(self, webhook: Webhook) -> WebhookAnswer:
        """The handshake (GET), or one batch (POST). An answer other than 200 makes WhatsApp call again, for days."""
        if webhook.method == "GET":
            return self._shake_hands(webhook)
        if webhook.method != "POST":
            return WebhookAnswer(405, b"GET or POST\n")
        given = webhook.headers.get(_SIGNATURE_HEADER, "").removeprefix("sha256=")
        if not is_signed(webhook.body, self._settings.secret.get_secret_value(), given):
            log.warning("webhook_with_wrong_signature", line=self._line, remote=webhook.remote)
            return WebhookAnswer(401, b"wrong signature\n")
        batch = read(webhook.body, self._line, self._settings.phone_number_id, self._door.now())
        self._tell(batch.strangers, batch.told)
        tasks = (*map(self._deliver, batch.readings), *map(self._door.report, batch.receipts))
        results = await asyncio.gather(*tasks, return_exceptions=True)
        for one in results:
            if isinstance(one, BaseException):
                raise one
        if False in results:
            return WebhookAnswer(503, b"a file is missing: please call again\n")
        return WebhookAnswer(200)

    async def close(self) -> None:
        """Let go of connections."""
        await self._wire.close()

    def _shake_hands(self, webhook: Webhook) -> WebhookAnswer:
        """`hub.challenge` is given back to whoever knows the verify_token."""
        query = webhook.query
        known = is_secret(self._settings.verify_token.get_secret_value(), query.get("hub.verify_token"))
        if query.get("hub.mode") != "subscribe" or not known:
            log.warning("handshake_with_wrong_token", line=self._line, remote=webhook.remote)
            return WebhookAnswer(403, b"wrong verify_token\n")
        return WebhookAnswer(200, query.get("hub.challenge", "")[:_LONGEST_CHALLENGE].encode("utf-8", "replace"))

    def _tell(self, strangers: Sequence[str], told: Sequence[str]) -> None:
        if strangers:
            log.warning("webhook_for_another_number", line=self._line, numbers=sorted(set(strangers))[:10])
            self._door.health(Health(LineState.RUNNING, _STRANGE % strangers[0][:30], _OVERRIDE))
        if told:
            log.info("whatsapp_tells", line=self._line, what=[one[:200] for one in told[:10]])

    async def _deliver(self, reading: Reading) -> bool:
        """Returns once a message is committed. False: a file is still missing."""
        return await self._inbox.take(reading.sender, reading.touch, reading.files)


def recipient_of(message: Message) -> str:
    """A number without its plus, or the id of somebody who hides his. Raises `Rejected`.

    A number is taken first: with it the client's number goes on being told (business-scoped-user-ids).
    """
    accounts = [one.value for one in message.to if one.scheme == SCHEME and not one.odd]
    phones = [one.value.removeprefix("+") for one in message.to if one.scheme == phone.SCHEME and not one.odd]
    numbers = [one for one in (*accounts, *phones) if one.isascii() and one.isdecimal()]
    for one in (*numbers, *accounts):
        return one
    raise Rejected("there is nobody of WhatsApp among the recipients", remedy="Answer on another channel.")
