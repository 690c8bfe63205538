"""Messages a second through a website chat, in and out, beside a bare aiohttp server with nothing behind it.

In: a browser's call with a message, parsed, signed for, counted and handed in, beside a handler that reads the JSON and
answers. Out: one message to a thousand open streams, each a visitor's, beside a bare stream that writes the same bytes.
Both servers are in one process with their callers, as is the load: what is compared is what stands between.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from aiohttp import ClientSession, ClientTimeout, TCPConnector, web

from channels.chat import Settings
from channels.chat.adapter import ChatChannel
from channels.talk import Hint, HintOf, Said
from channels.touch import Direction, Webhook
from hub.webhooks import proxies_of
from tests.channels.chat.rig import FakeTalks, door_with
from tests.channels.door import FakeDoor
from webforms import client_address

MESSAGES = 3_000
AT_ONCE = 16
VISITORS = 300
ROUNDS_OUT = 20
ROUNDS = 3
_LIMITS = {"per_address": 0, "per_session": 0, "per_line": 0}
_AT = datetime(2026, 11, 21, tzinfo=UTC)


class _Talks(FakeTalks):
    """A log that keeps the newest of each talk: the bench reads no history."""

    def newest(self, session: str, text: str, number: int) -> None:
        """Something of ours is out."""
        self.said[session] = [Said(number, f"{session}/{number}", Direction.OUTBOUND, _AT, text, state="sent")]


def _channel(talks: FakeTalks) -> ChatChannel:
    settings = Settings.model_validate({"origins": ["*"], "limits": _LIMITS})
    return ChatChannel("site", settings, door_with(FakeDoor(), talks))


def _web(channel: ChatChannel) -> web.Application:
    """The road that hub/webhooks.py takes, without a hub."""

    async def receive(request: web.Request) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        remote = client_address(request, proxies_of(("127.0.0.1",)))
        path, body = request.match_info["rest"], await request.read()
        answer = await channel.receive(Webhook("POST", path, dict(request.query), headers, body, remote))
        if answer.stream is None:
            kind = answer.media_type
            return web.Response(status=answer.status, body=answer.body, content_type=kind, headers=answer.headers)
        response = web.StreamResponse(headers=answer.headers)
        await response.prepare(request)
        async for piece in answer.stream:
            await response.write(piece)
        return response

    app = web.Application()
    app.router.add_post("/hooks/site/{rest:.*}", receive)
    return app


def _bare(ring: asyncio.Condition, said: list[bytes]) -> web.Application:
    async def say(request: web.Request) -> web.Response:
        told = json.loads(await request.read())
        return web.json_response({"id": 1, "ref": told["id"]})

    async def follow(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        told = len(said)
        await response.write(b"data: {}\n\n")
        while True:
            async with ring:
                while len(said) <= told:
                    await ring.wait()
            for piece in said[told:]:
                await response.write(piece)
            told = len(said)

    app = web.Application()
    app.router.add_post("/say", say)
    app.router.add_post("/follow", follow)
    return app


@asynccontextmanager
async def _serving(app: web.Application) -> AsyncIterator[tuple[str, ClientSession]]:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=2048).start()
    connector = TCPConnector(limit=0)
    async with ClientSession(connector=connector, timeout=ClientTimeout(None)) as http:
        try:
            yield f"http://127.0.0.1:{runner.addresses[0][1]}", http
        finally:
            await connector.close()
            await runner.cleanup()


async def _rate(send: Callable[[int], Awaitable[None]]) -> float:
    numbers = iter(range(MESSAGES))

    async def work() -> None:
        for number in numbers:
            await send(number)

    began = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    return MESSAGES / (time.perf_counter() - began)


async def _in(url: str, http: ClientSession, token: str) -> float:
    async def send(number: int) -> None:
        told = {"token": token, "id": f"{number:024x}", "text": "Здравствуйте! Сколько стоит доставка?", "lang": "ru"}
        async with http.post(url, data=json.dumps(told)) as answer:
            assert answer.status == 200
            await answer.read()

    return await _rate(send)


async def _in_by_us() -> float:
    channel = _channel(_Talks())
    async with _serving(_web(channel)) as (address, http):
        async with http.post(f"{address}/hooks/site/session", data="{}") as answer:
            token = (await answer.json())["token"]
        rate = await _in(f"{address}/hooks/site/say", http, token)
    await channel.close()
    return rate


async def _in_bare() -> float:
    async with _serving(_bare(asyncio.Condition(), [])) as (address, http):
        return await _in(f"{address}/say", http, "token")


async def _out(http: ClientSession, urls: list[tuple[str, str]], ring: Callable[[int], Awaitable[None]]) -> float:
    """Messages written to open streams in a second, until all have them."""
    heard = 0

    async def follow(number: int, url: str, body: str) -> None:
        nonlocal heard
        behind_a_proxy = {"X-Forwarded-For": f"192.0.{number // 250}.{number % 250}"}
        async with http.post(url, data=body, headers=behind_a_proxy) as stream:
            async for line in stream.content:
                heard += line.startswith(b"data:") and b"Answer" in line

    async def reach(count: int) -> None:
        async with asyncio.timeout(60):
            while heard < count:
                await asyncio.sleep(0.001)

    following = [asyncio.create_task(follow(number, *one)) for number, one in enumerate(urls)]
    await asyncio.sleep(1.0)
    before, began = heard, time.perf_counter()
    for number in range(ROUNDS_OUT):
        await ring(number)
        await reach(before + (number + 1) * VISITORS)
    spent = time.perf_counter() - began
    for task in following:
        task.cancel()
    await asyncio.gather(*following, return_exceptions=True)
    return ROUNDS_OUT * VISITORS / spent


async def _out_by_us() -> float:
    talks = _Talks()
    channel = _channel(talks)
    async with _serving(_web(channel)) as (address, http):
        tokens = []
        for number in range(VISITORS):
            name = f"{number:024x}"
            tokens.append(channel._sessions.token(name, datetime.now(UTC)))
            talks.newest(name, "раньше", 0)
        follow = f"{address}/hooks/site/follow"

        async def ring(number: int) -> None:
            for visitor in range(VISITORS):
                talks.newest(f"{visitor:024x}", f"Answer {number}", number + 1)
            talks.hint(Hint(HintOf.ANYTHING))

        rate = await _out(http, [(follow, json.dumps({"token": token})) for token in tokens], ring)
        await channel.close()
    return rate


async def _out_bare() -> float:
    condition, said = asyncio.Condition(), list[bytes]()
    async with _serving(_bare(condition, said)) as (address, http):

        async def ring(number: int) -> None:
            message = {"id": number, "ref": None, "mine": False, "at": _AT.isoformat(), "text": f"Answer {number}"}
            said.append(b"data: " + json.dumps({"type": "talk", "messages": [message]}).encode() + b"\n\n")
            async with condition:
                condition.notify_all()

        return await _out(http, [(f"{address}/follow", "{}")] * VISITORS, ring)


def run() -> list[tuple[str, str]]:
    """Rows of name and figure."""
    rows = []
    pairs = (("messages in", _in_by_us, _in_bare), ("messages out to open streams", _out_by_us, _out_bare))
    for name, ours, theirs in pairs:
        mine = bare = 0.0
        for _ in range(ROUNDS):  # in turns, the best of each: the machine is never quite quiet
            mine, bare = max(mine, asyncio.run(ours())), max(bare, asyncio.run(theirs()))
        rows.append((name, f"{mine:.0f}/s, {mine / bare:.0%} of bare aiohttp"))
    return rows


if __name__ == "__main__":
    for name, figure in run():
        print(f"{name}: {figure}")
