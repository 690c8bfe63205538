"""Supervising lines: three outcomes, one holder per line, no line stops another; on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from channels.contract import Channel, Health, LineState
from channels.errors import BadSettings, Rejected, Throttled, Unreachable
from channels.touch import Receipt, ReceiptState
from hub import listeners as listening
from hub.intake import Intake
from hub.listeners import HOLD, Listeners, Memory, note_health
from hub.settings import Settings
from hub.setup.importing import take
from hub.setup.live import LiveSetUp
from hub.setup.reading import read_setup
from storage import models
from tests.hub.fake_channel import FakeChannel
from tests.hub.intaking import running
from tests.hub.office import SETUP, Office

SUPPORT, ARCHIVE = "support-mail", "archive-mail"


class Fakes(Listeners):
    """Lines whose channels are fakes."""

    channels: dict[str, FakeChannel]

    def channel_of(self, key: str) -> Channel:
        return self.channels[key]


@asynccontextmanager
async def lines(office: Office, tmp_path: Path, **channels: FakeChannel) -> AsyncIterator[Fakes]:
    async with running(office):
        setup = LiveSetUp(office.store, office.setup)
        intake = Intake(office.store, lambda: setup.current)
        found = Fakes(Settings(home=tmp_path), office.store, setup, intake.deliver)
        found.channels = {SUPPORT: FakeChannel(), ARCHIVE: FakeChannel()}
        found.channels |= {f"{name}-mail": channel for name, channel in channels.items()}
        try:
            yield found
        finally:
            await found.close()


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "_AGAIN_S", (0.02,))
    monkeypatch.setattr(listening, "_PERSON_S", 0.02)
    monkeypatch.setattr(listening, "_RENEW_S", 0.02)


async def until(seen: Callable[[], Any]) -> None:
    async with asyncio.timeout(60):
        while not await asyncio.to_thread(seen):
            await asyncio.sleep(0.01)


def health(office: Office, key: str = SUPPORT) -> dict[str, Any]:
    found = office.rows(models.line_health, line=key)
    return found[0] if found else {"state": None, "reason": None, "holder": None}


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (Unreachable("no route"), "will_retry"),
        (Throttled("busy", retry_after=0.02), "will_retry"),
        (BadSettings("wrong password", remedy="correct it"), "needs_person"),
        (Rejected("no such box"), "needs_person"),
        (RuntimeError("a bug"), "will_retry"),
        (None, "will_retry"),
    ],
)
async def test_whatever_ends_a_line_it_says_so_comes_back_and_stops_no_other(
    office: Office, tmp_path: Path, error: Exception | None, state: str
) -> None:
    broken = FakeChannel(ends_with=error)
    if error is None:
        broken = _Ending()
    async with lines(office, tmp_path, support=broken) as found:
        found.start()
        await until(lambda: broken.listened >= 3 and health(office)["state"] == state)
        assert found.channels[ARCHIVE].listened == 1
        outages = office.rows(models.outage, line=SUPPORT)
        assert len(outages) == 1 and outages[0]["ended_at"] is None
        found._door(SUPPORT).health(Health(LineState.RUNNING))
        await until(lambda: any(one["ended_at"] for one in office.rows(models.outage)))


class _Ending(FakeChannel):
    """Its connection ends without an error."""

    async def listen(self) -> None:
        self.listened += 1


async def test_an_outage_is_remembered_with_its_times(office: Office) -> None:
    def note(state: LineState, reason: str = "") -> None:
        office.store.write_now(lambda unit: note_health(unit, SUPPORT, Health(state, reason)))

    note(LineState.RUNNING)
    down = office.clock.move(minutes=5)
    note(LineState.WILL_RETRY, "no route")
    office.clock.move(minutes=1)
    note(LineState.NEEDS_PERSON, "password")
    up = office.clock.move(minutes=2)
    note(LineState.RUNNING)
    (outage,) = office.rows(models.outage)
    assert (outage["began_at"], outage["ended_at"], outage["reason"]) == (down, up, "no route")
    assert health(office)["since"] == up


async def test_changed_settings_restart_a_line_and_only_that(office: Office, tmp_path: Path) -> None:
    async with lines(office, tmp_path) as found:
        found.start()
        await until(lambda: all(one.listened == 1 for one in found.channels.values()))
        text = SETUP.replace('address = "support@office.example"', 'address = "help@office.example"')
        await office.store.write(lambda unit: take(unit, read_setup([("x.toml", text)]), "test"))
        await found._setup.refresh()
        await until(lambda: found.channels[SUPPORT].listened == 2)
        assert found.channels[ARCHIVE].listened == 1


async def test_a_line_that_is_switched_off_falls_silent(office: Office, tmp_path: Path) -> None:
    async with lines(office, tmp_path) as found:
        found.start()
        await until(lambda: all(one.listened == 1 for one in found.channels.values()))
        text = SETUP.replace('team = "support"\naddress', 'team = "support"\npolicy = "off"\naddress')
        await office.store.write(lambda unit: take(unit, read_setup([("x.toml", text)]), "test"))
        await found._setup.refresh()
        assert set(found._tasks) == {ARCHIVE}
        assert health(office)["holder"] is None


async def test_a_replaced_channel_is_let_go(office: Office, tmp_path: Path) -> None:
    async with running(office):
        setup = LiveSetUp(office.store, office.setup)
        found = Listeners(
            Settings(home=tmp_path), office.store, setup, Intake(office.store, lambda: setup.current).deliver
        )
        first = found.channel_of(SUPPORT)
        assert found.channel_of(SUPPORT) is first
        with pytest.raises(BadSettings):
            found.channel_of("no-such-line")
        text = SETUP.replace('address = "support@office.example"', 'address = "help@office.example"')
        await office.store.write(lambda unit: take(unit, read_setup([("x.toml", text)]), "test"))
        await setup.refresh()
        assert found.channel_of(SUPPORT) is not first
        assert len(found._errands) == 1
        await found.close()
        assert not found._errands


async def test_one_process_holds_a_line_and_another_takes_over(office: Office, tmp_path: Path) -> None:
    if office.store.dialect == "sqlite":
        pytest.skip("SQLite has one process")
    async with lines(office, tmp_path) as first:
        first.start()
        await until(lambda: first.channels[SUPPORT].listened == 1)
        second = Fakes(first._settings, office.store, first._setup, first._deliver)
        second.channels = {SUPPORT: FakeChannel(), ARCHIVE: FakeChannel()}
        second.start()
        await asyncio.sleep(0.2)
        assert second.channels[SUPPORT].listened == 0
        await first.close()
        await until(lambda: second.channels[SUPPORT].listened == 1)
        stolen = update(models.line_health).values(holder="a third", held_until=office.clock() + HOLD)
        await office.store.write(lambda unit: unit.connection.execute(stolen))
        await until(lambda: health(office)["holder"] == "a third")
        await asyncio.sleep(0.2)
        office.clock.move(seconds=HOLD.total_seconds() + 1)
        await until(lambda: second.channels[SUPPORT].listened == 2)
        await second.close()


async def test_an_outage_of_the_database_stops_no_supervisor(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with lines(office, tmp_path) as found:
        write, failures = office.store.write, 0

        async def broken(work: Any) -> Any:
            nonlocal failures
            failures += 1
            if failures <= 6:
                raise OSError("the database is away")
            return await write(work)

        monkeypatch.setattr(office.store, "write", broken)
        found.start()
        await until(lambda: found.channels[SUPPORT].listened == 1 and found.channels[ARCHIVE].listened == 1)


async def test_reports_go_through_the_lane(office: Office, tmp_path: Path) -> None:
    async with lines(office, tmp_path) as found:
        await found._door(SUPPORT).report(Receipt(SUPPORT, "<x>", ReceiptState.DELIVERED, office.clock()))
    assert [row["external_id"] for row in office.rows(models.receipt)] == ["<x>"]


async def test_memory_is_kept_per_line(office: Office) -> None:
    async with running(office):
        memory = Memory(office.store, SUPPORT)
        assert await memory.recall("uid") is None
        await memory.keep("uid", "7")
        await memory.keep("uid", "8")
        assert (await memory.recall("uid"), await Memory(office.store, ARCHIVE).recall("uid")) == ("8", None)
    assert len(office.rows(models.bookmark)) == 1
    assert office.store.read_now(lambda connection: connection.execute(select(models.bookmark)).all())
    assert timedelta(0) < HOLD
