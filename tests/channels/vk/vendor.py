"""VK, as far as its documented API goes: knows a community's key, takes messages and files, tells what was said.

Sources: dev.vk.com/ru/method/messages.send, messages.getHistory, users.get, groups.getById, photos.saveMessagesPhoto,
docs.save, dev.vk.com/ru/reference/errors; the events are the files in `payloads`, each with the page it comes from.
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

TOKEN, SECRET, GROUP = "token-of-the-tests", "secret-of-the-tests", 214167102
CLIENT = 612444319
PAYLOADS = Path(__file__).parent / "payloads"


def payload(name: str) -> dict[str, Any]:
    """One documented event, with the secret that the community agreed on."""
    event: dict[str, Any] = json.loads((PAYLOADS / f"{name}.json").read_text(encoding="utf-8"))["event"]
    return {**event, "secret": SECRET}


def call(event: Any, **headers: str) -> Webhook:
    """The call that brings an event."""
    body = event if isinstance(event, bytes) else json.dumps(event, ensure_ascii=False).encode()
    return Webhook("POST", "", {}, {"content-type": "application/json", **headers}, body, "203.0.113.5")


class Vendor(Site):
    """`async with Vendor() as vendor:` then `vendor.base_url`. `refusals` and `loses` are for the next messages.

    A number refuses with that error; `loses`: so many messages are taken, but the answer breaks off.
    """

    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []
        self.uploads: list[tuple[str, str, bytes]] = []
        self.files: dict[str, bytes] = {}
        self.refusals: list[int] = []
        self.loses = 0
        self.read: list[str] = []
        self.asked: list[str] = []
        self._numbers = itertools.count(100)

    @property
    def base_url(self) -> str:
        return self.address("method")

    def _open(self, app: web.Application) -> None:
        app.router.add_post("/method/{name}", self._method)
        app.router.add_post("/upload/{field}", self._upload)
        app.router.add_get("/files/{name}", self._file)

    def message(self, text: str, **more: Any) -> dict[str, Any]:
        """An event: a client writes, now."""
        event = copy.deepcopy(payload("message_new"))
        message = event["object"]["message"]
        number = next(self._numbers)
        message |= {"text": text, "conversation_message_id": number, "id": 1000 + number, "date": int(time.time())}
        message |= more
        return {**event, "event_id": f"event-{number}"}

    async def _method(self, request: web.Request) -> web.StreamResponse:
        told = dict(await request.post())
        name = request.match_info["name"]
        self.asked.append(name)
        if told.get("access_token") != TOKEN:
            return _error(5, "User authorization failed: invalid access_token.")
        answer = getattr(self, "_" + name.replace(".", "_"))(told)
        if self.loses and name == "messages.send":
            self.loses -= 1
            assert request.transport is not None
            request.transport.close()
        return answer if isinstance(answer, web.Response) else web.json_response({"response": answer})

    def _groups_getById(self, told: dict[str, Any]) -> Any:  # noqa: N802
        return {"groups": [{"id": GROUP, "name": "Чайники", "screen_name": "kettles"}], "profiles": []}

    def _groups_getCallbackConfirmationCode(self, told: dict[str, Any]) -> Any:  # noqa: N802
        return {"code": "a1b2c3d4"}

    def _users_get(self, told: dict[str, Any]) -> Any:
        return [{"id": int(told["user_ids"]), "first_name": "Иван", "last_name": "Петров"}]

    def _messages_send(self, told: dict[str, Any]) -> Any:
        if self.refusals:
            return _error(self.refusals.pop(0), "refused")
        peer, said_before = int(told["peer_ids"]), [one for one in self.taken if one["random_id"] == told["random_id"]]
        if not said_before:
            self.taken.append({**told, "conversation_message_id": next(self._numbers)})
        number = (said_before or self.taken[-1:])[0]["conversation_message_id"]
        return [{"peer_id": peer, "message_id": 1000 + number, "conversation_message_id": number}]

    def _messages_markAsRead(self, told: dict[str, Any]) -> Any:  # noqa: N802
        self.read.append(told["peer_id"])
        return 1

    def _messages_getHistory(self, told: dict[str, Any]) -> Any:  # noqa: N802
        items = [
            {"random_id": int(one["random_id"]), "conversation_message_id": one["conversation_message_id"]}
            for one in reversed(self.taken)
            if one["peer_ids"] == told["peer_id"]
        ]
        return {"count": len(items), "items": items[: int(told["count"])]}

    def _photos_getMessagesUploadServer(self, told: dict[str, Any]) -> Any:  # noqa: N802
        return {"upload_url": self.address("upload/photo"), "album_id": -64, "group_id": 0}

    def _photos_saveMessagesPhoto(self, told: dict[str, Any]) -> Any:  # noqa: N802
        return [{"id": 71, "owner_id": -GROUP, "access_key": "k1", "album_id": -64}]

    def _docs_getMessagesUploadServer(self, told: dict[str, Any]) -> Any:  # noqa: N802
        return {"upload_url": self.address("upload/file")}

    def _docs_save(self, told: dict[str, Any]) -> Any:
        return {"type": "doc", "doc": {"id": 72, "owner_id": -GROUP, "title": told["title"]}}

    async def _upload(self, request: web.Request) -> web.Response:
        field = request.match_info["field"]
        file = (await request.post())[field]
        assert isinstance(file, web.FileField)
        self.uploads.append((field, file.filename, file.file.read()))
        return web.json_response({"server": 1, field: f"[{len(self.uploads)}]", "hash": "h"})

    async def _file(self, request: web.Request) -> web.Response:
        found = self.files.get(request.match_info["name"])
        return web.Response(body=found) if found is not None else web.Response(status=503)


def _error(code: int, words: str) -> web.Response:
    return web.json_response({"error": {"error_code": code, "error_msg": words, "request_params": []}})
