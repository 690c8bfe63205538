"""One community: webhooks come in, messages go out; the rest is asked elsewhere."""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Literal

import structlog

from channels.contents import Linked
from channels.contract import Door, Health
from channels.errors import BadSettings, ChannelError, Throttled
from channels.fetching import Inbox
from channels.outbox import Outbox
from channels.pace import Pace
from channels.parcels import pack, recipient_of
from channels.touch import Attachment, Button, Message, Sent, Touch, Webhook, WebhookAnswer
from channels.untrusted import load
from channels.vk.parse import SCHEME, read
from channels.vk.settings import Settings
from channels.vk.wire import WHO, Wire
from channels.webhook import check_by, is_secret, stay_known

log = structlog.get_logger(__name__)

MOST_TEXT, MOST_FILES, MOST_LABEL = 4096, 10, 40
OVERALL_S = 1.0 / 20
PER_RECIPIENT_S = 0.05
_LOOK_S = 60.0
_MOST_NAMES = 2000
_OF_MANY = 2_000_000_000
"""Talks of many are numbered from here (dev.vk.com/ru/method/messages.send, `peer_id`)."""
_HEARD = WebhookAnswer(200, b"ok")
_AGAIN = WebhookAnswer(503, b"a file is missing: please call again\n")


@dataclass(frozen=True, slots=True)
class Part:
    """One message of VK's: what is said, the files that go along, and what they are called once they are there."""

    text: str = ""
    files: tuple[Attachment, ...] = ()
    uploaded: str | None = None
    forward: str | None = None
    keyboard: str | None = None


class VkChannel:
    """A running line. See `channels.contract.Channel`. `look_s`: how often VK is asked whether it knows us."""

    def __init__(self, line: str, settings: Settings, door: Door, look_s: float = _LOOK_S) -> None:
        self._line, self._settings, self._door, self._look_s = line, settings, door, look_s
        self._wire = Wire(settings)
        self._outbox = Outbox(door.memory)
        self._pace = Pace[str](OVERALL_S, lambda _: PER_RECIPIENT_S)
        self._inbox = Inbox[Linked](door, self._outbox, self._wire.fetch, lambda wanted: wanted.name)
        self._names: OrderedDict[str, str | None] = OrderedDict()

    async def listen(self) -> None:
        """See now and then that VK is there and knows us; what comes in calls `receive`."""
        await stay_known(self._door, self._wire.greet, self._look_s)

    async def check(self) -> Health:
        """Ask VK whose token it is."""
        return await check_by(self._wire.greet)

    async def send(self, message: Message) -> Sent:
        """Hand one message over. Raises `ChannelError`; `Uncertain` if it may be out."""
        to = talk_of(message)

        async def make_ready(part: Part) -> Part:
            await self._pace.wait(to)
            names = [await self._wire.upload(to, file) for file in part.files]
            return replace(part, uploaded=",".join(names) or None)

        async def hand_over(part: Part, number: int) -> str:
            said = {
                "message": part.text or None,
                "attachment": part.uploaded,
                "forward": part.forward,
                "keyboard": part.keyboard,
            }
            try:
                return await self._wire.send(to, random_id(message.reference, number), **said)
            except Throttled as error:
                self._pace.hold_all(error.retry_after)
                raise

        async def find(number: int) -> str | None:
            return await self._wire.find(to, random_id(message.reference, number))

        return await self._outbox.send(message, compose(message), hand_over, make_ready, find)

    async def was_sent(self, message: Message) -> Sent | Literal[False] | None:
        """What our own notes say; where they say "perhaps", `send` looks into the talk before it sends again."""
        noted = await self._outbox.was_sent(message)
        return False if noted is None else noted

    async def mark_read(self, external_id: str) -> None:
        """The talk is shown as read, unless the line is set up otherwise. Raises `ChannelError`."""
        peer = external_id.partition(":")[0]
        if self._settings.read_marks and peer.isdecimal():
            await self._wire.mark_read(peer)

    async def receive(self, webhook: Webhook) -> WebhookAnswer:
        """Take one event in. Any answer but `ok` makes VK call again."""
        if webhook.method != "POST":
            return WebhookAnswer(405, b"POST only\n")
        try:
            event = load(webhook.body)
        except ValueError:
            event = None
        given = event if isinstance(event, dict) else {}
        if given.get("type") == "confirmation":
            return await self._confirm(given)
        if not is_secret(self._settings.secret.get_secret_value(), _text(given.get("secret"))):
            log.warning("webhook_with_wrong_secret", line=self._line, remote=webhook.remote)
            return WebhookAnswer(401, b"wrong secret\n")
        if given.get("group_id") not in (None, self._settings.group_id):
            log.warning("webhook_for_another_group", line=self._line, group=_text(given.get("group_id")))
            return _HEARD
        reading = read(event, self._line, self._door.now())
        if reading.receipt is not None:
            await self._door.report(reading.receipt)
        if reading.touch is None:
            return _HEARD
        whole = await self._inbox.take(str(reading.peer), reading.touch, reading.files, self._with_names)
        return _HEARD if whole else _AGAIN

    async def close(self) -> None:
        """Let go of connections."""
        await self._wire.close()

    async def _confirm(self, event: dict[str, object]) -> WebhookAnswer:
        """VK asks whether this address is ours; it says no secret then."""
        if event.get("group_id") != self._settings.group_id:
            return WebhookAnswer(404, b"another community\n")
        try:
            word = self._settings.confirmation or await self._wire.confirmation()
        except ChannelError as error:
            log.warning("confirmation_unknown", line=self._line, reason=error.reason)
            raise BadSettings(
                "the confirmation word is not known", remedy="Put the community's confirmation into the line."
            ) from error
        return WebhookAnswer(200, word.encode())

    async def _with_names(self, touch: Touch) -> Touch:
        """Events tell numbers only; who it is, VK says when asked. Without an answer the number will do."""
        party = tuple([replace(one, name=await self._name_of(one.value)) for one in touch.party])
        return replace(touch, party=party)

    async def _name_of(self, user: str) -> str | None:
        if user not in self._names and not user.startswith("-"):
            try:
                self._names[user] = await self._wire.name_of(int(user))
            except (ChannelError, KeyError, IndexError, TypeError) as error:
                log.info("name_unknown", line=self._line, reason=type(error).__name__)
                return None
            if len(self._names) > _MOST_NAMES:
                self._names.popitem(last=False)
        return self._names.get(user)


