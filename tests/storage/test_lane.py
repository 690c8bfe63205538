"""The write lane: one transaction for whoever waits; one bad piece is undone alone; on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from storage.events import Event
from storage.lane import LaneClosed
from storage.models import bookmark, raw
from storage.store import Store
from storage.unit import Unit

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


class Told:
    """Hears what is told after commits."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.deaf = False

    def __call__(self, events: tuple[Event, ...]) -> None:
        if self.deaf:
            raise RuntimeError("nobody listens")
        self.events += events


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def store(database_url: str, tmp_path: Path, told: Told) -> Iterator[Store]:
    opened = Store.open(database_url, tmp_path / "files", lambda: NOW, told=told)
    opened.lane.start()
    yield opened
    opened.lane.close()
    opened.engines.dispose()


def keep(unit: Unit, key: str) -> str:
    unit.connection.execute(insert(bookmark).values(line="l", key=key, value=key))
    unit.emit(Event("line", key))
    return key


def kept(store: Store) -> list[str]:
    return sorted(store.read_now(lambda connection: connection.execute(select(bookmark.c.key)).scalars().all()))


def batch(unit: Unit, items: Sequence[str]) -> list[str]:
    done = [keep(unit, item) for item in items]
    if any(item.startswith("bad") for item in items):
        raise ValueError(f"{items} hold something bad")
    return [f"{one} of {len(items)}" for one in done]


async def test_a_write_returns_after_the_commit(store: Store, told: Told) -> None:
    assert await store.write(lambda unit: keep(unit, "a")) == "a"
    assert kept(store) == ["a"]
    assert [event.id for event in told.events] == ["a"]


async def test_one_bad_piece_is_undone_alone(store: Store, told: Told) -> None:
    pieces = [store.lane.hand_in(batch, f"{'bad' if number == 3 else 'ok'}{number}") for number in range(8)]
    outcomes = await asyncio.gather(*pieces, return_exceptions=True)
    assert [isinstance(one, ValueError) for one in outcomes] == [number == 3 for number in range(8)]
    assert kept(store) == [f"ok{number}" for number in range(8) if number != 3]
    assert sorted(str(event.id) for event in told.events) == kept(store), "nothing is told that was undone"


async def test_a_failed_statement_spoils_no_other_piece(store: Store) -> None:
    """PostgreSQL refuses everything after a failed statement, unless it was in a savepoint."""
    await store.write(lambda unit: keep(unit, "taken"))
    keys = ["a", "taken", "b"]
    outcomes = await asyncio.gather(
        *(store.write(lambda unit, key=key: keep(unit, key)) for key in keys), return_exceptions=True
    )
    assert [type(one) for one in outcomes] == [str, IntegrityError, str]
    assert kept(store) == ["a", "b", "taken"]


async def test_single_pieces_and_batches_mix(store: Store) -> None:
    pieces: list[Any] = []
    for number in range(30):
        key = f"{'bad' if number % 7 == 0 else 'k'}{number}"
        if number % 3:
            pieces.append(store.lane.hand_in(batch, key))
        else:
            pieces.append(store.write(lambda unit, key=key: batch(unit, [key])))
    outcomes = await asyncio.gather(*pieces, return_exceptions=True)
    assert [isinstance(one, ValueError) for one in outcomes] == [number % 7 == 0 for number in range(30)]
    assert len(kept(store)) == 25


async def test_numbers_after_an_undone_piece_are_fresh(store: Store) -> None:
    def row(unit: Unit, fails: bool) -> int:
        number = unit.take_ids(raw, 1)[0]
        unit.connection.execute(insert(raw).values(id=number, media_type="x", size=0))
        if fails:
            raise ValueError("undone")
        return number

    outcomes = await asyncio.gather(
        *(store.write(lambda unit, fails=fails: row(unit, fails)) for fails in (False, True, False, True, False)),
        return_exceptions=True,
    )
    numbers = [one for one in outcomes if isinstance(one, int)]
    assert len(numbers) == 3 == len(set(numbers)) and numbers == sorted(numbers)


async def test_whoever_no_longer_waits_disturbs_nobody(store: Store) -> None:
    gone = asyncio.ensure_future(store.write(lambda unit: keep(unit, "gone")))
    stays = asyncio.ensure_future(store.write(lambda unit: keep(unit, "stays")))
    await asyncio.sleep(0)
    gone.cancel()
    assert await stays == "stays"
    with pytest.raises(asyncio.CancelledError):
        await gone
    assert kept(store) == ["gone", "stays"], "what was handed in is done all the same"


async def test_a_deaf_listener_does_not_stop_the_lane(store: Store, told: Told) -> None:
    told.deaf = True
    assert await store.write(lambda unit: keep(unit, "a")) == "a"
    assert await store.write(lambda unit: keep(unit, "b")) == "b"
    assert store.lane.alive


async def test_closing_finishes_what_is_queued_and_refuses_the_rest(store: Store) -> None:
    pieces = [asyncio.ensure_future(store.write(lambda unit, n=number: keep(unit, f"{n}"))) for number in range(200)]
    await asyncio.sleep(0)
    await asyncio.to_thread(store.lane.close)
    await asyncio.gather(*pieces)
    assert len(kept(store)) == 200
    with pytest.raises(LaneClosed):
        await store.write(lambda unit: keep(unit, "late"))


async def test_what_fails_at_the_commit_fails_for_all_and_the_lane_goes_on(database_url: str, tmp_path: Path) -> None:
    broken = [True]

    def before_commit(unit: Unit) -> None:
        if broken.pop() if broken else False:
            raise OSError("the bus is gone")

    store = Store.open(database_url, tmp_path / "files", lambda: NOW, before_commit=before_commit)
    try:
        store.lane.start()
        with pytest.raises(OSError, match="bus"):
            await store.write(lambda unit: keep(unit, "a"))
        assert await store.write(lambda unit: keep(unit, "b")) == "b"
        assert kept(store) == ["b"]
    finally:
        await store.close()


async def test_two_lanes_that_write_the_same_both_succeed(database_url: str, tmp_path: Path) -> None:
    """On PostgreSQL the second waits, finds it there, and looks again; SQLite lets one write at a time."""
    stores = [Store.open(database_url, tmp_path / "files", lambda: NOW) for _ in range(2)]

    def keep_once(unit: Unit, keys: Sequence[str]) -> list[str]:
        known = set(unit.connection.execute(select(bookmark.c.key).where(bookmark.c.key.in_(keys))).scalars())
        for key in dict.fromkeys(keys):
            if key not in known:
                keep(unit, key)
        return list(keys)

    try:
        for store in stores:
            store.lane.start()
        pieces = [store.lane.hand_in(keep_once, f"k{number}") for number in range(60) for store in stores]
        assert len(await asyncio.gather(*pieces)) == 120
        assert len(kept(stores[0])) == 60
    finally:
        for store in stores:
            await store.close()
