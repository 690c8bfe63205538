"""A small Bot API of ours: clients write to the demonstration's bot, and what is answered arrives here."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from aiohttp import web

from hub.sample.cast import Person

_BOT = {"id": 4711, "is_bot": True, "first_name": "Touchline demo", "username": "touchline_demo_bot"}
_LONGEST_POLL_S = 20.0


@dataclass(slots=True)
class BotApi:
    """`async with BotApi(now) as api`; it listens on `port`. `sent` is what the hub has sent: (chat, text)."""

    now: Callable[[], datetime]
    port: int = 0
    sent: list[tuple[int, str]] = field(default_factory=list)
    _updates: list[dict[str, Any]] = field(default_factory=list)
    _number: int = 1000
    _more: asyncio.Event = field(default_factory=asyncio.Event)
    _runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/bot{token}/{method}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    def say(self, person: Person, text: str) -> None:
        """A client writes to the bot."""
        self._number += 1
        first, _, last = person.name.partition(" ")
        sender = {"id": person.telegram, "is_bot": False, "first_name": first, "last_name": last}
        sender["language_code"] = person.language
        message = {
            "message_id": self._number,
            "from": sender,
            "chat": {"id": person.telegram, "type": "private", "first_name": first},
            "date": int(self.now().timestamp()),
            "text": text,
        }
        self._updates.append({"update_id": self._number, "message": message})
        self._more.set()

    async def _answer(self, request: web.Request) -> web.Response:
        method = request.match_info["method"].lower()
        given: dict[str, Any] = {**request.query, **(await _read(request))}
        if method == "getme":
            return _ok(_BOT)
        if method == "getupdates":
            return _ok(await self._wait(given))
        if method == "sendmessage":
            return _ok(self._take(given))
        if method == "getwebhookinfo":
            return _ok({"url": "", "has_custom_certificate": False, "pending_update_count": len(self._updates)})
        return _ok(True)

    async def _wait(self, given: dict[str, Any]) -> list[dict[str, Any]]:
        """A long poll; a later offset confirms what came before it."""
        if "offset" in given:
            self._updates = [one for one in self._updates if one["update_id"] >= int(given["offset"])]
        if not self._updates:
            self._more.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(float(given.get("timeout", 0)), _LONGEST_POLL_S)):
                    await self._more.wait()
        return self._updates[: int(given.get("limit", 100))]

    def _take(self, given: dict[str, Any]) -> dict[str, Any]:
        self._number += 1
        chat, text = int(given["chat_id"]), str(given.get("text", ""))
        self.sent.append((chat, text))
        where = {"id": chat, "type": "private"}
        return {"message_id": self._number, "from": _BOT, "chat": where, "text": text} | {
            "date": int(self.now().timestamp())
        }


async def _read(request: web.Request) -> dict[str, Any]:
    if request.content_type == "application/json":
        found: dict[str, Any] = await request.json()
        return found
    return dict(await request.post())


def _ok(result: Any) -> web.Response:
    return web.json_response({"ok": True, "result": result})
