"""Messages a second through channels with a webhook, in and out, beside bare aiohttp doing the same alone.

In: a process of its own posts signed calls to a web server here; bare is a handler that checks the signature over the
raw body and reads the JSON, ours parses, hands in and answers when that is done. Out: the vendor of the tests runs in
another process; bare is `ClientSession.post` and its answer read as JSON, ours is `send` with its notes in the line's
memory. The vendors' own limits are far below, so they are off here.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import multiprocessing
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from typing import Any

from aiohttp import ClientSession, TCPConnector, web

from channels import max as max_
from channels import viber, vk, whatsapp
from channels.contract import Accepted, Channel
from channels.pace import Pace
from channels.touch import Identity, Message, Touch, Webhook
from tests.channels.door import FakeDoor
from tests.channels.max import vendor as max_vendor
from tests.channels.vk import vendor as vk_vendor
from tests.peers import viber as viber_peer
from tests.peers import whatsapp as whatsapp_peer

IN = 4_000
OUT = 600
AT_ONCE = 16
ROUNDS = 3
VK_PEOPLE = range(1, 51)
TEXT = "Здравствуйте! Сколько стоит доставка? Заказ {}"


class _CountingDoor(FakeDoor):
    """Accepts and forgets."""

    async def _deliver(self, touch: Touch) -> Accepted:
        self.touches.append(touch)
        return Accepted(1)


class _NoPace(Pace[Any]):
    """The vendor would not take so many."""

    def __init__(self) -> None:
        super().__init__(0.0, lambda _: 0.0)

    async def wait(self, key: Any) -> None:
        """At once."""


@dataclass(frozen=True, slots=True)
class Vendor:
    """What differs: how it calls us, how it is asked, and its server of the tests."""

    name: str
    headers: Callable[[bytes], dict[str, str]]
    call: Callable[[int], bytes]
    open: Callable[[str, FakeDoor], Channel]
    to: Identity
    peer: Callable[[], Any]
    path: str
    sign_in: Mapping[str, str]
    said: Callable[[str], dict[str, Any]]


def _digest(body: bytes, secret: str) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def _whatsapp_call(number: int) -> bytes:
    message = {"from": f"7916{number:07d}", "id": f"wamid.{number}", "timestamp": "1763715600", "type": "text"}
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "48501234567", "phone_number_id": whatsapp_peer.NUMBER_ID},
        "contacts": [{"profile": {"name": "Иван"}, "wa_id": message["from"]}],
        "messages": [{**message, "text": {"body": TEXT.format(number)}}],
    }
    entry = {"id": "102290129340398", "changes": [{"field": "messages", "value": value}]}
    return json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()


def _open_whatsapp(base_url: str, door: FakeDoor) -> Channel:
    keys = {"token": whatsapp_peer.TOKEN, "secret": whatsapp_peer.SECRET, "verify_token": "v"}
    told = {**keys, "phone_number_id": whatsapp_peer.NUMBER_ID, "base_url": base_url}
    channel = whatsapp.create("wa", whatsapp.Settings.model_validate(told), door.door())
    channel._pace = _NoPace()
    return channel


def _viber_call(number: int) -> bytes:
    sender = {"id": f"id-{number}=", "name": "Иван", "language": "ru", "api_version": 10}
    event = {"event": "message", "timestamp": 1763715600627, "message_token": number + 1, "sender": sender}
    return json.dumps({**event, "message": {"type": "text", "text": TEXT.format(number)}}).encode()


def _open_viber(base_url: str, door: FakeDoor) -> Channel:
    told = {"token": viber_peer.TOKEN, "sender": "Touchline", "base_url": base_url}
    channel = viber.create("vb", viber.Settings.model_validate(told), door.door())
    channel._pace = _NoPace()
    return channel


def _vk_call(number: int) -> bytes:
    event = vk_vendor.payload("message_new")
    sender = VK_PEOPLE[number % len(VK_PEOPLE)]
    said = {"from_id": sender, "peer_id": sender, "conversation_message_id": number + 1, "text": TEXT.format(number)}
    event["object"]["message"] |= said
    return json.dumps(event).encode()


def _open_vk(base_url: str, door: FakeDoor) -> Channel:
    told = {"token": vk_vendor.TOKEN, "secret": vk_vendor.SECRET, "group_id": vk_vendor.GROUP, "base_url": base_url}
    channel = vk.create("vk", vk.Settings.model_validate(told), door.door())
    channel._pace = _NoPace()
    channel._names.update({str(who): "Иван" for who in VK_PEOPLE})  # asked for once in a lifetime
    return channel


def _max_call(number: int) -> bytes:
    update = max_vendor.payload("message_created")
    update["message"]["body"] |= {"mid": f"mid.{number}", "text": TEXT.format(number)}
    update["message"]["sender"]["user_id"] = number
    return json.dumps(update).encode()


def _open_max(base_url: str, door: FakeDoor) -> Channel:
    told = {"token": max_vendor.TOKEN, "secret": max_vendor.SECRET, "base_url": base_url}
    channel = max_.create("max", max_.Settings.model_validate(told), door.door())
    channel._pace = _NoPace()
    return channel


VENDORS = (
    Vendor(
        name="WhatsApp",
        headers=lambda body: {"X-Hub-Signature-256": f"sha256={_digest(body, whatsapp_peer.SECRET)}"},
        call=_whatsapp_call,
        open=_open_whatsapp,
        to=Identity("whatsapp", whatsapp_peer.CLIENT),
        peer=whatsapp_peer.GraphApi,
        path=f"/{whatsapp_peer.NUMBER_ID}/messages",
        sign_in={"Authorization": f"Bearer {whatsapp_peer.TOKEN}"},
        said=lambda text: {
            "json": {
                "messaging_product": "whatsapp",
                "to": whatsapp_peer.CLIENT,
                "type": "text",
                "text": {"body": text},
            }
        },
    ),
    Vendor(
        name="Viber",
        headers=lambda body: {"X-Viber-Content-Signature": _digest(body, viber_peer.TOKEN)},
        call=_viber_call,
        open=_open_viber,
        to=Identity("viber", viber_peer.IVAN["id"]),
        peer=viber_peer.Viber,
        path="/send_message",
        sign_in={"X-Viber-Auth-Token": viber_peer.TOKEN},
        said=lambda text: {
            "json": {
                "receiver": viber_peer.IVAN["id"],
                "sender": {"name": "Touchline"},
                "type": "text",
                "text": text,
            }
        },
    ),
    Vendor(
        name="VK",
        headers=lambda body: {},
        call=_vk_call,
        open=_open_vk,
        to=Identity("vk", str(vk_vendor.CLIENT)),
        peer=vk_vendor.Vendor,
        path="/messages.send",
        sign_in={},
        said=lambda text: {
            "data": {
                "peer_ids": str(vk_vendor.CLIENT),
                "random_id": str(abs(hash(text))),
                "message": text,
                "access_token": vk_vendor.TOKEN,
                "v": "5.199",
            }
        },
    ),
    Vendor(
        name="MAX",
        headers=lambda body: {"X-Max-Bot-Api-Secret": max_vendor.SECRET},
        call=_max_call,
        open=_open_max,
        to=Identity("max", str(max_vendor.CLIENT)),
        peer=max_vendor.Vendor,
        path=f"/messages?user_id={max_vendor.CLIENT}",
        sign_in={"Authorization": max_vendor.TOKEN},
        said=lambda text: {"json": {"text": text, "attachments": None}},
    ),
)


def _post(pipe: Connection, place: int) -> None:
    """The vendor's side of what comes in: told an address, posts everything; told nothing, ends."""
    vendor = VENDORS[place]
    bodies = [vendor.call(number) for number in range(IN)]
    calls = [(body, vendor.headers(body)) for body in bodies]

    async def post(url: str) -> None:
        waiting = iter(calls)
        async with ClientSession(connector=TCPConnector(limit=AT_ONCE)) as http:

            async def work() -> None:
                for body, headers in waiting:
                    async with http.post(url, data=body, headers=headers) as answer:
                        if answer.status != 200:
                            raise RuntimeError(f"answered {answer.status}")

            await asyncio.gather(*(work() for _ in range(AT_ONCE)))

    while url := pipe.recv():
        began = time.perf_counter()
        asyncio.run(post(url))
        pipe.send(time.perf_counter() - began)


