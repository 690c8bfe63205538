"""A Viber bot at our Viber, with a web server that is as much of the hub as a webhook needs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp import web

from channels.touch import Identity, Message, Webhook
from channels.viber import Settings
from channels.viber.adapter import ViberChannel
from tests.channels.door import FakeDoor
from tests.channels.pusher import Pusher
from tests.peers.viber import IVAN, TOKEN, Viber, webhook

PAYLOADS = Path(__file__).parent / "payloads"


def payload(name: str) -> Any:
    """A documented payload. Each file says from which page of the vendor's its shape is."""
    return json.loads((PAYLOADS / f"{name}.json").read_text("utf-8"))["payload"]


class Site:
    """The hub's web server: hands everything below `/hooks/vb` to the channel of the moment."""

    def __init__(self, pusher: Pusher) -> None:
        self.pusher = pusher
        self.address: str | None = None
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/hooks/vb", self._answer)
        app.router.add_route("*", "/hooks/vb/{rest:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.address = f"http://127.0.0.1:{self._runner.addresses[0][1]}/hooks/vb"

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        path = request.match_info.get("rest", "")
        call = Webhook(request.method, path, dict(request.query), headers, await request.read(), "127.0.0.1")
        assert self.pusher.channel is not None
        answer = await self.pusher.channel.receive(call)
        assert isinstance(answer.body, bytes)
        return web.Response(status=answer.status, body=answer.body, content_type=answer.media_type)


class ViberRig:
    """See `tests.channels.kit.Rig`."""

    line = "vb"
    exempt: Mapping[str, str] = {
        "crash before acknowledgement": "acknowledged by the webhook's answer, not by memory",
        "external id from reference": "Viber names the messages",
    }

    def __init__(self, viber: Viber) -> None:
        self.viber = viber
        self.door = FakeDoor()
        self.pusher = Pusher()
        self.site = Site(self.pusher)
        self.opened: list[ViberChannel] = []

    def channel(self, *, wrong_credentials: bool = False, **more: Any) -> ViberChannel:
        told = {"token": TOKEN, "base_url": self.viber.base_url, "timeout_s": 5, **more}
        if wrong_credentials:
            told["token"] = "wrong"
        door = replace(self.door.door(), hook=lambda: self.site.address)
        made = ViberChannel(self.line, Settings.model_validate(told), door, look_s=0.05)
        self.opened.append(made)
        self.pusher.channel = made
        return made

    async def close(self) -> None:
        """Let go of whatever a test has left open."""
        await self.pusher.stop()
        await self.site.stop()
        for channel in self.opened:
            await channel.close()

    async def incoming(self, text: str) -> None:
        self.pusher.push(webhook(self.viber.said(text)))

    async def incoming_again(self) -> None:
        self.pusher.push_again()

    def message(self, text: str, reference: str, **more: Any) -> Message:
        to = (Identity("viber", IVAN["id"], IVAN["name"]),)
        return Message(reference, to, text, datetime(2026, 11, 21, 9, tzinfo=UTC), conversation=7, **more)

    async def outgoing(self) -> list[str]:
        return self.viber.texts()

    def external_ids(self) -> list[str]:
        return [one["token"] for one in self.viber.taken]

    def refuse_for_now(self) -> None:
        self.viber.refuse(12, "tooManyRequests")

    def refuse_for_good(self) -> None:
        self.viber.refuse(5, "receiverNotRegistered")

    def opt_out(self) -> None:
        self.viber.strangers.add(IVAN["id"])

    async def stop_server(self) -> None:
        await self.viber.stop()

    async def start_server(self) -> None:
        await self.viber.start()
