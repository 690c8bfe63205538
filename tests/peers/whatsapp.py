"""A Graph API of our own, over real HTTP: messages, media in two steps, refusals by Meta's numbers, signed webhooks.

Written from Meta's pages (developers.facebook.com/documentation/business-messaging/whatsapp): requests are checked as
far as the documentation says what is wrong with them. It runs in the test's own loop.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import json
import time
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.web_request import FileField

from channels.touch import Webhook
from channels.webhook import sign_body
from tests.peers.site import Site, call, hang_up

TOKEN, SECRET, VERIFY_TOKEN = "EAAJB-token-of-the-tests", "app-secret-of-the-tests", "verify-token-of-the-tests"
NUMBER_ID, OUR_NUMBER, CLIENT = "106540352242922", "48501234567", "79161234567"
IVAN: dict[str, Any] = {"profile": {"name": "Иван Петров"}, "wa_id": CLIENT}
MOST_BODY = 101 * 1024 * 1024
MOST_TEXT, MOST_CAPTION, MOST_BUTTON_BODY = 4096, 1024, 1024

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Taken:
    """One message that was accepted."""

    id: str
    to: str
    kind: str
    said: Json

    @property
    def text(self) -> str:
        """What the client reads."""
        content = self.said[self.kind]
        body = content.get("body")
        return str(body["text"] if isinstance(body, dict) else body or content.get("caption") or "")


@dataclass(slots=True)
class GraphApi(Site):
    """`async with GraphApi() as api:`. `refusals`: (status, error) for the next ones; `vanish`: hang up on taking.

    `silent`: take messages and say nothing. `closed` are clients to whom free text may not be sent any more, `stopped`
    those who want no marketing.
    """

    taken: list[Taken] = field(default_factory=list)
    uploads: dict[str, tuple[str, str, bytes]] = field(default_factory=dict)
    media: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    refusals: list[tuple[int, Any]] = field(default_factory=list)
    media_refusals: list[int] = field(default_factory=list)
    closed: set[str] = field(default_factory=set)
    stopped: set[str] = field(default_factory=set)
    vanish: int = 0
    silent: bool = False
    read: list[str] = field(default_factory=list)
    hook: str = ""
    most_body: int = MOST_BODY
    statuses: list[int] = field(default_factory=list)
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v25.0"

    def _open(self, app: web.Application) -> None:
        app.router.add_post("/v25.0/{number}/messages", self._message)
        app.router.add_post("/v25.0/{number}/media", self._upload)
        app.router.add_get("/v25.0/{node}", self._node)
        app.router.add_get("/lookaside/{media}", self._download)

    # what happens in the outside world

    def message(self, kind: str = "text", **more: Any) -> Json:
        """A message that nobody has been told of yet."""
        number = f"wamid.HBgLIN{next(self._numbers):06d}"
        return {"from": CLIENT, "id": number, "timestamp": str(int(time.time())), "type": kind, **more}

    def said(self, text: str, **more: Any) -> Json:
        """A client writes; the webhook's body."""
        return self.body(messages=[self.message(text={"body": text}, **more)])

    def body(self, *, contacts: Any = (IVAN,), number: str = NUMBER_ID, **value: Any) -> Json:
        """A webhook's body around messages or statuses."""
        metadata = {"display_phone_number": OUR_NUMBER, "phone_number_id": number}
        inner = {"messaging_product": "whatsapp", "metadata": metadata, "contacts": list(contacts), **value}
        changes = [{"field": "messages", "value": inner}]
        return {"object": "whatsapp_business_account", "entry": [{"id": "102290129340398", "changes": changes}]}

    def status(self, taken: Taken, state: str, **more: Any) -> Json:
        """What becomes of a message of ours; the webhook's body."""
        one = {"id": taken.id, "status": state, "timestamp": str(int(time.time())), "recipient_id": taken.to, **more}
        return self.body(contacts=(), statuses=[one])

    def keep_media(self, data: bytes, media_type: str = "image/jpeg") -> str:
        """A file that a client has sent; its id."""
        number = f"10033834213{next(self._numbers):05d}"
        self.media[number] = (media_type, data)
        return number

    def texts(self) -> list[str]:
        """What has reached clients, in order."""
        return [one.text for one in self.taken]

    def refuse(self, code: int, title: str = "Refused", *, status: int = 400, **more: Any) -> None:
        """Answer the next message with an error of Meta's."""
        error = {"message": f"(#{code}) {title}", "type": "OAuthException", "code": code, "fbtrace_id": "A1", **more}
        self.refusals.append((status, {"error": error}))

    def push(self, body: Json) -> None:
        """Call `hook` until it answers 200."""
        raw = json.dumps(body).encode()
        self.insist(lambda: self._call(raw))

    async def _call(self, body: bytes) -> bool:
        status, _ = await call(self.hook, body, signed(body))
        self.statuses += [status] if status else []
        return status == 200

    # HTTP

    def _fault(self, request: web.Request, number: str | None = None) -> web.Response | None:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return _error(401, 190, "Invalid OAuth access token - Cannot parse access token")
        if number is not None and number != NUMBER_ID:
            return _error(400, 100, "Unsupported request. Object with this ID does not exist")
        return None

    async def _node(self, request: web.Request) -> web.Response:
        node = request.match_info["node"]
        if fault := self._fault(request):
            return fault
        if node in self.media:
            media_type, data = self.media[node]
            url = f"http://127.0.0.1:{self.port}/lookaside/{node}"
            known = {"mime_type": media_type, "sha256": hashlib.sha256(data).hexdigest(), "file_size": len(data)}
            return web.json_response({"url": url, **known, "id": node, "messaging_product": "whatsapp"})
        if fault := self._fault(request, node):
            return fault
        shown = {"display_phone_number": "+48 50 123 45 67", "verified_name": "Touchline", "quality_rating": "GREEN"}
        return web.json_response({**shown, "id": node})

    async def _download(self, request: web.Request) -> web.Response:
        if fault := self._fault(request):
            return fault
        if self.media_refusals:
            return web.Response(status=self.media_refusals.pop(0))
        media_type, data = self.media[request.match_info["media"]]
        return web.Response(body=data, content_type=media_type)

    async def _upload(self, request: web.Request) -> web.Response:
        if fault := self._fault(request, request.match_info["number"]):
            return fault
        form = await request.post()
        file = form["file"]
        if form.get("messaging_product") != "whatsapp" or not isinstance(file, FileField) or not form.get("type"):
            return _error(400, 100, "(#100) Invalid parameter")
        number = f"44{next(self._numbers):08d}"
        self.uploads[number] = (file.filename, str(form["type"]), file.file.read())
        return web.json_response({"id": number})

    async def _message(self, request: web.Request) -> web.Response:
        said = await request.json()
        if said.get("status") == "read":
            return self._read_mark(request, said)
        refused = self._fault(request, request.match_info["number"]) or self._refusal() or self._wrong(said)
        if refused is not None:
            return refused
        to = str(said.get("to") or said["recipient"]).removeprefix("+")
        self.taken.append(Taken(f"wamid.HBgLOUT{len(self.taken) + 1:06d}", to, said["type"], said))
        if self.silent:
            await asyncio.sleep(30)
        if self.vanish:
            self.vanish -= 1
            hang_up(request)
        messages = [{"id": self.taken[-1].id}]
        contacts = [{"input": to, "wa_id": to}]
        return web.json_response({"messaging_product": "whatsapp", "contacts": contacts, "messages": messages})

    def _read_mark(self, request: web.Request, said: Json) -> web.Response:
        if fault := self._fault(request, request.match_info["number"]) or self._refusal():
            return fault
        if said.get("messaging_product") != "whatsapp" or not str(said.get("message_id")).startswith("wamid."):
            return _error(400, 131009, "(#131009) Parameter value is not valid")
        self.read.append(said["message_id"])
        return web.json_response({"success": True})

    def _refusal(self) -> web.Response | None:
        if not self.refusals:
            return None
        status, error = self.refusals.pop(0)
        return web.json_response(error, status=status) if error is not None else web.Response(status=status)

    def _wrong(self, said: Json) -> web.Response | None:
        """What Meta's pages say is wrong with a message."""
        to, kind = str(said.get("to") or said.get("recipient") or "").removeprefix("+"), said.get("type")
        content = said.get(str(kind))
        if said.get("messaging_product") != "whatsapp" or not to or not isinstance(content, dict):
            return _error(400, 100, "(#100) Invalid parameter")
        if to in self.stopped:
            return _error(400, 131050, "(#131050) User has stopped marketing messages")
        if to in self.closed and kind != "template":
            return _error(400, 131047, "(#131047) Re-engagement message")
        if kind == "text" and not 1 <= len(content["body"]) <= MOST_TEXT:
            return _error(400, 100, "(#100) Param text['body'] must be at most 4096 characters long.")
        if len(content.get("caption", "")) > MOST_CAPTION:
            return _error(400, 100, "(#100) Param caption must be at most 1024 characters long.")
        if kind in ("image", "video", "audio", "document") and content.get("id") not in self.uploads:
            return _error(400, 131053, "(#131053) Media upload error")
        if kind == "interactive":
            return _wrong_choices(content)
        return self._wrong_header(content) if kind == "template" else None

    def _wrong_header(self, template: Json) -> web.Response | None:
        headers = (one for one in template.get("components", ()) if one["type"] == "header")
        for one in (parameter for header in headers for parameter in header["parameters"]):
            if one[one["type"]].get("id") not in self.uploads:
                return _error(400, 132012, "(#132012) Parameter format does not match format in the created template")
        return None


def signed(body: bytes) -> dict[str, str]:
    """The headers of a webhook's call."""
    return {"X-Hub-Signature-256": f"sha256={sign_body(body, SECRET)}", "Content-Type": "application/json"}


def webhook(body: Any) -> Webhook:
    """The signed call that brings a body."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {name.lower(): value for name, value in signed(raw).items()}
    return Webhook("POST", "", {}, headers, raw, "203.0.113.5")


def _wrong_choices(content: Json) -> web.Response | None:
    action = content["action"]
    replies = action.get("buttons", ())
    rows = [row for section in action.get("sections", ()) for row in section["rows"]]
    fits = (
        len(content["body"]["text"]) <= MOST_BUTTON_BODY
        and len(replies) <= 3
        and all(len(one["reply"]["title"]) <= 20 for one in replies)
        and len(rows) <= 10
        and all(len(row["title"]) <= 24 and len(row.get("description", "")) <= 72 for row in rows)
        and bool(replies) != bool(rows)
    )
    return None if fits else _error(400, 131009, "(#131009) Parameter value is not valid")


def _error(status: int, code: int, message: str) -> web.Response:
    error = {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "AXz"}
    return web.json_response({"error": error}, status=status)
