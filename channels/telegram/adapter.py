"""One bot: updates come by long polling or by webhook, never both; messages go out; the rest is asked elsewhere."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any, Literal
from weakref import WeakValueDictionary

import structlog
from telegram import Bot
from telegram.error import BadRequest, TelegramError

from channels.contract import Door, Health, LineState
from channels.errors import BadSettings, ChannelError
from channels.outbox import Outbox
from channels.telegram.files import with_files
from channels.telegram.limits import Limits
from channels.telegram.outbox import Sender
from channels.telegram.parse import Ours, Reading, parse, unreadable
from channels.telegram.poll import Poll
from channels.telegram.settings import Settings
from channels.telegram.wire import ALLOWED, Requests, make_bot, make_requests, translate
from channels.touch import Message, Sent, Webhook, WebhookAnswer
from channels.untrusted import load
from channels.webhook import health_after, hook_of, is_secret

log = structlog.get_logger(__name__)

_SECRET_HEADER = "x-telegram-bot-api-secret-token"  # noqa: S105 (the header's name)
_LOOK_S = 60.0
_NO_ADDRESS = "Set company.public_url to an https address that Telegram can reach, or take `webhook = true` away."


class TelegramChannel:
    """A running bot. See `channels.contract.Channel`. `look_s`: how often Telegram is asked how our webhook does."""

    def __init__(self, line: str, settings: Settings, door: Door, look_s: float = _LOOK_S) -> None:
        self._line, self._settings, self._door, self._look_s = line, settings, door, look_s
        self._ours = Ours(line, settings.bot_id, groups=settings.groups)
        self._limits = Limits()
        self._wires: tuple[Requests, Bot] | None = None
        self._chats: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()
        self._presses: set[asyncio.Task[None]] = set()

    async def listen(self) -> None:
        """Take updates in until cancelled. Raises `ChannelError`."""
        await self._greet()
        if self._settings.webhook:
            await self._be_called()
        else:
            await self._ask()

    async def check(self) -> Health:
        """Ask Telegram who the bot is, and in webhook mode whether there is an address to be called at."""
        try:
            await self._greet()
            if self._settings.webhook:
                self._address()
        except ChannelError as error:
            return health_after(error)
        return Health(LineState.RUNNING)

    async def send(self, message: Message) -> Sent:
        """Hand one message over. Raises `ChannelError`; `Uncertain` if it may be out."""
        return await self._sender().send(message)

    async def was_sent(self, message: Message) -> Sent | Literal[False] | None:
        """What our own notes say; Telegram cannot be asked."""
        return await Outbox(self._door.memory).was_sent(message)

    async def receive(self, webhook: Webhook) -> WebhookAnswer:
        """Take one pushed update in. An answer other than 200 makes Telegram push it again."""
        if not self._settings.webhook:
            return WebhookAnswer(404, b"this line asks for its updates itself\n")
        if webhook.method != "POST":
            return WebhookAnswer(405, b"POST only\n")
        if not is_secret(self._secret(), webhook.headers.get(_SECRET_HEADER)):
            log.warning("webhook_with_wrong_signature", line=self._line, remote=webhook.remote)
            return WebhookAnswer(401, b"wrong secret\n")
        if not self._ours.username:
            await self._greet()
        try:
            update = load(webhook.body)
        except ValueError:
            update = None
        await self._take_in(webhook.body, update)
        return WebhookAnswer(200)

    async def close(self) -> None:
        """Let go of connections. The webhook stays: Telegram keeps for us what comes meanwhile."""
        for press in self._presses:
            press.cancel()
        await asyncio.gather(*self._presses, return_exceptions=True)
        if self._wires is not None:
            requests, self._wires = self._wires[0], None
            await requests.shutdown()

    async def _greet(self) -> None:
        """Who are we? Groups address the bot by its name."""
        try:
            me = await self._bot.get_me()
        except Exception as error:
            raise translate(error) from error
        self._ours = replace(self._ours, username=me.username or "")

    async def _ask(self) -> None:
        try:
            await self._bot.delete_webhook(drop_pending_updates=False)
        except TelegramError as error:
            raise translate(error) from error
        self._door.health(Health(LineState.RUNNING))
        requests, bot = self._connected()
        await Poll(bot, requests, self._door, f"offset {self._settings.bot_id}", self._take_in).run()

    async def _be_called(self) -> None:
        """Have Telegram call us, and look now and then whether it can."""
        await self._set_webhook()
        told = Health(LineState.RUNNING)
        self._door.health(told)
        while True:
            await asyncio.sleep(self._look_s)
            health = await self._look()
            if health != told:
                self._door.health(health)
                told = health

    async def _look(self) -> Health:
        try:
            info = await self._bot.get_webhook_info()
        except TelegramError as error:
            raise translate(error) from error
        if info.url != self._address():
            log.warning("webhook_was_changed", line=self._line)
            await self._set_webhook()
        if info.last_error_message and info.pending_update_count:
            reason = f"Telegram cannot hand over what it has for us: {info.last_error_message}"
            return Health(LineState.WILL_RETRY, reason, "Look whether company.public_url can be reached from outside.")
        return Health(LineState.RUNNING)

    async def _set_webhook(self) -> None:
        address = self._address()
        try:
            await self._bot.set_webhook(address, secret_token=self._secret(), allowed_updates=list(ALLOWED))
        except BadRequest as error:
            raise BadSettings(f"Telegram does not take {address}: {error.message}", remedy=_NO_ADDRESS) from error
        except TelegramError as error:
            raise translate(error) from error

    def _address(self) -> str:
        try:
            return hook_of(self._door, "Telegram")
        except BadSettings as error:
            raise BadSettings(error.reason, remedy=_NO_ADDRESS) from None

    def _secret(self) -> str:
        given = self._settings.webhook_secret
        return given.get_secret_value() if given is not None else self._door.sign(f"telegram webhook {self._line}")

    async def _take_in(self, raw: bytes, update: Any) -> None:
        """Returns once an update is committed. What one chat says is committed in its order."""
        now = self._door.now()
        if update is None:
            reading = unreadable(raw, self._ours, now, "this update is not JSON")
        else:
            reading = parse(update, raw, self._ours, now)
        if reading.chat is None:
            await self._deliver(reading)
            return
        lock = self._chats.setdefault(reading.chat, asyncio.Lock())
        async with lock:
            await self._deliver(reading)

    async def _deliver(self, reading: Reading) -> None:
        touch = await with_files(self._bot, reading)
        if touch is not None:
            await self._door.deliver(await Outbox(self._door.memory).refer(touch))
        if reading.press is not None:
            task = asyncio.create_task(self._answer_press(reading.press))
            self._presses.add(task)
            task.add_done_callback(self._presses.discard)

    async def _answer_press(self, press: str) -> None:
        """So that the button stops turning. Nothing depends on it, and an old one cannot be answered any more."""
        try:
            await self._bot.answer_callback_query(press)
        except TelegramError as error:
            log.info("press_not_answered", line=self._line, error=type(error).__name__)

    def _connected(self) -> tuple[Requests, Bot]:
        """Made when first needed: a pool of connections belongs to the loop that uses it."""
        if self._wires is None:
            requests = make_requests(self._settings)
            self._wires = requests, make_bot(self._settings, requests)
        return self._wires

    @property
    def _bot(self) -> Bot:
        return self._connected()[1]

    def _sender(self) -> Sender:
        return Sender(self._bot, self._door.memory, self._limits)
