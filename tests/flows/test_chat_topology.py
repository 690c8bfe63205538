"""The website chat with every role in a process of its own: the stream hangs on one web process, the message is written
at another, a worker sends it, and the line is listened to elsewhere; PostgreSQL alone carries the hints."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from aiohttp import ClientSession, ClientTimeout

from tests.flows.house import OFFICE
from tests.flows.processes import HubProcess, touchline
from tests.peers.postgres import Postgres

pytestmark = pytest.mark.timeout(400)
Row = dict[str, Any]

LINE = '[line.site]\nchannel = "chat"\nteam = "support"\n'


@dataclass(slots=True)
class Parts:
    """Two web processes, a listener and a worker."""

    one: HubProcess
    two: HubProcess
    token: str


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory, postgres: Postgres) -> Iterator[Parts]:
    home = tmp_path_factory.mktemp("chat-topology")
    url = postgres.fresh_database()
    touchline(home, "import", "-", text=OFFICE + LINE, database_url=url)
    token = touchline(home, "token", "chat", database_url=url).strip()
    processes = [HubProcess(role, home, database_url=url) for role in ("serve", "serve", "listen", "work")]
    with ExitStack() as stack, ThreadPoolExecutor(len(processes)) as pool:
        for each in processes:
            stack.callback(each.kill)
        list(pool.map(HubProcess.start, processes))
        yield Parts(processes[0], processes[1], token)


async def ask(http: ClientSession, hub: HubProcess, path: str, **told: Any) -> Row:
    """A call of the widget's."""
    async with http.post(f"{hub.address}/hooks/site/{path}", data=json.dumps(told)) as answer:
        found: Row = await answer.json()
        assert answer.status == 200, found
        return found


@asynccontextmanager
async def following(http: ClientSession, hub: HubProcess, token: str) -> AsyncIterator[asyncio.Queue[Row]]:
    """The messages that a stream brings."""
    messages: asyncio.Queue[Row] = asyncio.Queue()
    async with http.post(f"{hub.address}/hooks/site/follow", data=json.dumps({"token": token})) as stream:
        assert stream.status == 200

        async def read() -> None:
            async for line in stream.content:
                piece = json.loads(line[5:]) if line.startswith(b"data:") else {}
                for one in piece.get("messages", ()):
                    messages.put_nowait(one)

        reading = asyncio.create_task(read())
        try:
            yield messages
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)


async def comes(messages: asyncio.Queue[Row], text: str) -> Row:
    """The next message that says this."""
    async with asyncio.timeout(60):
        while (found := await messages.get())["text"] != text:
            pass
    return found


async def test_a_stream_here_tells_what_was_written_there_and_sent_elsewhere(parts: Parts) -> None:
    bearer = {"Authorization": f"Bearer {parts.token}"}
    async with ClientSession(timeout=ClientTimeout(60)) as http:
        token = (await ask(http, parts.one, "session"))["token"]
        async with following(http, parts.two, token) as messages:
            said = await ask(http, parts.one, "say", token=token, id="a" * 24, text="Через другой процесс", lang="ru")
            assert (await comes(messages, "Через другой процесс"))["ref"] == "a" * 24
            api = f"{parts.one.address}/api/v1"
            async with http.get(f"{api}/interactions/{said['id']}", headers=bearer) as answer:
                talk = (await answer.json())["conversation"]
            for number in range(3):
                text = f"Ответ {number}"
                replies = f"{api}/conversations/{talk}/replies"
                async with http.post(replies, json={"text": text}, headers=bearer) as answer:
                    delivery = (await answer.json())["delivery"]
                shown = await comes(messages, text)
                assert not shown["mine"]
                await ask(http, parts.two, "seen", token=token, delivered=[shown["id"]], read=[shown["id"]])
                async with http.get(f"{api}/deliveries/{delivery}", headers=bearer) as answer:
                    assert (await answer.json())["state"] == "read"
        async with following(http, parts.one, token) as again:
            assert [(await again.get())["text"] for _ in range(4)] == ["Через другой процесс"] + [
                f"Ответ {number}" for number in range(3)
            ]
