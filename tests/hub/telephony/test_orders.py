"""Orders between processes: done once by who listens, or refused in time; never late."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from channels.errors import Rejected, Unreachable
from hub.composition import Hub
from hub.errors import Conflict, Unavailable
from hub.intake import Intake
from hub.listeners import Listeners
from hub.live import Live
from hub.settings import Settings
from hub.setup.live import LiveSetUp
from hub.telephony import orders
from hub.telephony.orders import OrderTaker, order
from storage import models
from storage.events import Event
from storage.lane import Lane
from storage.repositories import phone_orders as rows
from storage.store import Store
from tests.hub.office import Office
from tests.hub.telephony.exchange import listen, with_exchange


class FakeTelephone:
    """Remembers what it was told; `fate` is raised. Only what orders call is there."""

    def __init__(self, fate: Exception | None = None) -> None:
        self.fate = fate
        self.told: list[tuple[str, dict[str, Any]]] = []

    async def call(self, **given: Any) -> str:
        self.told.append(("call", given))
        if self.fate is not None:
            raise self.fate
        return "touchline-1.1"

    def routed(self, **given: Any) -> None:
        self.told.append(("routed", given))


def bus(office: Office, *lives: Live) -> Lane:
    """The store's lane, whose events reach all of these: what the bus between processes does."""

    def told(events: tuple[Event, ...]) -> None:
        for live in lives:
            live.tell_from_thread(events)

    office.store.lane = Lane(office.store.engines, office.store.now, told=told)
    office.store.lane.start()
    return office.store.lane


@contextmanager
def two_processes(office: Office, home: Path, telephone: FakeTelephone) -> Iterator[Hub]:
    """The hub of the one that serves the web; the other one listens on the line, on this telephone."""
    here, there = Live(), Live()
    for live in (here, there):
        live.bind(asyncio.get_running_loop())
    lane = bus(office, here, there)
    taker = OrderTaker(office.store, "the listener", lambda line: telephone if line == "pbx" else None)  # type: ignore[arg-type,return-value]
    there.on_event(taker.hear)
    setup = LiveSetUp.open(office.store)
    settings = Settings(home=home)
    intake = Intake(office.store, lambda: setup.current)
    listeners = Listeners(settings, office.store, setup, intake.deliver)
    try:
        yield Hub(settings, office.store, setup, here, intake, listeners)
    finally:
        lane.close()


async def test_an_order_is_done_by_who_listens_and_its_answer_comes_back(office: Office, tmp_path: Path) -> None:
    with_exchange(office)
    telephone = FakeTelephone()
    with two_processes(office, tmp_path, telephone) as hub:
        assert await order(hub, "pbx", "call", extension="101", number="+79161234567") == "touchline-1.1"
        assert await order(hub, "pbx", "routed", linkedid="1.1", answer="closed") is None
    assert telephone.told == [
        ("call", {"extension": "101", "number": "+79161234567"}),
        ("routed", {"linkedid": "1.1", "answer": "closed"}),
    ]
    assert office.rows(models.phone_order) == []


@pytest.mark.parametrize(
    ("fate", "refused"),
    [
        (Rejected("PJSIP/101: the telephone cannot be rung", remedy="Is it on?"), Conflict),
        (Unreachable("100 % gone: %(nothing)s"), Unavailable),
        (RuntimeError("a fault of ours"), Unavailable),
    ],
    ids=["rejected", "unreachable", "broken"],
)
async def test_what_the_exchange_refuses_is_refused_here(
    office: Office, tmp_path: Path, fate: Exception, refused: type[Exception]
) -> None:
    with_exchange(office)
    with two_processes(office, tmp_path, FakeTelephone(fate)) as hub, pytest.raises(refused) as caught:
        await order(hub, "pbx", "call", extension="101", number="1")
    reason = getattr(fate, "reason", "a fault of ours")
    assert reason in str(caught.value) and getattr(caught.value, "remedy", None) == getattr(fate, "remedy", None)
    assert office.rows(models.phone_order) == []


async def test_nobody_listens_so_nothing_is_ordered(office: Office, tmp_path: Path) -> None:
    with_exchange(office)
    telephone = FakeTelephone()
    with two_processes(office, tmp_path, telephone) as hub:
        listen(office, until=office.clock() - timedelta(seconds=1))
        with pytest.raises(Unavailable, match="nothing was done"):
            await order(hub, "pbx", "call", extension="101", number="1")
    assert telephone.told == []


async def test_what_nobody_begins_in_time_is_withdrawn(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_exchange(office, '[line.far]\nchannel = "asterisk"\nhost = "127.0.0.1"\nusername = "a"\nsecret = "b"')
    listen(office, "far")
    monkeypatch.setattr(orders, "BEGIN_S", 0.2)
    telephone = FakeTelephone()
    with two_processes(office, tmp_path, telephone) as hub:
        with pytest.raises(Unavailable, match="nothing was done"):
            await order(hub, "far", "call", extension="101", number="1")
        assert office.rows(models.phone_order) == []


async def test_what_was_begun_and_is_not_answered_is_told_as_unknown(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_exchange(office)
    monkeypatch.setattr(orders, "BEGIN_S", 0.3)
    monkeypatch.setattr(orders, "FINISH_S", 0.3)

    class Silent(FakeTelephone):
        async def call(self, **given: Any) -> str:
            await asyncio.Event().wait()
            raise AssertionError

    refusal = pytest.raises(Unavailable, match="look whether it was done")
    with two_processes(office, tmp_path, Silent()) as hub, refusal:
        await order(hub, "pbx", "call", extension="101", number="1")


def test_an_order_is_taken_once_and_never_late(office: Office) -> None:
    with_exchange(office)
    store: Store = office.store
    until = office.clock() + timedelta(seconds=3)
    for number in ("one", "two", "three"):
        assert store.write_now(lambda unit, number=number: rows.place(unit, number, "pbx", "pause", {}, until))  # type: ignore[misc]
    assert store.write_now(lambda unit: rows.take(unit, "one", "a")) is not None
    assert store.write_now(lambda unit: rows.take(unit, "one", "b")) is None
    assert not store.write_now(lambda unit: rows.withdraw(unit, "one")), "it was begun"
    assert store.write_now(lambda unit: rows.withdraw(unit, "two"))
    assert store.write_now(lambda unit: rows.take(unit, "two", "a")) is None
    office.clock.move(seconds=4)
    assert store.write_now(lambda unit: rows.take(unit, "three", "a")) is None
    office.clock.move(hours=2)
    store.write_now(lambda unit: rows.place(unit, "four", "pbx", "pause", {}, unit.now))
    assert [row["id"] for row in office.rows(models.phone_order)] == ["four"]
