"""One bot: webhooks come in, messages go out; the rest is asked elsewhere."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Any, Literal

import structlog

from channels.contents import Linked
from channels.contract import Door, Health, LineState
from channels.errors import ChannelError, Throttled
from channels.fetching import Inbox
from channels.max.parse import SCHEME, read
from channels.max.settings import Settings
from channels.max.wire import WHO, Wire
from channels.outbox import Outbox
from channels.pace import Pace
from channels.parcels import pack, recipient_of
from channels.touch import Attachment, Button, Message, Sent, Webhook, WebhookAnswer
from channels.untrusted import Json
from channels.webhook import check_by, hook_of, is_secret

log = structlog.get_logger(__name__)

MOST_TEXT, MOST_FILES, MOST_IN_ROW, MOST_BUTTONS = 4000, 10, 7, 210
OVERALL_S = 1.0 / 30
PER_RECIPIENT_S = 0.5
_SECRET_HEADER = "x-max-bot-api-secret"  # noqa: S105
_LOOK_S = 300.0


@dataclass(frozen=True, slots=True)
class Part:
    """One message of MAX's: what is said, the files that go along, and how they are named once they are there."""

    text: str = ""
    files: tuple[Attachment, ...] = ()
    uploaded: tuple[Json, ...] = ()
    buttons: tuple[Button, ...] = ()
    replies_to: str | None = None

    def as_body(self) -> dict[str, Any]:
        """As `POST /messages` takes it (dev.max.ru/docs-api/objects/NewMessageBody)."""
        attachments = [*self.uploaded, *([_keyboard(self.buttons)] if self.buttons else [])]
        body: dict[str, Any] = {"text": self.text or None, "attachments": attachments or None}
        if self.replies_to:
            body["link"] = {"type": "reply", "mid": self.replies_to}
        return body


class MaxChannel:
    """A running line. See `channels.contract.Channel`. `look_s`: how often it is seen that updates are brought here."""

    def __init__(self, line: str, settings: Settings, door: Door, look_s: float = _LOOK_S) -> None:
        self._line, self._settings, self._door, self._look_s = line, settings, door, look_s
        self._wire = Wire(settings)
        self._outbox = Outbox(door.memory)
        self._pace = Pace[str](OVERALL_S, lambda _: PER_RECIPIENT_S)
        self._inbox = Inbox[Linked](door, self._outbox, self._wire.fetch, lambda wanted: wanted.name)
        self._presses: set[asyncio.Task[None]] = set()

    async def listen(self) -> None:
        """Ask for updates at our address, and see now and then that they are still brought there."""
        await self._wire.greet()
        address = hook_of(self._door, WHO)
        await self._wire.subscribe(address)
        self._door.health(Health(LineState.RUNNING))
        while True:
            await asyncio.sleep(self._look_s)
            await self._wire.stay_subscribed(address)

    async def check(self) -> Health:
        """Ask MAX who we are, and whether it could call us."""

        async def ask() -> None:
            await self._wire.greet()
            hook_of(self._door, WHO)

        return await check_by(ask)

    async def send(self, message: Message) -> Sent:
        """Hand one message over. Raises `ChannelError`; `Uncertain` if it may be out."""
        to = recipient_of(message, SCHEME, WHO)

        async def make_ready(part: Part) -> Part:
            await self._pace.wait(to)
            return replace(part, uploaded=tuple([await self._wire.upload(file) for file in part.files]))

        async def hand_over(part: Part, number: int) -> str:
            try:
                return await self._wire.send(to, part.as_body())
            except Throttled as error:
                self._pace.hold(to, error.retry_after)
                raise

        return await self._outbox.send(message, compose(message), hand_over, make_ready)

    async def was_sent(self, message: Message) -> Sent | Literal[False] | None:
        """What our own notes say; MAX cannot be asked by a name of ours."""
        return await self._outbox.was_sent(message)

    async def receive(self, webhook: Webhook) -> WebhookAnswer:
        """Take one update in. An answer other than 200 makes MAX call again."""
        if webhook.method != "POST":
            return WebhookAnswer(405, b"POST only\n")
        if not is_secret(self._settings.secret.get_secret_value(), webhook.headers.get(_SECRET_HEADER)):
            log.warning("webhook_with_wrong_secret", line=self._line, remote=webhook.remote)
            return WebhookAnswer(401, b"wrong secret\n")
        reading = read(webhook.body, self._line, self._door.now())
        touch, files = reading.touch, reading.files
        if touch is not None and not await self._inbox.take(reading.who, touch, files):
            return WebhookAnswer(503, b"a file is missing: please call again\n")
        if reading.press is not None:
            self._answer_later(reading.press)
        return WebhookAnswer(200)

    async def close(self) -> None:
        """Let go of connections."""
        await asyncio.gather(*self._presses, return_exceptions=True)
        await self._wire.close()

    def _answer_later(self, press: str) -> None:
        """That a press was heard is a courtesy: nothing waits for it."""

        async def answer() -> None:
            try:
                await self._wire.answer_press(press)
            except ChannelError as error:
                log.info("press_not_answered", line=self._line, reason=error.reason)

        task = asyncio.create_task(answer())
        self._presses.add(task)
        task.add_done_callback(self._presses.discard)


def compose(message: Message) -> list[Part]:
    """The parts that go out one by one. Raises `Rejected`."""
    parts = [Part(each.text, each.files) for each in pack(message, MOST_TEXT, MOST_FILES)]
    parts[0] = replace(parts[0], replies_to=message.replies_to)
    parts[-1] = replace(parts[-1], buttons=message.buttons[:MOST_BUTTONS])
    return parts


def _keyboard(buttons: tuple[Button, ...]) -> Json:
    """Buttons under the message; a press brings the value back (dev.max.ru/docs-api/use-cases/keyboard)."""
    rows = [
        [{"type": "callback", "text": one.text[:128], "payload": one.value} for one in buttons[at : at + MOST_IN_ROW]]
        for at in range(0, len(buttons), MOST_IN_ROW)
    ]
    return {"type": "inline_keyboard", "payload": {"buttons": rows}}