def compose(message: Message) -> list[Part]:
    """The parts that go out one by one. Raises `Rejected`."""
    parts = [Part(each.text, each.files) for each in pack(message, MOST_TEXT, MOST_FILES)]
    parts[0] = replace(parts[0], forward=_reply(message.replies_to, talk_of(message)))
    parts[-1] = replace(parts[-1], keyboard=_keyboard(message.buttons))
    return parts


def random_id(reference: str, number: int) -> int:
    """By what VK recognises a message that comes again: 31 bits of our reference, never zero."""
    found = hashlib.sha256(f"{reference}:{number}".encode()).digest()
    return int.from_bytes(found[:4]) % (2**31 - 1) + 1


def talk_of(message: Message) -> str:
    """Whom it goes to: the client, or the talk of many where he wrote last. Raises `Rejected`."""
    to = recipient_of(message, SCHEME, WHO)
    peer = (message.replies_to or "").partition(":")[0]
    return peer if peer.isdecimal() and int(peer) > _OF_MANY else to


def _reply(name: str | None, talk: str) -> str | None:
    """An answer to one message; VK takes those of the same talk only."""
    peer, _, number = (name or "").partition(":")
    if not number.isdecimal() or peer != talk:
        return None
    return json.dumps({"peer_id": int(peer), "conversation_message_ids": [int(number)], "is_reply": True})


def _keyboard(buttons: tuple[Button, ...]) -> str | None:
    """Buttons that say their label in the talk and bring their value back.

    Source: dev.vk.com/ru/api/bots/development/keyboard
    """
    if not buttons:
        return None
    rows = [
        [
            {
                "action": {
                    "type": "text",
                    "label": one.text[:MOST_LABEL],
                    "payload": json.dumps({"button": one.value}),
                }
            }
            for one in buttons[at : at + 5]
        ]
        for at in range(0, min(len(buttons), 30), 5)
    ]
    return json.dumps({"inline": True, "buttons": rows}, ensure_ascii=False)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None if value is None else str(value)[:40]
