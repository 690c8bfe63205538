"""The live stream: what open pages are told, and that it never holds the server up."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from tests.hub.desk.office import ANNA, mail, open_office
from tests.hub.desk.visits import Visit, visit


async def _next(stream: Any) -> Any:
    """The next message's data."""
    async with asyncio.timeout(60):
        while True:
            line = (await stream.content.readline()).decode()
            if line.startswith("data: "):
                return json.loads(line[6:])


async def _hear(stream: Any, **wanted: Any) -> None:
    """Read on until an event has these fields."""
    while True:
        told = await _next(stream)
        if isinstance(told, list) and any(wanted.items() <= event.items() for event in told):
            return


async def _open(visitor: Visit) -> Any:
    return await visitor.http.get(f"{visitor.office.address}/desk/events")


async def test_pages_are_told_what_changed_and_streams_end_with_the_server(tmp_path: Path) -> None:
    async with open_office(tmp_path, f"sqlite:///{tmp_path / 'touchline.db'}") as office:
        context = visit(office, "anna")
        visitor = await context.__aenter__()
        stream = await _open(visitor)
        assert stream.headers["Content-Type"] == "text/event-stream"
        assert await _next(stream) == {}
        number = await office.conversation_of(
            await office.hear(mail("one", "a@b.example", "A", "Hello", "text", office.store.now()))
        )
        await _hear(stream, conversation=number)
        from hub.actions import conversations

        await office.do(lambda unit, setup: conversations.take(unit, setup, number, ANNA))
        await _hear(stream, subject="conversation", what="taken")
        more = [await _open(visitor) for _ in range(5)]
    async with asyncio.timeout(60):
        for each in (stream, *more):
            await each.content.read()  # raises where the server had to break it off
    await context.__aexit__(None, None, None)


async def test_a_draft_tells_once_that_somebody_sits_down(tmp_path: Path) -> None:
    async with (
        open_office(tmp_path, f"sqlite:///{tmp_path / 'touchline.db'}") as office,
        visit(office, "anna") as visitor,
    ):
        touch = mail("one", "a@b.example", "A", "Hello", "text", office.store.now())
        number = await office.conversation_of(await office.hear(touch))
        async with office.hub.live.listen() as queue:
            for text in ("H", "He", "Hel"):
                await visitor.post(f"/desk/conversations/{number}/draft", {"text": text, "open": "1"})
            await visitor.post(f"/desk/conversations/{number}/draft", {"text": "Hel"})
            await asyncio.sleep(0.1)
            told = [queue.get_nowait() for _ in range(queue.qsize())]
        assert [(event.what, event.operator) for event in told if event] == [("writing", "anna"), ("writing", "anna")]
