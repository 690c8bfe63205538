"""What a lead costs in our own Python between aiohttp and the hub, and over HTTP beside a bare handler."""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from collections.abc import Callable
from urllib.parse import urlencode

from aiohttp import ClientSession, TCPConnector, web
from aiohttp.streams import StreamReader
from aiohttp.test_utils import make_mocked_request

from channels.contract import Accepted
from channels.touch import Touch
from tests.webforms.fake_hub import FakeHub
from webforms import FormSettings
from webforms.form import Forms
from webforms.intake import Intake
from webforms.pages import Pages

CALLERS = 64
LEADS = 2_000
ROUNDS = 4
FORM = FormSettings.model_validate(
    {
        "title": "Contact",
        "origins": ["https://shop.example"],
        "fields": [
            {"name": "name", "required": True},
            {"name": "phone", "kind": "phone"},
            {"name": "email", "kind": "email"},
            {"name": "message", "kind": "textarea", "required": True},
            {"name": "consent", "kind": "consent", "text": "Согласен", "version": "1"},
        ],
        "limits": {"per_address": 0, "per_form": 0},
    }
)


class _CountingHub(FakeHub):
    """Accepts and forgets."""

    async def deliver(self, touch: Touch) -> Accepted:
        return Accepted(1)


def lead(number: int) -> dict[str, str]:
    """Every lead is somebody else's, so that no cache helps."""
    return {
        "name": "Анна Соколова",
        "phone": f"8 (812) {100 + number // 10_000:03d}-{number // 100 % 100:02d}-{number % 100:02d}",
        "email": f"anna{number}@example.org",
        "message": f"Здравствуйте! Сколько стоит доставка? Заказ {number}",
        "consent": "on",
    }


def _bodies(kind: str, count: int) -> list[bytes]:
    write: Callable[[dict[str, str]], str] = urlencode if kind == "form" else json.dumps
    return [write(lead(number)).encode() for number in range(count)]


TYPES = {"form": "application/x-www-form-urlencoded", "json": "application/json"}


async def _own_cost(kind: str, count: int = 3_000) -> float:
    """Microseconds a lead, in our code alone: requests are made beforehand."""
    door = _CountingHub(forms={"contact": FORM}).door()
    forms = Forms(door.find)
    intake = Intake(door, forms, Pages(door, forms))
    requests = [_request(body, TYPES[kind]) for body in _bodies(kind, count)]
    spans = []
    for request in requests:
        begun = time.perf_counter()
        answer = await intake.post(request)
        spans.append(time.perf_counter() - begun)
        assert answer.status == 201
    return statistics.median(spans) * 1e6


def _request(body: bytes, media_type: str) -> web.Request:
    loop = asyncio.get_running_loop()
    payload = StreamReader(_Protocol(), 2**16, loop=loop)  # type: ignore[arg-type]
    payload.feed_data(body)
    payload.feed_eof()
    headers = {"Content-Type": media_type, "Content-Length": str(len(body)), "Host": "x", "User-Agent": "bench"}
    return make_mocked_request("POST", "/forms/contact", headers, match_info={"key": "contact"}, payload=payload)


class _Protocol:
    """Enough of a connection for a body that has arrived."""

    _reading_paused = False

    def resume_reading(self, resume_parser: bool = True) -> None: ...

    def pause_reading(self) -> None: ...


async def _through_http(app: web.Application) -> float:
    """Leads a second with many callers at once; caller and server share this process."""
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/forms/contact"
    bodies = iter(_bodies("form", LEADS))

    async def call(http: ClientSession) -> None:
        for body in bodies:
            async with http.post(url, data=body, headers={"Content-Type": TYPES["form"]}) as answer:
                await answer.read()
                assert answer.status == 201

    begun = time.perf_counter()
    async with ClientSession(connector=TCPConnector(limit=CALLERS)) as http:
        await asyncio.gather(*(call(http) for _ in range(CALLERS)))
    rate = LEADS / (time.perf_counter() - begun)
    await runner.cleanup()
    return rate


def _bare() -> web.Application:
    async def post(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(status=201)

    app = web.Application()
    app.router.add_post("/forms/contact", post)
    return app


def run() -> list[tuple[str, str]]:
    """Rows of name and figure."""
    rows = [(f"own cost of a lead, {kind}", f"{asyncio.run(_own_cost(kind)):.0f} µs") for kind in TYPES]
    ours, bare = 0.0, 0.0
    for _ in range(ROUNDS):  # in turns, the best of each: the machine is never quite quiet
        ours = max(ours, asyncio.run(_through_http(_CountingHub(forms={"contact": FORM}).app())))
        bare = max(bare, asyncio.run(_through_http(_bare())))
    rows.append(
        ("leads through HTTP, caller in the same process", f"{ours:.0f}/s, {ours / bare:.0%} of a bare handler")
    )
    return rows


if __name__ == "__main__":
    for name, figure in run():
        print(f"{name}: {figure}")
