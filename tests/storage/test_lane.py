"""The write lane: one transaction for all who wait, each piece undone alone, events after the commit only."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from storage.events import Event
from storage.lane import LaneClosed
from storage.models import bookmark, client
from storage.store import Store
from storage.unit import Unit
from tests.storage.conftest import NOW


class Ears:
    """Hears what the lane tells after each commit."""

    def __init__(self) -> None:
        self.told: list[tuple[Event, ...]] = []

    def __call__(self, events: tuple[Event, ...]) -> None:
        self.told.append(events)


@pytest.fixture
def ears() -> Ears:
    return Ears()


@pytest.fixture
async def store(database_url: str, tmp_path: Path, ears: Ears) -> AsyncIterator[Store]:
    opened = Store.open(database_url, tmp_path / "files", lambda: NOW, told=ears)
    opened.lane.start()
    yield opened
    await opened.close()


def keep(unit: Unit, key: str) -> str:
    unit.connection.execute(insert(bookmark).values(line="l", key=key, value="x"))
    unit.emit(Event("line", key))
    return key


def keys(store: Store) -> set[str]:
    return set(store.read_now(lambda connection: connection.execute(select(bookmark.c.key)).scalars()))


def keep_all(unit: Unit, items: Sequence[str]) -> list[str]:
    return [f"{len(items)}:{keep(unit, item)}" for item in items]


class Gate:
    """Holds the lane until everybody has queued up."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.entered = threading.Event()

    def __call__(self, unit: Unit) -> None:
        self.entered.set()
        assert self.open.wait(10)


async def queue_up(store: Store) -> Gate:
    gate = Gate()
    task = asyncio.ensure_future(store.write(gate))
    await asyncio.to_thread(gate.entered.wait, 10)
    assert not task.done()
    return gate


async def test_it_answers_after_the_commit(store: Store) -> None:
    assert await store.write(lambda unit: keep(unit, "a")) == "a"
    assert keys(store) == {"a"}


async def test_who_waits_together_goes_together(store: Store, ears: Ears) -> None:
    gate = await queue_up(store)
    waiting = [asyncio.ensure_future(store.lane.hand_in(keep_all, f"k{number}")) for number in range(5)]
    await asyncio.sleep(0)
    gate.open.set()
    assert await asyncio.gather(*waiting) == [f"5:k{number}" for number in range(5)]
    assert [len(told) for told in ears.told] == [5]


async def test_a_piece_that_raises_is_undone_alone(store: Store, ears: Ears) -> None:
    def fail(unit: Unit) -> None:
        keep(unit, "bad")
        raise ValueError("no")

    gate = await queue_up(store)
    pieces = [
        asyncio.ensure_future(store.write(lambda unit: keep(unit, "first"))),
        asyncio.ensure_future(store.write(fail)),
        asyncio.ensure_future(store.write(lambda unit: keep(unit, "last"))),
    ]
    await asyncio.sleep(0)
    gate.open.set()
    answers = await asyncio.gather(*pieces, return_exceptions=True)
    assert [type(answer) for answer in answers] == [str, ValueError, str]
    assert keys(store) == {"first", "last"}
    assert [[event.id for event in told] for told in ears.told] == [["first", "last"]]


async def test_a_batch_that_raises_is_tried_one_by_one(store: Store) -> None:
    def strict(unit: Unit, items: Sequence[str]) -> list[str]:
        kept = [keep(unit, item) for item in items]
        if "bad" in items:
            raise ValueError("bad")
        return kept

    gate = await queue_up(store)
    pieces = [asyncio.ensure_future(store.lane.hand_in(strict, item)) for item in ("a", "bad", "c")]
    await asyncio.sleep(0)
    gate.open.set()
    answers = await asyncio.gather(*pieces, return_exceptions=True)
    assert [answers[0], type(answers[1]), answers[2]] == ["a", ValueError, "c"]
    assert keys(store) == {"a", "c"}


async def test_a_caller_who_gives_up_harms_nobody(store: Store) -> None:
    gate = await queue_up(store)
    lost = asyncio.ensure_future(store.write(lambda unit: keep(unit, "lost")))
    kept = asyncio.ensure_future(store.write(lambda unit: keep(unit, "kept")))
    await asyncio.sleep(0)
    lost.cancel()
    gate.open.set()
    assert await kept == "kept"
    assert keys(store) == {"lost", "kept"}


async def test_what_is_queued_is_finished_before_it_stops_and_then_nothing_is_taken(store: Store) -> None:
    gate = await queue_up(store)
    last = asyncio.ensure_future(store.write(lambda unit: keep(unit, "last")))
    await asyncio.sleep(0)
    closing = asyncio.create_task(asyncio.to_thread(store.lane.close))
    await asyncio.sleep(0.01)
    gate.open.set()
    await closing
    assert await last == "last"
    assert not store.lane.alive
    with pytest.raises(LaneClosed):
        await store.write(lambda unit: keep(unit, "late"))


async def test_figures_count_transactions_by_size(store: Store) -> None:
    gate = await queue_up(store)
    pieces = [asyncio.ensure_future(store.write(lambda unit: None)) for _ in range(3)]
    await asyncio.sleep(0)
    gate.open.set()
    await asyncio.gather(*pieces)
    assert (store.lane.figures.pieces, store.lane.figures.buckets[:3]) == (4, [1, 0, 1])


async def test_row_numbers_ascend_and_are_nobody_elses(store: Store) -> None:
    def take(unit: Unit) -> list[int]:
        numbers = [*unit.take_ids(client, 3), *unit.take_ids(client, 2)]
        for number in numbers:
            unit.connection.execute(insert(client).values(id=number, name="", created_at=unit.now))
        return numbers

    found = await asyncio.gather(*(store.write(take) for _ in range(4)))
    everything = [number for numbers in found for number in numbers]
    assert len(set(everything)) == 20
    assert all(numbers == sorted(numbers) for numbers in found)


async def test_a_failed_commit_is_told_to_everybody(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(unit: Unit) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(store.lane, "_before_commit", broken)
    answers = await asyncio.gather(
        store.write(lambda unit: keep(unit, "a")), store.write(lambda unit: keep(unit, "b")), return_exceptions=True
    )
    assert [type(answer) for answer in answers] == [OSError, OSError]
    monkeypatch.undo()
    assert keys(store) == set()
    assert await store.write(lambda unit: keep(unit, "c")) == "c"
