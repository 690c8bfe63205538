"""A Viber bot at our Viber, with a web server that is as much of the hub as a webhook needs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from aiohttp import web

from channels.touch import Identity, Webhook
from channels.viber import Settings
from channels.viber.adapter import ViberChannel
from tests.channels.messenger import MessengerRig
from tests.channels.pusher import Pusher
from tests.peers.site import Site
from tests.peers.viber import IVAN, TOKEN, Viber, webhook

PAYLOADS = Path(__file__).parent / "payloads"


def payload(name: str) -> Any:
    """A documented payload. Each file says from which page of the vendor's its shape is."""
    return json.loads((PAYLOADS / f"{name}.json").read_text("utf-8"))["payload"]


class HookSite(Site):
    """The hub's web server: hands everything below `/hooks/vb` to the channel of the moment."""

    def __init__(self, pusher: Pusher) -> None:
        self.pusher = pusher
        self.hook: str | None = None

    async def start(self) -> None:
        """Up; `hook` is where Viber calls us from now on."""
        await super().start()
        self.hook = self.address("hooks/vb")

    def _open(self, app: web.Application) -> None:
        app.router.add_route("*", "/hooks/vb", self._answer)
        app.router.add_route("*", "/hooks/vb/{rest:.*}", self._answer)

    async def _answer(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        path = request.match_info.get("rest", "")
        call = Webhook(request.method, path, dict(request.query), headers, await request.read(), "127.0.0.1")
        assert self.pusher.channel is not None
        answer = await self.pusher.channel.receive(call)
        assert isinstance(answer.body, bytes)
        return web.Response(status=answer.status, body=answer.body, content_type=answer.media_type)


class ViberRig(MessengerRig[Viber, ViberChannel]):
    """See `tests.channels.kit.Rig`."""

    line = "vb"
    client = Identity("viber", IVAN["id"], IVAN["name"])

    def __init__(self, viber: Viber) -> None:
        super().__init__(viber)
        self.site = HookSite(self.pusher)

    def channel(self, *, wrong_credentials: bool = False, **more: Any) -> ViberChannel:
        told = {"token": TOKEN, "base_url": self.vendor.base_url, "timeout_s": 5, **more}
        if wrong_credentials:
            told["token"] = "wrong"
        door = replace(self.door.door(), hook=lambda: self.site.hook)
        made = ViberChannel(self.line, Settings.model_validate(told), door, look_s=0.05)
        return self.keep(made)

    async def close(self) -> None:
        await self.site.stop()
        await super().close()

    async def incoming(self, text: str) -> None:
        self.pusher.push(webhook(self.vendor.said(text)))

    async def outgoing(self) -> list[str]:
        return self.vendor.texts()

    def external_ids(self) -> list[str]:
        return [one["token"] for one in self.vendor.taken]

    def refuse_for_now(self) -> None:
        self.vendor.refuse(12, "tooManyRequests")

    def refuse_for_good(self) -> None:
        self.vendor.refuse(5, "receiverNotRegistered")

    def opt_out(self) -> None:
        self.vendor.strangers.add(IVAN["id"])
