"""A Bot API of our own, over real HTTP: long polls with offsets, pushed webhooks, files, floods, blocks, restarts.

It keeps what Telegram keeps: updates until a later offset confirms them, `getUpdates` and webhooks exclude each other,
one poll ends the other, messages are numbered per chat, limits of texts and files. It runs in the test's own loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout, web
from aiohttp.web_request import FileField

from tests.peers.site import Site

TOKEN = "4711:test"
BOT: dict[str, Any] = {"id": 4711, "is_bot": True, "first_name": "Touchline", "username": "touchline_bot"}
CLIENT: dict[str, Any] = {
    "id": 55,
    "is_bot": False,
    "first_name": "Иван",
    "last_name": "Петров",
    "username": "ivan",
    "language_code": "ru",
}
MOST_TEXT, MOST_CAPTION, MOST_DOWNLOAD = 4096, 1024, 20 * 1024 * 1024
MOST_BODY = 51 * 1024 * 1024

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """One request that sent something, as it was taken."""

    method: str
    chat: int
    message_id: int
    text: str
    params: Json
    file: tuple[str, str, bytes] | None
    at: float


@dataclass(slots=True)
class Refusal:
    """How the next requests of a kind are answered."""

    status: int
    description: str
    times: int
    parameters: Json = field(default_factory=dict)


class BotApi(Site):
    """`async with BotApi() as api:` then `api.base_url` for the line's settings."""

    def __init__(self, token: str = TOKEN) -> None:
        self.token = token
        self.updates: list[Json] = []
        self.calls: list[Call] = []
        self.polls: list[Json] = []
        self.pressed: list[str] = []
        self.files: dict[str, bytes] = {}
        self.webhook: Json = {"url": ""}
        self.webhook_answers: list[int] = []
        self.chats: set[int] = {CLIENT["id"]}
        self.blocked: set[int] = set()
        self.migrated: dict[int, int] = {}
        self.refusals: dict[str, list[Refusal]] = defaultdict(list)
        self.vanish = 0
        self.garbage: list[bytes] = []
        self.next_update = 1000
        self._numbers: defaultdict[int, itertools.count[int]] = defaultdict(lambda: itertools.count(101))
        self._more = asyncio.Event()
        self._polling: asyncio.Future[None] | None = None
        self._pushing: asyncio.Task[None] | None = None

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/bot"

    def _open(self, app: web.Application) -> None:
        app.router.add_route("*", "/bot{token}/{method}", self._answer)
        app.router.add_get("/file/bot{token}/{path:.+}", self._file)

    async def start(self) -> None:
        """Up, on the same port as before."""
        await super().start()
        self._pushing = asyncio.create_task(self._push_for_ever())

    async def stop(self) -> None:
        """Gone; what it knows it keeps."""
        if self._pushing is not None:
            self._pushing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._pushing
        await super().stop()

    # what happens in the outside world

    def say(self, text: str | None = None, *, sender: Json = CLIENT, chat: Json | None = None, **more: Any) -> Json:
        """Somebody writes to the bot; the message."""
        message = self.message(text, sender=sender, chat=chat, **more)
        self.happen("message", message)
        return message

    def message(self, text: str | None = None, *, sender: Json = CLIENT, chat: Json | None = None, **more: Any) -> Json:
        """A message that nobody has been told of yet."""
        where = chat or {"id": sender["id"], "type": "private", "first_name": sender["first_name"]}
        self.chats.add(where["id"])
        made: Json = {"message_id": next(self._numbers[where["id"]]), "from": sender, "chat": where}
        made["date"] = int(time.time())
        if text is not None:
            made["text"] = text
        return {**made, **more}

    def edit(self, message: Json, text: str) -> Json:
        """The sender changes what he wrote."""
        edited = {**message, "text": text, "edit_date": int(time.time())}
        self.happen("edited_message", edited)
        return edited

    def press(self, message_id: int, value: str, *, sender: Json = CLIENT) -> None:
        """Somebody presses a button under one of our messages."""
        ours = next(call for call in self.calls if (call.chat, call.message_id) == (sender["id"], message_id))
        message = {"message_id": message_id, "chat": {"id": sender["id"], "type": "private"}, "from": BOT}
        message |= {"date": int(time.time()), "text": ours.text, "reply_markup": ours.params.get("reply_markup")}
        query = {"id": f"q{self.next_update}", "from": sender, "chat_instance": "1", "data": value, "message": message}
        self.happen("callback_query", query)

    def block(self, sender: Json = CLIENT, *, again: bool = True) -> None:
        """The client blocks the bot (or lets it in again)."""
        (self.blocked.add if again else self.blocked.discard)(sender["id"])
        before, after = ("member", "kicked") if again else ("kicked", "member")
        change = {"chat": {"id": sender["id"], "type": "private"}, "from": sender, "date": int(time.time())}
        change |= {
            "old_chat_member": {"user": BOT, "status": before},
            "new_chat_member": {"user": BOT, "status": after},
        }
        self.happen("my_chat_member", change)

    def happen(self, kind: str, what: Any, **more: Any) -> Json:
        """Any update."""
        update = {"update_id": self.next_update, kind: what, **more}
        self.next_update += 1
        return self.give(update)

    def give(self, update: Json) -> Json:
        """An update as it stands: a repeated one, a malformed one."""
        self.updates.append(update)
        self._more.set()
        return update

    def keep_file(self, data: bytes, name: str = "file") -> Json:
        """A file that a message may refer to."""
        file_id = f"F{len(self.files)}{name}"
        self.files[file_id] = data
        return {"file_id": file_id, "file_unique_id": f"U{file_id}", "file_size": len(data)}

    def refuse(self, method: str, status: int, description: str, *, times: int = 1, **parameters: Any) -> None:
        """Answer the next calls of a method ("send" = whatever sends) with an error."""
        self.refusals[method].append(Refusal(status, description, times, parameters))

    def texts(self) -> list[str]:
        """What has reached clients, in order."""
        return [call.text for call in self.calls]

    # HTTP

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        if request.match_info["token"] != self.token:
            return _error(401, "Unauthorized")
        try:
            params = await _read(request)
        except web.HTTPRequestEntityTooLarge:
            return web.Response(status=413, text="<html>413 Request Entity Too Large</html>")
        if refusal := self._refusal(method):
            return _error(refusal.status, refusal.description, refusal.parameters)
        if method.startswith("send"):
            return await self._send(request, method, params)
        handler = getattr(self, f"_do_{method.lower()}", None)
        if handler is None:
            return _error(404, "Not Found")
        found: web.StreamResponse = await handler(params)
        return found

    def _refusal(self, method: str) -> Refusal | None:
        for name in (method, "send" if method.startswith("send") else ""):
            waiting = self.refusals.get(name)
            if waiting:
                waiting[0].times -= 1
                return waiting.pop(0) if waiting[0].times <= 0 else waiting[0]
        return None

    async def _do_getme(self, params: Json) -> web.Response:
        return _ok(BOT)

    async def _do_getupdates(self, params: Json) -> web.Response:
        self.polls.append(params)
        if self.webhook["url"]:
            return _error(409, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook first")
        if self.garbage:
            return web.Response(body=self.garbage.pop(0), content_type="application/json")
        if self._polling is not None and not self._polling.done():
            self._polling.set_result(None)
        self._polling = mine = asyncio.get_running_loop().create_future()
        if "offset" in params:
            self.updates = [one for one in self.updates if _number_of(one) >= int(params["offset"])]
        deadline = time.monotonic() + float(params.get("timeout", 0))
        while not self.updates and time.monotonic() < deadline:
            self._more.clear()
            waiting = asyncio.ensure_future(self._more.wait())
            await asyncio.wait({waiting, mine}, timeout=deadline - time.monotonic(), return_when="FIRST_COMPLETED")
            waiting.cancel()
            if mine.done():
                return _error(409, "Conflict: terminated by other getUpdates request")
        return _ok(self.updates[: int(params.get("limit", 100))])

    async def _do_setwebhook(self, params: Json) -> web.Response:
        if not str(params.get("url", "")).startswith(("https://", "http://127.0.0.1")):
            return _error(400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook")
        self.webhook = dict(params)
        self._more.set()
        return _ok(True)

    async def _do_deletewebhook(self, params: Json) -> web.Response:
        self.webhook = {"url": ""}
        return _ok(True)

    async def _do_getwebhookinfo(self, params: Json) -> web.Response:
        info = {"url": self.webhook["url"], "has_custom_certificate": False, "pending_update_count": len(self.updates)}
        if self.webhook_answers and self.webhook_answers[-1] != 200:
            failed = f"Wrong response from the webhook: {self.webhook_answers[-1]}"
            info |= {"last_error_date": int(time.time()), "last_error_message": failed}
        return _ok(info)

    async def _do_answercallbackquery(self, params: Json) -> web.Response:
        self.pressed.append(params["callback_query_id"])
        return _ok(True)

    async def _do_getfile(self, params: Json) -> web.Response:
        data = self.files.get(params["file_id"])
        if data is None:
            return _error(400, "Bad Request: wrong file_id or the file is temporarily unavailable")
        if len(data) > MOST_DOWNLOAD:
            return _error(400, "Bad Request: file is too big")
        path = f"documents/{params['file_id']}"
        return _ok({"file_id": params["file_id"], "file_unique_id": "U", "file_size": len(data), "file_path": path})

    async def _file(self, request: web.Request) -> web.Response:
        if request.match_info["token"] != self.token:
            return web.Response(status=404)
        if refusal := self._refusal("file"):
            return web.Response(status=refusal.status)
        return web.Response(body=self.files[request.match_info["path"].rpartition("/")[2]])

    async def _send(self, request: web.Request, method: str, params: Json) -> web.StreamResponse:
        chat = int(params["chat_id"])
        if chat in self.migrated:
            moved = {"migrate_to_chat_id": self.migrated[chat]}
            return _error(400, "Bad Request: group chat was upgraded to a supergroup chat", moved)
        if chat in self.blocked:
            return _error(403, "Forbidden: bot was blocked by the user")
        if chat not in self.chats:
            return _error(400, "Bad Request: chat not found")
        text, most = (
            (params.get("text", ""), MOST_TEXT) if method == "sendMessage" else (params.get("caption", ""), 1024)
        )
        if len(text.encode("utf-16-le")) // 2 > most:
            return _error(400, "Bad Request: message is too long")
        if method == "sendMessage" and not text.strip():
            return _error(400, "Bad Request: message text is empty")
        number = next(self._numbers[chat])
        file = next((value for value in params.values() if isinstance(value, tuple)), None)
        self.calls.append(Call(method, chat, number, text, params, file, time.monotonic()))
        if self.vanish:
            self.vanish -= 1
            assert request.transport is not None
            request.transport.abort()
        message = {"message_id": number, "from": BOT, "chat": {"id": chat, "type": "private" if chat > 0 else "group"}}
        return _ok({**message, "date": int(time.time()), "text": text})

    # webhooks

    async def _push_for_ever(self) -> None:
        async with ClientSession(timeout=ClientTimeout(total=10)) as http:
            while True:
                if self.webhook["url"] and self.updates:
                    await self._push(http, self.updates[0])
                else:
                    await asyncio.sleep(0.01)

    async def _push(self, http: ClientSession, update: Json) -> None:
        headers = {"X-Telegram-Bot-Api-Secret-Token": self.webhook.get("secret_token", "")}
        try:
            async with http.post(self.webhook["url"], json=update, headers=headers) as answer:
                self.webhook_answers.append(answer.status)
                if answer.status == 200:
                    self.updates.remove(update)
                    return
        except (ClientError, TimeoutError):
            self.webhook_answers.append(0)
        await asyncio.sleep(0.05)


def _number_of(update: Json) -> int:
    number = update.get("update_id") if isinstance(update, dict) else None
    return number if isinstance(number, int) else 0


def _ok(result: Any) -> web.Response:
    return web.json_response({"ok": True, "result": result})


def _error(status: int, description: str, parameters: Json | None = None) -> web.Response:
    body: Json = {"ok": False, "error_code": status, "description": description}
    return web.json_response({**body, **({"parameters": parameters} if parameters else {})}, status=status)


async def _read(request: web.Request) -> Json:
    """Query and form alike; JSON values unpacked, files as (name, type, bytes)."""
    params: Json = dict(request.query)
    for name, value in (await request.post()).items():
        if isinstance(value, FileField):
            params[name] = (value.filename, value.content_type, value.file.read())
        elif isinstance(value, str):
            params[name] = _unpacked(value)
    return params


def _unpacked(value: str) -> Any:
    if value[:1] in "{[":
        with contextlib.suppress(ValueError):
            return json.loads(value)
    return value
