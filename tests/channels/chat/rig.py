"""A chat line with a browser beside it, as the contract kit and the channel's own tests use it.

The rig plays the hub's part too: the log that `Talks` reads is kept here.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal

from channels.chat import Settings
from channels.chat.adapter import ChatChannel
from channels.chat.session import identity_of
from channels.contract import Channel, Door, Health
from channels.talk import Attendance, Hint, HintOf, Said, Talk
from channels.touch import Attachment, Direction, Identity, Message, Sent, Touch, Webhook, WebhookAnswer
from tests.channels.door import Crash, FakeDoor

SHOP = "https://shop.example"
CLIENT, CONVERSATION = 7, 70


@dataclass(slots=True)
class FakeTalks:
    """The log of one line, in memory."""

    said: dict[str, list[Said]] = field(default_factory=dict)
    files: dict[int, Attachment] = field(default_factory=dict)
    attending: Attendance = field(default_factory=lambda: Attendance(True))
    writing: bool = False
    fails: int = 0
    noted: list[tuple[str, bool]] = field(default_factory=list)
    typed: list[tuple[str, bool]] = field(default_factory=list)
    rings: list[Callable[[Hint], None]] = field(default_factory=list)
    asked: int = 0

    async def read(self, who: Identity) -> Talk:
        if self.fails:
            self.fails -= 1
            raise ConnectionError("the database is away")
        found = tuple(self.said.get(who.value, ()))
        if not found:
            return Talk()
        return Talk(found, self.writing, frozenset([CLIENT]), frozenset([CONVERSATION]))

    async def file(self, who: Identity, number: int) -> Attachment | None:
        return self.files.get(number)

    async def attendance(self) -> Attendance:
        self.asked += 1
        return self.attending

    async def note_presence(self, who: Identity, here: bool) -> None:
        self.noted.append((who.value, here))

    async def note_typing(self, who: Identity, on: bool) -> None:
        self.typed.append((who.value, on))

    def watch(self, ring: Callable[[Hint], None]) -> Callable[[], None]:
        self.rings.append(ring)
        return lambda: self.rings.remove(ring)

    def hint(self, hint: Hint | None = None) -> None:
        """Something has changed."""
        for ring in list(self.rings):
            ring(hint or Hint(HintOf.TALK, CLIENT, CONVERSATION))

    def add(self, session: str, direction: Direction, text: str, external_id: str, **more: Any) -> Said:
        """A row of the log."""
        number = sum(map(len, self.said.values())) + 1
        at = datetime(2026, 11, 21, 9, number % 60, tzinfo=UTC)
        state = "" if direction is Direction.INBOUND else "sent"
        said = Said(number, external_id, direction, at, text, state=state, **more)
        self.said.setdefault(session, []).append(said)
        return said


@dataclass(slots=True)
class Browser:
    """What a page of the shop sends. `token` is what it keeps."""

    channel: ChatChannel
    token: str = ""
    origin: str | None = SHOP
    remote: str = "192.0.2.10"

    @property
    def session(self) -> str:
        return self.token.partition(".")[0]

    async def post(self, path: str, told: Any, **headers: str) -> WebhookAnswer:
        """A call as the widget makes it."""
        body = told if isinstance(told, bytes) else json.dumps(told).encode()
        own = {"host": "desk.example", "user-agent": "Firefox", **({"origin": self.origin} if self.origin else {})}
        return await self.channel.receive(Webhook("POST", path, {}, own | headers, body, self.remote))

    async def ask(self, path: str, **told: Any) -> tuple[int, dict[str, Any]]:
        """A call with our token, and what is answered."""
        answer = await self.post(path, {"token": self.token, **told})
        return answer.status, json.loads(answer.body or b"{}")

    async def open(self) -> Browser:
        """Get a session."""
        status, told = await self.ask("session")
        assert status == 200
        self.token = told["token"]
        return self

    async def say(self, text: str, number: int = 0, **more: Any) -> tuple[int, dict[str, Any]]:
        """A message under an id made of a number."""
        return await self.ask("say", id=f"{number:024x}", text=text, lang="ru", **more)

    async def get(self, path: str, query: Mapping[str, str] | None = None, **headers: str) -> WebhookAnswer:
        """Something without a body."""
        return await self.channel.receive(Webhook("GET", path, query or {}, headers, b"", self.remote))


def door_with(fake: FakeDoor, talks: FakeTalks) -> Door:
    """A door behind which there is a log."""

    async def deliver(touch: Touch) -> Any:
        accepted = await before.deliver(touch)
        if not accepted.again:
            session = touch.party[0].value
            talks.add(session, Direction.INBOUND, touch.text, touch.external_id or "")
        return accepted

    before = fake.door()
    return replace(before, deliver=deliver, talks=talks, hook=lambda: "https://desk.example/hooks/site")


def open_channel(fake: FakeDoor, talks: FakeTalks, **own: Any) -> ChatChannel:
    """A line of the shop's."""
    settings = Settings.model_validate({"origins": [SHOP], **own})
    return ChatChannel("site", settings, door_with(fake, talks))


