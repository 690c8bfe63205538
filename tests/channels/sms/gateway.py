"""A gateway of our own that speaks HTTP in the shapes of the shipped templates, and calls until it hears 200."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import aiohttp
import orjson
from aiohttp import web

from channels.contract import Door
from channels.sms import Settings
from channels.sms.http import HttpChannel
from channels.sms.settings import HttpSettings
from channels.touch import Identity, Message, Webhook
from tests.channels.door import FakeDoor
from tests.channels.pusher import Pusher
from tests.peers.smsc import CLIENT
from tests.peers.workshop import free_port

SECRET = "a secret of the tests"
HOOK = "https://hub.example/hooks/sms"


@dataclass(frozen=True, slots=True)
class Posted:
    """One message that was accepted."""

    id: str
    to: str
    text: str
    said: Mapping[str, Any]


@dataclass(slots=True)
class Gateway:
    """`refusals`: (status, body) for the next messages; a status of 0 hangs up after the message was taken."""

    shape: str
    port: int = field(default_factory=free_port)
    password: str = "secret"
    posted: list[Posted] = field(default_factory=list)
    refusals: list[tuple[int, str]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    _runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """What the line is told."""
        return f"http://127.0.0.1:{self.port}" + ("" if self.shape == "kannel" else "/messages")

    async def start(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
        self._runner = None

    async def _answer(self, request: web.Request) -> web.Response:
        said = await _read(request)
        if not self._is_known(request, said):
            return web.Response(status=403, text="Authorization failed for sendsms")
        to = str(said.get("to") or said.get("To") or "")
        if not to:
            return web.Response(status=400, text="Missing receiver number, rejected")
        if self.refusals:
            status, text = self.refusals.pop(0)
            if status:
                return web.Response(status=status, text=text, headers=self.headers)
            self._take(to, said)
            assert request.transport is not None
            request.transport.close()
            return web.Response()
        return self._take(to, said)

    def _take(self, to: str, said: Mapping[str, Any]) -> web.Response:
        text = str(said.get("text") or said.get("Body"))
        if self.shape == "kannel":
            report = dict(parse_qsl(urlsplit(str(said.get("dlr-url", ""))).query))
            self.posted.append(Posted(report.get("id", ""), to, text, said))
            return web.Response(status=202, text="0: Accepted for delivery")
        number = f"m{len(self.posted) + 1}"
        self.posted.append(Posted(number, to, text, said))
        return web.json_response({"id" if self.shape == "json-bearer" else "sid": number}, status=201)

    def _is_known(self, request: web.Request, said: Mapping[str, Any]) -> bool:
        if self.shape == "kannel":
            return said.get("password") == self.password
        if self.shape == "json-bearer":
            return request.headers.get("authorization") == f"Bearer {self.password}"
        return request.headers.get("authorization") == aiohttp.encode_basic_auth("hub", self.password)


async def _read(request: web.Request) -> dict[str, Any]:
    if request.method == "GET":
        return dict(request.query)
    if request.content_type == "application/json":
        return dict(await request.json())
    return {key: str(value) for key, value in (await request.post()).items()}


class HttpRig:
    """See `tests.channels.kit.Rig`."""

    line = "sms"
    exempt: Mapping[str, str] = {
        "crash before acknowledgement": "acknowledged by the webhook's answer, not by memory",
    }

    def __init__(self, gateway: Gateway, **own: Any) -> None:
        self.gateway, self.own = gateway, own
        self.door = FakeDoor()
        self.pusher = Pusher()
        self._count = 0

    def real_door(self) -> Door:
        return replace(self.door.door(), hook=lambda: HOOK)

    def settings(self, **more: Any) -> HttpSettings:
        told = {
            "gateway": "http",
            "template": self.gateway.shape,
            "url": self.gateway.url,
            "user": "hub",
            "password": "secret",
            "token": "secret",
            "secret": SECRET,
            "sender": "Touchline",
            "timeout_s": 5,
            **self.own,
            **more,
        }
        found = Settings.model_validate(told)
        assert isinstance(found, HttpSettings)
        return found

    def channel(self, *, wrong_credentials: bool = False, **more: Any) -> HttpChannel:
        if wrong_credentials:
            more |= {"password": "wrong", "token": "wrong"}
        made = HttpChannel(self.line, self.settings(**more), self.real_door(), look_s=0.05)
        self.pusher.channel = made
        return made

    def call(self, path: str, fields: Mapping[str, Any], **more: Any) -> Webhook:
        """A request of the gateway, as its shape has it."""
        base = Webhook("POST", path, {"secret": SECRET}, {}, b"", "127.0.0.1")
        if self.gateway.shape == "kannel":
            made = replace(base, method="GET", query={"secret": SECRET, **fields})
        elif self.gateway.shape == "json-bearer":
            made = replace(base, headers={"content-type": "application/json"}, body=orjson.dumps(fields))
        else:
            form = urlencode(fields).encode()
            made = replace(base, headers={"content-type": "application/x-www-form-urlencoded"}, body=form)
        return replace(made, **more)

    def said(self, text: str, sender: str = f"+{CLIENT}", number: str | None = None) -> dict[str, str]:
        """A client's message in the shape's words."""
        self._count += 1
        number = number or f"mo-{self._count}"
        if self.gateway.shape == "form-basic":
            return {"From": sender, "To": "+48501234567", "Body": text, "MessageSid": number}
        return {"from": sender, "to": "7000", "text": text, "id": number}

    async def incoming(self, text: str) -> None:
        self.pusher.push(self.call("in", self.said(text)))

    async def incoming_again(self) -> None:
        self.pusher.push_again()

    async def stop(self) -> None:
        await self.pusher.stop()

    def message(self, text: str, reference: str, **more: Any) -> Message:
        to = (Identity("phone", f"+{CLIENT}"),)
        return Message(reference, to, text, datetime(2026, 11, 21, 9, tzinfo=UTC), **more)

    async def outgoing(self) -> list[str]:
        return [one.text for one in self.gateway.posted]

    def external_ids(self) -> list[str]:
        return [one.id for one in self.gateway.posted]

    def refuse_for_now(self) -> None:
        self.gateway.refusals.append((503, "try later"))

    def refuse_for_good(self) -> None:
        self.gateway.refusals.append((400, "no such number"))

    def opt_out(self) -> None:
        said = {"form-basic": '{"code": 21610}', "json-bearer": '{"error": "unsubscribed"}'}
        self.gateway.refusals.append((400, said[self.gateway.shape]))

    async def stop_server(self) -> None:
        await self.gateway.stop()

    async def start_server(self) -> None:
        await self.gateway.start()