def _serve(pipe: Connection, place: int) -> None:
    """The vendor's server, for what goes out."""

    async def serve() -> None:
        async with VENDORS[place].peer() as peer:
            pipe.send(peer.base_url)
            await asyncio.to_thread(pipe.recv)

    asyncio.run(serve())


@contextmanager
def _process(work: Callable[[Connection, int], None], place: int) -> Iterator[Connection]:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=work, args=(theirs, place), daemon=True)
    process.start()
    try:
        yield ours
    finally:
        ours.send("")
        process.join(10)


@dataclass(frozen=True, slots=True)
class Speed:
    """Messages a second, and what one costs this process in CPU, which a busy machine hardly changes."""

    rate: float
    cpu_us: float

    def best(self, other: Speed | None) -> Speed:
        """Of each the better: the machine is never quite quiet."""
        if other is None:
            return self
        return Speed(max(self.rate, other.rate), min(self.cpu_us, other.cpu_us))


async def _in(pipe: Connection, handle: Callable[[web.Request], Awaitable[web.Response]]) -> Speed:
    app = web.Application()
    app.router.add_post("/hook", handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    pipe.send(f"http://127.0.0.1:{runner.addresses[0][1]}/hook")
    began = time.process_time()
    spent = await asyncio.to_thread(pipe.recv)
    cpu = time.process_time() - began
    await runner.cleanup()
    return Speed(IN / float(spent), cpu / IN * 1e6)


async def _in_by_us(vendor: Vendor, pipe: Connection) -> Speed:
    door = _CountingDoor()
    channel = vendor.open("http://127.0.0.1:9", door)

    async def handle(request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        answer = await channel.receive(Webhook("POST", "", {}, headers, await request.read(), ""))
        return web.Response(status=answer.status)

    speed = await _in(pipe, handle)
    if len({touch.event_key for touch in door.touches}) != IN:
        raise RuntimeError("some messages are missing")
    return speed


async def _in_bare(vendor: Vendor, pipe: Connection) -> Speed:
    async def handle(request: web.Request) -> web.Response:
        body = await request.read()
        if any(not hmac.compare_digest(known, request.headers[name]) for name, known in vendor.headers(body).items()):
            return web.Response(status=401)
        json.loads(body)
        return web.Response()

    return await _in(pipe, handle)


async def _out(send: Callable[[int], Awaitable[None]]) -> Speed:
    numbers = iter(range(OUT))

    async def work() -> None:
        for number in numbers:
            await send(number)

    began, worked = time.perf_counter(), time.process_time()
    await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    return Speed(OUT / (time.perf_counter() - began), (time.process_time() - worked) / OUT * 1e6)


async def _out_by_us(vendor: Vendor, base_url: str) -> Speed:
    channel, at = vendor.open(base_url, FakeDoor()), datetime(2026, 11, 21, tzinfo=UTC)

    async def send(number: int) -> None:
        await channel.send(Message(f"ref-{number}", (vendor.to,), TEXT.format(number), at))

    speed = await _out(send)
    await channel.close()
    return speed


async def _out_bare(vendor: Vendor, base_url: str) -> Speed:
    """As we do: a connection for each message, for one that was kept may be dead."""
    async with ClientSession(connector=TCPConnector(force_close=True)) as http:

        async def send(number: int) -> None:
            said = vendor.said(TEXT.format(number))
            async with http.post(base_url + vendor.path, headers=vendor.sign_in, **said) as answer:
                await answer.json()

        return await _out(send)


def run(say: Callable[[str], None] = lambda _: None) -> list[tuple[str, str]]:
    """Rows of name and figure."""
    rows = []
    for place, vendor in enumerate(VENDORS):
        say(vendor.name)
        best: dict[str, Speed] = {}
        with _process(_post, place) as poster, _process(_serve, place) as server:
            base_url = server.recv()
            for _ in range(ROUNDS):  # in turns
                for name, speed in (
                    ("in", asyncio.run(_in_by_us(vendor, poster))),
                    ("bare in", asyncio.run(_in_bare(vendor, poster))),
                    ("out", asyncio.run(_out_by_us(vendor, base_url))),
                    ("bare out", asyncio.run(_out_bare(vendor, base_url))),
                ):
                    best[name] = speed.best(best.get(name))
        for way in ("in", "out"):
            ours, bare = best[way], best[f"bare {way}"]
            figure = f"{ours.rate:.0f}/s, {ours.rate / bare.rate:.0%} of bare aiohttp"
            cost = f"{ours.cpu_us:.0f} µs of CPU each, {ours.cpu_us / bare.cpu_us:.2f} of bare aiohttp"
            rows += [(f"{vendor.name} messages {way}", figure), (f"what a message {way} costs", cost)]
    return rows


if __name__ == "__main__":
    for name, figure in run():
        print(f"{name}: {figure}")