class _Watched:
    """The channel, and what the hub does with what it answers: an answer that is sent stands in the log as sent."""

    def __init__(self, rig: ChatRig, inner: ChatChannel) -> None:
        self._rig, self.inner = rig, inner
        self._flushing: asyncio.Task[None] | None = None

    async def listen(self) -> None:
        self._flushing = asyncio.create_task(self._rig.flush_into(self.inner))
        await self.inner.listen()

    async def check(self) -> Health:
        return await self.inner.check()

    async def send(self, message: Message) -> Sent:
        sent = await self.inner.send(message)
        talks, session = self._rig.talks, message.to[0].value
        if all(one.external_id != sent.external_id for one in talks.said[session]):
            talks.add(session, Direction.OUTBOUND, message.text, sent.external_id)
        return sent

    async def was_sent(self, message: Message) -> Sent | Literal[False] | None:
        return await self.inner.was_sent(message)

    async def receive(self, webhook: Webhook) -> WebhookAnswer:
        return await self.inner.receive(webhook)

    async def close(self) -> None:
        if self._flushing is not None:
            self._flushing.cancel()
            await asyncio.gather(self._flushing, return_exceptions=True)
        await self.inner.close()


class ChatRig:
    """See `tests.channels.kit.Rig`. The browser keeps what it wants to say until that is taken, as the widget does."""

    line = "site"
    exempt: Mapping[str, str] = {
        "crash before acknowledgement": "acknowledged by the answer to the call, not by memory: see test_receive",
        "was_sent": "sending is looking at the log; once more is the same message under the same id",
        "opt-out": "nothing is pushed to a visitor: he reads when he comes",
        "credentials": "there is nobody to sign in with",
        "server gone": "there is no server: browsers come to us",
    }

    def __init__(self) -> None:
        self.door = FakeDoor()
        self.talks = FakeTalks()
        self.outbox: list[tuple[int, str]] = []
        self.said: list[tuple[int, str]] = []
        self.browser: Browser | None = None
        self.refuses = False

    def channel(self, *, wrong_credentials: bool = False) -> Channel:
        return _Watched(self, open_channel(self.door, self.talks))

    async def flush_into(self, channel: ChatChannel) -> None:
        """The browser sends what it has, again and again, while the hub is there."""
        while True:
            if self.outbox:
                browser = await self._browser_at(channel)
                try:
                    status, _ = await browser.say(self.outbox[0][1], self.outbox[0][0])
                    assert status == 200
                    self.outbox.pop(0)
                except Crash:
                    return
            await asyncio.sleep(0.01)

    async def _browser_at(self, channel: ChatChannel) -> Browser:
        if self.browser is None:
            self.browser = await Browser(channel).open()
        self.browser.channel = channel
        return self.browser

    async def incoming(self, text: str) -> None:
        self.said.append((len(self.said) + 1, text))
        self.outbox.append(self.said[-1])

    async def incoming_again(self) -> None:
        self.outbox.append(self.said[-1])

    def message(self, text: str, reference: str, **more: Any) -> Message:
        visitor = "ab" * 12
        if visitor not in self.talks.said:
            self.talks.add(visitor, Direction.INBOUND, "Здравствуйте", f"{visitor}:1")
        if self.refuses:
            visitor = "cd" * 12
        return Message(reference, (identity_of(visitor),), text, datetime(2026, 11, 21, 9, tzinfo=UTC), **more)

    async def outgoing(self) -> list[str]:
        return [one.text for one in self._ours()]

    def external_ids(self) -> list[str]:
        return [one.external_id or "" for one in self._ours()]

    def _ours(self) -> list[Said]:
        return [one for talk in self.talks.said.values() for one in talk if one.direction is Direction.OUTBOUND]

    def refuse_for_now(self) -> None:
        self.talks.fails = 1

    def refuse_for_good(self) -> None:
        self.refuses = True

    def opt_out(self) -> None:
        raise NotImplementedError

    async def stop_server(self) -> None:
        raise NotImplementedError

    async def start_server(self) -> None:
        raise NotImplementedError
