"""What open pages are told: at once what concerns them, the rest together; and what an event keeps to itself."""

from __future__ import annotations

import asyncio

from hub.live import Live
from storage.events import Event

LONG_S = 20.0


def rings(event: Event) -> bool:
    return event.what == "ringing"


async def test_what_is_urgent_brings_along_what_waits() -> None:
    live = Live()
    async with live.gather(rings) as inbox, asyncio.timeout(LONG_S):
        live.tell([Event("task", 1)])
        live.tell([Event("interaction", 2, "ringing"), Event("client", 3)])
        told = await inbox.take()
    assert [event.id for event in told if event] == [1, 2, 3]


async def test_what_is_not_urgent_comes_by_itself() -> None:
    live = Live()
    async with live.gather(rings) as inbox, asyncio.timeout(LONG_S):
        live.tell([Event("task", 1)])
        assert await inbox.take() == [Event("task", 1)]


async def test_whoever_does_not_look_for_long_begins_afresh() -> None:
    live = Live()
    async with live.gather(rings) as inbox, asyncio.timeout(LONG_S):
        for number in range(2_000):
            live.tell([Event("task", number)])
        assert None in await inbox.take()


async def test_a_page_that_waits_is_woken_when_the_server_stops() -> None:
    live = Live()
    async with live.gather(rings) as inbox, asyncio.timeout(LONG_S):
        waiting = asyncio.create_task(inbox.take())
        await asyncio.sleep(0)
        live.wake()
        assert await waiting == []


def test_the_row_of_a_call_stays_inside() -> None:
    event = Event("interaction", 1, "ringing", phones="anna", row={"call": {"from": "+79261234567"}})
    assert "7926" not in event.as_json() + repr(event)
    assert Event.from_json(event.as_json()) == Event("interaction", 1, "ringing", phones="anna")


async def test_what_is_prepared_is_ready_before_anybody_is_told_and_fails_for_itself() -> None:
    live, seen = Live(), list[str]()
    live.bind(asyncio.get_running_loop())

    def fail(events: tuple[Event, ...]) -> None:
        raise RuntimeError("not to be read just now")

    live.before_telling(fail)
    live.before_telling(lambda events: seen.append("prepared"))
    live.on_event(lambda event: seen.append(event.what))
    async with live.gather(rings) as inbox, asyncio.timeout(LONG_S):
        await asyncio.to_thread(live.tell_from_thread, (Event("interaction", 2, "ringing"),))
        assert await inbox.take() == [Event("interaction", 2, "ringing")]
    assert seen == ["prepared", "ringing"]
