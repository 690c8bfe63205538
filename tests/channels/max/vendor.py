"""MAX, as far as its documented API goes: knows a bot, keeps its subscriptions, takes messages and files.

Sources: dev.max.ru/docs-api/methods (GET /me, /subscriptions, POST /messages, /uploads, /answers); the updates are the
files in `payloads`, each with the page it comes from.
"""

from __future__ import annotations

import copy
import itertools
import json
import time
from pathlib import Path
from typing import Any

from aiohttp import web

from channels.touch import Webhook
from tests.peers.site import Site

TOKEN, SECRET = "token-of-the-tests", "secret-of-the-tests"
CLIENT = 10001
PAYLOADS = Path(__file__).parent / "payloads"


def payload(name: str) -> dict[str, Any]:
    """One documented update."""
    found: dict[str, Any] = json.loads((PAYLOADS / f"{name}.json").read_text(encoding="utf-8"))["update"]
    return found


def call(update: Any, secret: str | None = SECRET) -> Webhook:
    """The call that brings an update."""
    body = update if isinstance(update, bytes) else json.dumps(update, ensure_ascii=False).encode()
    headers = {"x-max-bot-api-secret": secret} if secret is not None else {}
    return Webhook("POST", "", {}, headers, body, "203.0.113.5")


class Vendor(Site):
    """`async with Vendor() as vendor:` then `vendor.base_url`. `refusals`: (status, code, message) for what is sent.

    `not_ready`: so many messages with files come too early. `loses`: so many are taken, but the answer breaks off.
    """

    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []
        self.uploads: list[tuple[str, str, bytes]] = []
        self.files: dict[str, bytes] = {}
        self.subscriptions: list[dict[str, Any]] = []
        self.answered: list[str] = []
        self.refusals: list[tuple[int, str, str]] = []
        self.takes_subscriptions = True
        self.not_ready = 0
        self.loses = 0
        self._numbers = itertools.count(1)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _open(self, app: web.Application) -> None:
        app.middlewares.append(_only_with_the_token)
        app.router.add_get("/me", self._me)
        app.router.add_get("/subscriptions", self._list_subscriptions)
        app.router.add_post("/subscriptions", self._subscribe)
        app.router.add_post("/messages", self._message)
        app.router.add_post("/answers", self._answer)
        app.router.add_post("/uploads", self._place)
        app.router.add_post("/put/{kind}", self._put)
        app.router.add_get("/files/{name}", self._file)

    def message(self, text: str, **body: Any) -> dict[str, Any]:
        """An update: a client writes, now."""
        update = copy.deepcopy(payload("message_created"))
        now = int(time.time() * 1000)
        update["timestamp"] = update["message"]["timestamp"] = now
        update["message"]["body"] |= {"mid": f"mid.in-{next(self._numbers)}", "text": text, **body}
        return update

    async def _me(self, request: web.Request) -> web.Response:
        return web.json_response({"user_id": 10002, "first_name": "Чайники", "is_bot": True})

    async def _list_subscriptions(self, request: web.Request) -> web.Response:
        told = [{key: one[key] for key in ("url", "update_types")} for one in self.subscriptions]
        return web.json_response({"subscriptions": told})

    async def _subscribe(self, request: web.Request) -> web.Response:
        if not self.takes_subscriptions:
            return web.json_response({"success": False, "message": "Invalid URL"})
        asked = await request.json()
        self.subscriptions = [*(one for one in self.subscriptions if one["url"] != asked["url"]), asked]
        return web.json_response({"success": True})

    async def _message(self, request: web.Request) -> web.Response:
        if self.refusals:
            status, code, words = self.refusals.pop(0)
            return web.json_response({"code": code, "message": words}, status=status)
        said = await request.json()
        if said.get("attachments") and self.not_ready:
            self.not_ready -= 1
            return web.json_response({"code": "attachment.not.ready", "message": ""}, status=400)
        mid = f"mid.out-{next(self._numbers)}"
        self.taken.append({**said, "mid": mid, "user_id": request.query["user_id"]})
        if self.loses:
            self.loses -= 1
            assert request.transport is not None
            request.transport.close()
        return web.json_response({"message": {"body": {"mid": mid, "seq": 1, "text": said.get("text")}}})

    async def _answer(self, request: web.Request) -> web.Response:
        self.answered.append(request.query["callback_id"])
        return web.json_response({"success": True})

    async def _place(self, request: web.Request) -> web.Response:
        return web.json_response({"url": f"{self.base_url}/put/{request.query['type']}"})

    async def _put(self, request: web.Request) -> web.Response:
        kind = request.match_info["kind"]
        file = (await request.post())["data"]
        assert isinstance(file, web.FileField)
        self.uploads.append((kind, file.filename, file.file.read()))
        token = {"token": f"token-{len(self.uploads)}"}
        return web.json_response({"photos": {"1": token}} if kind == "image" else token)

    async def _file(self, request: web.Request) -> web.Response:
        found = self.files.get(request.match_info["name"])
        return web.Response(body=found) if found is not None else web.Response(status=503)


@web.middleware
async def _only_with_the_token(request: web.Request, handler: Any) -> web.StreamResponse:
    open_to_all = request.path.startswith(("/put/", "/files/"))
    if not open_to_all and request.headers.get("Authorization") != TOKEN:
        return web.json_response({"code": "verify.token", "message": "Invalid access_token"}, status=401)
    answer: web.StreamResponse = await handler(request)
    return answer
