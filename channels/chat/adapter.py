"""One website chat: what browsers send comes in by webhook, what we say they read from the log by a stream."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Literal
from urllib.parse import quote

import structlog

from channels.chat.guard import MOST_BODY, Guard
from channels.chat.lobby import Lobby
from channels.chat.parse import MOST_FILES, check, envelop, read, read_body, read_files, text_of
from channels.chat.refusal import Refusal, tell
from channels.chat.script import Script
from channels.chat.session import SCHEME, Sessions, identity_of
from channels.chat.settings import Settings
from channels.chat.spam import Spam
from channels.chat.stream import Stream
from channels.chat.view import attendance_piece, reads, talk_piece
from channels.contract import Door, Health, LineState
from channels.errors import Rejected, Unreachable
from channels.throttle import network_of
from channels.touch import Direction, Message, Receipt, ReceiptState, Sent, Webhook, WebhookAnswer

log = structlog.get_logger(__name__)

Handler = Callable[[dict[str, Any], Webhook], Awaitable[WebhookAnswer]]
_DAY_S = 86_400


class ChatChannel:
    """See `channels.contract.Channel`. Any process may hold one: nothing but open streams lives here."""

    def __init__(self, line: str, settings: Settings, door: Door) -> None:
        self._line, self._settings, self._door = line, settings, door
        self._sessions = Sessions(line, door.sign, timedelta(days=settings.remember_days))
        self._guard = Guard(settings)
        self._spam = Spam(settings.most_links)
        self._lobby = Lobby(door.talks)
        self._script: tuple[tuple[str, ...], Script] | None = None
        self._handlers: Mapping[str, Handler] = {
            "session": self._open,
            "say": self._say,
            "seen": self._see,
            "typing": self._type,
            "talk": self._tell,
            "follow": self._follow,
        }

    async def listen(self) -> None:
        """Browsers come to us: there is nothing to connect to."""
        self._door.health(Health(LineState.RUNNING))
        await asyncio.Event().wait()

    async def check(self) -> Health:
        """What can be said without a browser."""
        return Health(LineState.RUNNING)

    async def send(self, message: Message) -> Sent:
        """The message is in the log, and that is where the visitor's stream reads it: it is out once this is known.

        Raises `Rejected` for somebody who was never here.
        """
        who = next((one for one in message.to if one.scheme == SCHEME), None)
        if who is None:
            raise Rejected("a chat reaches only who has written in it", remedy="write to him by another line")
        if not (message.text.strip() or message.attachments):
            raise Rejected("the message is empty")
        try:
            talk = await self._door.talks.read(identity_of(who.value))
        except Exception as error:
            raise Unreachable(f"the talk cannot be read: {type(error).__name__}") from error
        if not talk.messages:
            raise Rejected("this visitor has never written on this line", remedy="write to him by another line")
        return Sent(f"{who.value}/{message.reference}")

    async def was_sent(self, message: Message) -> Sent | Literal[False] | None:
        """Sending is only looking at the log: once more changes nothing."""
        return False

    async def close(self) -> None:
        """Browsers notice that their streams end, and come back to whoever serves the line then."""
        await self._lobby.close()

    async def receive(self, webhook: Webhook) -> WebhookAnswer:
        """What the widget asks for. Everything said is committed before it is answered."""
        cors: Mapping[str, str] = {}
        try:
            if webhook.method in {"GET", "HEAD"}:
                return await self._give(webhook)
            cors = self._guard.check_origin(webhook, self._door.hook())
            answer = await self._do(webhook)
        except Refusal as refusal:
            if refusal.status == 429:
                log.info("visitor_throttled", line=self._line, remote=webhook.remote)
            answer = refusal.answer()
        return replace(answer, headers={**answer.headers, **cors})

    async def _do(self, webhook: Webhook) -> WebhookAnswer:
        if webhook.method == "OPTIONS":
            allowed = {"Access-Control-Allow-Methods": "POST", "Access-Control-Allow-Headers": "Content-Type"}
            return WebhookAnswer(204, headers={**allowed, "Access-Control-Max-Age": str(_DAY_S)})
        handler = self._handlers.get(webhook.path)
        if handler is None:
            raise Refusal(404, "not_found", "there is nothing here")
        if webhook.method != "POST":
            raise Refusal(405, "method_not_allowed", "POST only")
        if len(webhook.body) > self._most_bytes(webhook.path):
            raise Refusal(413, "too_large", "this is too much at once", "send less, or smaller files")
        return await handler(read_body(webhook.body), webhook)

    def _most_bytes(self, path: str) -> int:
        """Files come as base64, a third larger than they are."""
        if path != "say" or not self._settings.files:
            return MOST_BODY
        return MOST_BODY + self._settings.max_file_bytes * MOST_FILES * 4 // 3

    async def _give(self, webhook: Webhook) -> WebhookAnswer:
        """The script, or a file of a talk to whoever has its key."""
        if webhook.path == "script.js":
            languages = self._door.languages()
            if self._script is None or self._script[0] != languages:
                self._script = languages, Script(self._line, self._settings, languages)
            return self._script[1].answer(webhook)
        number, session = webhook.path.removeprefix("file/"), webhook.query.get("of", "")
        if not (number.isascii() and number.isdecimal() and len(number) < 19):
            raise Refusal(404, "not_found", "there is nothing here")
        if not self._sessions.opens(session, int(number), webhook.query.get("key", "")):
            raise Refusal(403, "wrong_key", "this address opens nothing")
        found = await self._door.talks.file(identity_of(session), int(number))
        if found is None:
            raise Refusal(404, "not_found", "this file is gone")
        return file_answer(found.name, found.data)

    async def _open(self, told: dict[str, Any], webhook: Webhook) -> WebhookAnswer:
        """A session for a browser without one, or a fresh token for one it has; and whether anybody is there."""
        now = self._door.now()
        self._guard.may_ask(webhook, now.timestamp())
        token = told.get("token")
        session = self._sessions.read(token, now)
        if session is None:
            session, token = self._sessions.open(now)
        else:
            token = self._sessions.renew(str(token), session, now)
        return tell({"token": token, **attendance_piece(await self._lobby.attendance())})

    async def _say(self, told: dict[str, Any], webhook: Webhook) -> WebhookAnswer:
        """One message: committed, then answered. The same id once more is the same message."""
        session, now = self._session_of(told), self._door.now()
        self._guard.may_say(webhook, session, now.timestamp())
        region = self._door.default_region()
        check(told, self._settings, region)
        files = await asyncio.to_thread(read_files, told, self._settings) if told.get("files") else ()
        agent = webhook.headers.get("user-agent", "")
        suspicion = await self._suspicion(told, session)
        raw = envelop(told, session, now, self._settings, webhook.remote, agent, suspicion)
        accepted = await self._door.deliver(read(raw, self._line, region, files))
        self._lobby.wake(session)
        return tell({"id": accepted.interaction, "ref": told["id"], "again": accepted.again})

    async def _suspicion(self, told: dict[str, Any], session: str) -> str | None:
        """Why it looks like a robot's message; whom we have answered already is none."""
        now, text = self._door.now(), text_of(told, "text", self._settings.longest_text)
        age_s = self._sessions.age(str(told["token"]), now)
        found = self._spam.suspect(told, text, age_s, now.timestamp())
        if found is None:
            return None
        talk = await self._door.talks.read(identity_of(session))
        if any(one.direction is Direction.OUTBOUND for one in talk.messages):
            return None
        log.info("message_looks_like_spam", line=self._line, why=found)
        return found

    async def _see(self, told: dict[str, Any], webhook: Webhook) -> WebhookAnswer:
        """What of ours has reached the browser, and what was looked at there."""
        session, now = self._session_of(told), self._door.now()
        self._guard.may_ask(webhook, now.timestamp())
        talk = await self._door.talks.read(identity_of(session))
        for external_id, state in reads(talk, told.get("delivered"), told.get("read")):
            await self._door.report(Receipt(self._line, external_id, ReceiptState(state), now))
        return tell({})

    async def _type(self, told: dict[str, Any], webhook: Webhook) -> WebhookAnswer:
        """He is typing, or has stopped: a courtesy to whoever will answer."""
        session = self._session_of(told)
        self._guard.may_ask(webhook, self._door.now().timestamp())
        await self._door.talks.note_typing(identity_of(session), told.get("on") is True)
        return tell({})

    async def _tell(self, told: dict[str, Any], webhook: Webhook) -> WebhookAnswer:
        """The talk as it is, for browsers behind something that keeps streams back."""
        session = self._session_of(told)
        self._guard.may_ask(webhook, self._door.now().timestamp())
        talk = await self._door.talks.read(identity_of(session))
        piece = talk_piece(talk.messages, talk.writing, session, self._sessions)
        return tell({"talk": piece, "attendance": attendance_piece(await self._lobby.attendance())})

    async def _follow(self, told: dict[str, Any], webhook: Webhook) -> WebhookAnswer:
        """The talk as it is, and everything new as it comes."""
        session = self._session_of(told)
        self._guard.may_ask(webhook, self._door.now().timestamp())
        self._guard.may_follow(webhook, session, self._lobby)
        stream = Stream(session, network_of(webhook.remote), self._lobby, self._door.talks, self._sessions)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return WebhookAnswer(200, b": welcome\n\n", "text/event-stream", headers, stream.pieces())

    def _session_of(self, told: Mapping[str, Any]) -> str:
        session = self._sessions.read(told.get("token"), self._door.now())
        if session is None:
            raise Refusal(401, "no_session", "this session is unknown or too old", "open a new one")
        return session


def file_answer(name: str, data: bytes) -> WebhookAnswer:
    """A file to keep, never to look at inside a page: whatever a client has sent must not run at our address."""
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Cache-Control": "private, no-store",
    }
    return WebhookAnswer(200, data, "application/octet-stream", headers)
