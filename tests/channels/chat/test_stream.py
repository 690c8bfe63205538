"""What a visitor's stream tells, when, and to whom; and what becomes of our messages."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from channels.chat import lobby, stream
from channels.chat.session import identity_of
from channels.errors import Rejected
from channels.talk import Attendance, Hint, HintOf
from channels.touch import Direction, Identity, Message, ReceiptState
from tests.channels.chat.rig import CLIENT, CONVERSATION, Browser, FakeTalks, open_channel
from tests.channels.door import FakeDoor, until

AT = datetime(2026, 11, 21, 9, tzinfo=UTC)
Row = dict[str, Any]


@asynccontextmanager
async def following(visitor: Browser) -> AsyncIterator[asyncio.Queue[Row]]:
    """The pieces of a stream; comments are left out."""
    answer = await visitor.post("follow", {"token": visitor.token})
    assert answer.status == 200 and answer.stream is not None and answer.media_type == "text/event-stream"
    pieces: asyncio.Queue[Row] = asyncio.Queue()
    reading = asyncio.create_task(_read(answer.stream, pieces))
    try:
        yield pieces
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        await answer.stream.aclose()


async def _read(source: AsyncGenerator[bytes], pieces: asyncio.Queue[Row]) -> None:
    async for piece in source:
        if piece.startswith(b"data: "):
            pieces.put_nowait(json.loads(piece[6:]))


async def next_of(pieces: asyncio.Queue[Row], kind: str = "talk") -> Row:
    """The next piece of a kind."""
    async with asyncio.timeout(60):
        while (found := await pieces.get())["type"] != kind:
            pass
    return found


def texts(piece: Row) -> list[str]:
    return [one["text"] for one in piece["messages"]]


def ours(session: str, text: str, reference: str = "ref", **more: Any) -> Message:
    return Message(reference, (identity_of(session),), text, AT, **more)


async def test_the_talk_as_it_is_then_only_what_is_new(visitor: Browser, talks: FakeTalks) -> None:
    await visitor.say("Первое", 1)
    async with following(visitor) as pieces:
        assert (await next_of(pieces, "attendance"))["present"] is True
        first = await next_of(pieces)
        assert (
            texts(first) == ["Первое"] and first["messages"][0]["ref"] == f"{1:024x}" and first["messages"][0]["mine"]
        )
        await visitor.say("Второе", 2)
        assert texts(await next_of(pieces)) == ["Второе"]
        reply = talks.add(visitor.session, Direction.OUTBOUND, "Ответ", f"{visitor.session}/ref", name="Анна")
        talks.hint()
        (shown,) = (await next_of(pieces))["messages"]
        assert (shown["text"], shown["name"], shown["mine"], shown["ref"], shown["state"]) == (
            "Ответ",
            "Анна",
            False,
            None,
            "sent",
        )
        talks.said[visitor.session][-1] = replace(reply, state="read")
        talks.hint(Hint(HintOf.TALK, None, CONVERSATION))
        assert [(one["text"], one["state"]) for one in (await next_of(pieces))["messages"]] == [("Ответ", "read")]
        talks.writing = True
        talks.hint()
        piece = await next_of(pieces)
        assert (piece["writing"], piece["messages"]) == (True, [])
        talks.attending = Attendance(False, AT)
        talks.hint(Hint(HintOf.ATTENDANCE))
        assert (await next_of(pieces, "attendance"))["opens_at"] == "2026-11-21T09:00:00Z"


async def test_two_tabs_hear_the_same_and_neighbours_nothing(visitor: Browser, talks: FakeTalks) -> None:
    neighbour = await Browser(visitor.channel).open()
    await neighbour.say("Я другой", 1)
    async with following(visitor) as one, following(visitor) as two, following(neighbour) as other:
        assert texts(await next_of(other)) == ["Я другой"]
        await visitor.say("Мне", 1)
        for tab in (one, two):
            while "Мне" not in texts(await next_of(tab)):
                pass
        talks.hint()
        await asyncio.sleep(0.05)
        assert other.empty()


def test_a_hint_is_for_those_whom_it_concerns() -> None:
    seat = lobby.Seat("a", "192.0.2.1")
    assert seat.concerns(Hint(HintOf.TALK, 99, 990)), "he may have begun a talk in another process"
    seat.clients, seat.conversations = frozenset([CLIENT]), frozenset([CONVERSATION])
    assert seat.concerns(Hint(HintOf.TALK, CLIENT, 5)) and seat.concerns(Hint(HintOf.TALK, None, CONVERSATION))
    assert not seat.concerns(Hint(HintOf.TALK, 99, 990)) and not seat.concerns(Hint(HintOf.TALK, None, None))


async def test_strangers_are_woken_by_foreign_messages_once_a_second_only(talks: FakeTalks) -> None:
    time = [100.0]
    room = lobby.Lobby(talks, lambda: time[0])
    with room.sit("a", "192.0.2.1") as seat:
        woken = []
        for time[0] in (100.0, 100.2, 100.9, 101.1):
            seat.woken.clear()
            talks.hint()
            woken.append(seat.woken.is_set())
        assert woken == [True, False, False, True]


async def test_a_talk_that_cannot_be_read_for_a_moment_is_read_later(visitor: Browser, talks: FakeTalks) -> None:
    talks.fails = 1
    async with following(visitor) as pieces:
        await until(lambda: not talks.fails, 10, lambda: "nobody read")
        assert pieces.empty()
        await visitor.say("Снова", 1)
        assert texts(await next_of(pieces)) == ["Снова"]


async def test_a_quiet_stream_shows_that_it_stands(
    visitor: Browser, monkeypatch: pytest.MonkeyPatch, talks: FakeTalks
) -> None:
    monkeypatch.setattr(stream, "HEARTBEAT_S", 0.01)
    answer = await visitor.post("follow", {"token": visitor.token})
    assert answer.stream is not None and answer.body.startswith(b":")
    async with asyncio.timeout(60):
        async for piece in answer.stream:
            if piece == b": here\n\n":
                break
    await answer.stream.aclose()


async def test_a_closed_line_ends_its_streams(visitor: Browser, talks: FakeTalks) -> None:
    answer = await visitor.post("follow", {"token": visitor.token})
    assert answer.stream is not None
    reading = asyncio.create_task(_read(answer.stream, asyncio.Queue()))
    await until(lambda: bool(talks.rings), 10, lambda: "nobody follows")
    await visitor.channel.close()
    async with asyncio.timeout(60):
        await reading


async def test_who_follows_is_here_and_who_left_is_gone(
    visitor: Browser, talks: FakeTalks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "_GRACE_S", 0.05)
    async with following(visitor) as pieces:
        await next_of(pieces, "attendance")
        assert talks.noted == [], "nothing is kept of who never wrote"
        await visitor.say("Я здесь", 1)
        await next_of(pieces)
        await until(lambda: talks.noted == [(visitor.session, True)], 10, lambda: str(talks.noted))
    async with following(visitor) as pieces:
        await next_of(pieces)
        await asyncio.sleep(0.1)
        assert (visitor.session, False) not in talks.noted, "he went from page to page"
    await until(lambda: talks.noted[-1] == (visitor.session, False), 10, lambda: str(talks.noted))


async def test_so_many_streams_and_no_more(visitor: Browser) -> None:
    open_ones = []
    for _ in range(13):
        answer = await visitor.post("follow", {"token": visitor.token})
        if answer.stream is None:
            assert answer.status == 429 and answer.headers["Retry-After"] == "30"
            break
        await anext(answer.stream)
        open_ones.append(answer.stream)
    assert len(open_ones) == 12
    for each in open_ones:
        await each.aclose()


async def test_ours_are_told_as_far_as_they_came_and_never_more(
    visitor: Browser, talks: FakeTalks, hub: FakeDoor
) -> None:
    await visitor.say("Вопрос", 1)
    talks.add(visitor.session, Direction.OUTBOUND, "Ответ", f"{visitor.session}/ref")
    stranger = await Browser(visitor.channel).open()
    for told in (
        {"delivered": [1, 2, "2", None], "read": []},
        {"delivered": [2], "read": [2]},
        {"delivered": 5, "read": {}},
    ):
        assert (await visitor.ask("seen", **told))[0] == 200
    assert [(one.external_id, one.state) for one in hub.receipts] == [
        (f"{visitor.session}/ref", ReceiptState.DELIVERED),
        (f"{visitor.session}/ref", ReceiptState.READ),
    ]
    talks.said[visitor.session][-1] = replace(talks.said[visitor.session][-1], state="read")
    await visitor.ask("seen", delivered=[2], read=[2])
    await stranger.ask("seen", delivered=[2], read=[2])
    assert len(hub.receipts) == 2


async def test_sending_is_for_who_has_written(visitor: Browser, talks: FakeTalks, hub: FakeDoor) -> None:
    await visitor.say("Вопрос", 1)
    channel = visitor.channel
    sent = await channel.send(ours(visitor.session, "Ответ", "abc"))
    assert sent.external_id == f"{visitor.session}/abc"
    assert await channel.was_sent(ours(visitor.session, "Ответ", "abc")) is False
    nobody = Message("r", (Identity("email", "a@b.example"),), "Ответ", AT)
    for wrong in (ours("0" * 24, "Ответ"), ours(visitor.session, "  "), nobody):
        with pytest.raises(Rejected):
            await channel.send(wrong)
    other = open_channel(hub, talks)
    assert (await other.send(ours(visitor.session, "Из другого процесса", "abc"))) == sent
