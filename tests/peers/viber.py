"""A Viber of our own, over real HTTP: account, webhook, messages; it calls the webhook with real signatures.

Written from Viber's pages (developers.viber.com/docs/api/rest-bot-api): every answer is 200 with a status inside, a
webhook is tried at once when it is set, media are fetched from the addresses that it is given. In the test's own loop.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientSession, web

from channels.touch import Webhook
from channels.webhook import sign_body
from tests.peers.site import Site, call, hang_up

TOKEN = "445da6az1s345z78-dazcczb2542zv51a-e0vc5fva17480im9"
IVAN: dict[str, Any] = {
    "id": "01234567890A=",
    "name": "Иван Петров",
    "avatar": "https://media-direct.cdn.viber.com/pg_download?id=ivan",
    "country": "UA",
    "language": "uk-UA",
    "api_version": 10,
}
MOST_TEXT, MOST_NAME = 7000, 28

Json = dict[str, Any]


@dataclass(slots=True)
class Viber(Site):
    """`async with Viber() as viber:`. `refusals`: (status, message) for the next messages, None for a bare 500.

    `vanish`: hang up on taking; `silent`: take and say nothing. `strangers` are not subscribed. `fetched` is what it
    got from our addresses.
    """

    webhook: str = ""
    taken: list[Json] = field(default_factory=list)
    fetched: list[tuple[str, bytes]] = field(default_factory=list)
    media: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    media_refusals: list[int] = field(default_factory=list)
    refusals: list[tuple[int, str] | None] = field(default_factory=list)
    strangers: set[str] = field(default_factory=set)
    vanish: int = 0
    silent: bool = False
    tries_webhooks: bool = True
    answers: list[tuple[int, bytes]] = field(default_factory=list)
    _numbers: Any = field(default_factory=lambda: itertools.count(4912661846655238145, 17))

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/pa"

    def _open(self, app: web.Application) -> None:
        app.router.add_post("/pa/{method}", self._answer)
        app.router.add_get("/media/{name}", self._media)

    # what happens in the outside world

    def event(self, kind: str, **more: Any) -> Json:
        """A callback that nobody has been told of yet."""
        now = int(time.time() * 1000)
        return {"event": kind, "timestamp": now, "message_token": next(self._numbers), **more}

    def said(self, text: str = "", **more: Any) -> Json:
        """A client writes; the callback."""
        return self.event("message", sender=IVAN, message={"type": "text", "text": text, **more}, silent=False)

    def keep_media(self, name: str, data: bytes, media_type: str = "image/jpeg") -> str:
        """A file that a client has sent; its address."""
        self.media[name] = (media_type, data)
        return f"http://127.0.0.1:{self.port}/media/{name}"

    def texts(self) -> list[str]:
        """What has reached clients, in order."""
        return [str(one.get("text", "")) for one in self.taken]

    def refuse(self, status: int, message: str) -> None:
        """Answer the next message so."""
        self.refusals.append((status, message))

    def push(self, event: Json) -> None:
        """Call the webhook until it answers 200."""
        raw = json.dumps(event).encode()
        self.insist(lambda: self._call(raw))

    async def _call(self, body: bytes) -> bool:
        status, answer = await call(self.webhook, body, signed(body))
        self.answers += [(status, answer)] if status else []
        return status == 200

    # HTTP

    async def _answer(self, request: web.Request) -> web.Response:
        said, method = await request.json(), request.match_info["method"]
        if request.headers.get("X-Viber-Auth-Token") != TOKEN:
            return _status(2, "invalidAuthToken")
        if method == "get_account_info":
            return _status(0, "ok", id="pa:75346594275468546724", name="Touchline", webhook=self.webhook)
        if method == "set_webhook":
            return await self._set_webhook(said)
        if method == "send_message":
            return await self._send(request, said)
        return _status(3, "badData")

    async def _set_webhook(self, said: Json) -> web.Response:
        before, self.webhook = self.webhook, said["url"]
        if self.tries_webhooks and not await self._call(json.dumps(self.event("webhook")).encode()):
            self.webhook = before
            return _status(1, "Result: Error. Failed to set webhook.")
        return _status(0, "ok", event_types=said["event_types"])

    async def _send(self, request: web.Request, said: Json) -> web.Response:
        if self.refusals:
            refusal = self.refusals.pop(0)
            return _status(*refusal) if refusal else web.Response(status=500, text="<html>")
        if said.get("receiver") in self.strangers:
            return _status(6, "notSubscribed")
        if wrong := _wrong(said):
            return _status(3, f"badData: {wrong}")
        if "media" in said:
            async with ClientSession() as http, http.get(said["media"]) as answer:
                if answer.status != 200:
                    return _status(3, "badData: media")
                self.fetched.append((answer.content_type, await answer.read()))
        self.taken.append({**said, "token": str(next(self._numbers))})
        if self.silent:
            await asyncio.sleep(30)
        if self.vanish:
            self.vanish -= 1
            hang_up(request)
        return _status(0, "ok", message_token=int(self.taken[-1]["token"]), billing_status=1)

    async def _media(self, request: web.Request) -> web.Response:
        if self.media_refusals:
            return web.Response(status=self.media_refusals.pop(0))
        media_type, data = self.media[request.match_info["name"]]
        return web.Response(body=data, content_type=media_type)


def signed(body: bytes) -> dict[str, str]:
    """The headers of a callback."""
    return {"X-Viber-Content-Signature": sign_body(body, TOKEN), "Content-Type": "application/json"}


def webhook(event: Any) -> Webhook:
    """The signed call that brings an event."""
    raw = event if isinstance(event, bytes) else json.dumps(event).encode()
    headers = {name.lower(): value for name, value in signed(raw).items()}
    return Webhook("POST", "", {}, headers, raw, "203.0.113.5")


def _wrong(said: Json) -> str:
    """What Viber's pages say is wrong with a message."""
    name = (said.get("sender") or {}).get("name", "")
    if not said.get("receiver") or not 1 <= len(name) <= MOST_NAME:
        return "receiver or sender"
    if said["type"] == "text" and not 1 <= len(said.get("text", "")) <= MOST_TEXT:
        return "text"
    if said["type"] == "picture" and ("media" not in said or len(said["text"]) > 120):
        return "picture"
    if said["type"] == "video" and not ("media" in said and said.get("size")):
        return "video"
    if said["type"] == "file" and not ("media" in said and said.get("size") and 1 <= len(said["file_name"]) <= 256):
        return "file"
    return ""


def _status(status: int, message: str, **more: Any) -> web.Response:
    return web.json_response({"status": status, "status_message": message, "chat_hostname": "SN-CHAT-05_", **more})
