"""Files that come at once, later, or never: the message is there in any case, and each file once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest

from channels.errors import Rejected, Unreachable
from channels.fetching import Found, deliver_with_files, fetch_all
from channels.touch import Attachment, Direction, Identity, Kind, Raw, Touch
from tests.channels.door import Crash, FakeDoor

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
TOUCH = Touch(
    "line",
    "wamid.1",
    Kind.MESSAGE,
    Direction.INBOUND,
    NOW,
    (Identity("whatsapp", "1"),),
    external_id="wamid.1",
    text="Смотрите",
    raw=Raw(b"{}", "application/json"),
)


def source(*refusals: str) -> Callable[[str], Awaitable[Attachment]]:
    """Fetches anything but what it refuses: `name` for now, `name!` for good."""

    async def fetch(name: str) -> Attachment:
        if name in refusals:
            raise Unreachable("the server is away")
        if f"{name}!" in refusals:
            raise Rejected("it is too large")
        return Attachment(name, "image/png", name.encode())

    return fetch


async def find(*names: str, refusals: tuple[str, ...] = ()) -> Found:
    return await fetch_all(names, source(*refusals), str, pauses=(0.0,))


async def test_a_passing_failure_is_tried_again_in_place() -> None:
    failures = [Unreachable("away"), Unreachable("away")]

    async def fetch(name: str) -> Attachment:
        if failures:
            raise failures.pop()
        return Attachment(name, "image/png", b"x")

    found = await fetch_all(["a.png"], fetch, str, pauses=(0.0, 0.0))
    assert [file.name for file in found.files] == ["a.png"] and found.remarks == ()


async def test_what_cannot_be_had_is_a_remark() -> None:
    found = await find("a", "b", "c", refusals=("b!", "c"))
    assert [file.name for file in found.files] == ["a"] and found.awaited == "2"
    assert found.remarks == (
        "the file b could not be fetched: it is too large",
        "the file c could not be fetched: the server is away",
    )


async def test_a_file_that_is_away_comes_with_a_later_push_and_only_it() -> None:
    hub = FakeDoor(time=NOW)
    door = hub.door()
    assert not await deliver_with_files(door, TOUCH, await find("a", "b", refusals=("b",)))
    assert not await deliver_with_files(door, TOUCH, await find("a", "b", refusals=("b",)))
    assert await deliver_with_files(door, TOUCH, await find("a", "b"))
    assert await deliver_with_files(door, TOUCH, await find("a", "b"))
    first, later = sorted(hub.logged, key=lambda touch: touch.event_key)
    assert [file.name for file in first.attachments] == ["a"] and "b could not be fetched" in first.remarks[0]
    assert [file.name for file in later.attachments] == ["b"] and later.phase == "fetched"
    assert (later.external_id, later.remarks) == (first.external_id, ("fetched after all: b",))


async def test_a_whole_message_that_comes_again_asks_for_nothing() -> None:
    hub = FakeDoor(time=NOW)
    assert await deliver_with_files(hub.door(), TOUCH, await find("a"))
    assert await deliver_with_files(hub.door(), TOUCH, await find("a", refusals=("a",)))
    assert await deliver_with_files(hub.door(), TOUCH, await find("a"))
    assert len(hub.logged) == 1 and len(hub.logged[0].attachments) == 1


async def test_a_crash_before_the_commit_forgets_no_file() -> None:
    def die(_: Touch) -> None:
        raise Crash

    hub = FakeDoor(time=NOW, before_deliver=die)
    with pytest.raises(Crash):
        await deliver_with_files(hub.door(), TOUCH, await find("a", refusals=("a",)))
    hub.before_deliver = None
    assert not await deliver_with_files(hub.door(), TOUCH, await find("a", refusals=("a",)))
    assert await deliver_with_files(hub.door(), TOUCH, await find("a"))
    assert [len(touch.attachments) for touch in hub.logged] == [0, 1]


async def test_after_an_hour_the_remark_is_the_last_word() -> None:
    hub = FakeDoor(time=NOW + timedelta(minutes=61))
    assert await deliver_with_files(hub.door(), TOUCH, await find("a", refusals=("a",)))
