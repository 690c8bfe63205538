"""What operators do with their telephones: who may, on which line, with which extension, and what the journal says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from channels.contract import Presence
from hub.actions import calling
from hub.actor import Actor
from hub.composition import Hub
from hub.errors import BadInput, Conflict, Forbidden, NotFound, Refused
from hub.intake import Intake
from hub.listeners import Listeners
from hub.live import Live
from hub.settings import Settings
from hub.setup.live import LiveSetUp
from storage import models
from tests.hub.office import ANNA, BORIS, PROGRAM, VERA, Office
from tests.hub.telephony.exchange import journal, phone, ring, show, with_exchange

SHOP = Actor("token", "shop", "operator")


class FakeExchange:
    """A `Telephone` that remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []

    async def call(self, extension: str, number: str) -> str:
        self.told.append(("call", extension, number))
        return "touchline-1.1"

    async def transfer(self, call: str, extension: str, to: str, *, attended: bool = False) -> None:
        self.told.append(("transfer", call, extension, to, attended))

    async def take_back(self, call: str, extension: str) -> None:
        self.told.append(("take_back", call, extension))

    async def redirect(self, call: str, to: str) -> None:
        self.told.append(("redirect", call, to))

    async def hang_up(self, call: str, extension: str | None = None) -> None:
        self.told.append(("hang_up", call, extension))

    async def pause(self, extension: str, reason: str = "", queue: str | None = None) -> None:
        self.told.append(("pause", extension, reason))

    async def unpause(self, extension: str, queue: str | None = None) -> None:
        self.told.append(("unpause", extension))

    async def log_in(self, extension: str, queue: str, name: str = "", penalty: int = 0) -> None:
        self.told.append(("log_in", extension, queue, name))

    async def log_out(self, extension: str, queue: str) -> None:
        self.told.append(("log_out", extension, queue))

    async def pause_recording(self, call: str, paused: bool = True) -> None:
        self.told.append(("pause_recording", call, paused))

    def recordings(self, call: Any) -> tuple[()]:
        return ()

    def voicemail(self, call: Any) -> None:
        return None

    def keeping(self) -> None:
        return None

    async def erase(self, call: Any) -> bool:
        return False

    def routed(self, linkedid: str, answer: str) -> None:
        self.told.append(("routed", linkedid, answer))

    def picture(self) -> Presence:
        return Presence("pbx", datetime.min)


class OneLine(Listeners):
    """This process listens on `pbx`."""

    exchange: FakeExchange

    def listens_to(self, key: str) -> bool:
        return key == "pbx"

    def channel_of(self, key: str) -> Any:
        return self.exchange


@pytest.fixture
def office(plain_office: Office) -> Office:
    """One kind of database will do: nothing here asks it anything of its own."""
    return plain_office


@pytest.fixture
async def hub(office: Office, tmp_path: Path) -> AsyncIterator[Hub]:
    with_exchange(office)
    show(office, phone("101"), phone("102"))
    settings, setup, live = Settings(home=tmp_path), LiveSetUp.open(office.store), Live()
    live.bind(asyncio.get_running_loop())
    intake = Intake(office.store, lambda: setup.current)
    listeners = OneLine(settings, office.store, setup, intake.deliver)
    listeners.exchange = FakeExchange()
    office.store.lane.start()
    yield Hub(settings, office.store, setup, live, intake, listeners)
    office.store.lane.close()


def told(hub: Hub) -> list[tuple[Any, ...]]:
    assert isinstance(hub.listeners, OneLine)
    return hub.listeners.exchange.told


def talking(office: Office, operator: str = "101") -> int:
    """A call in which an operator talks and another one was tried."""
    legs = [
        {"operator": "boris", "extension": "102", "ended_at": office.clock().isoformat(), "result": "no_answer"},
        {"operator": "anna", "extension": "101", "ended_at": None, "result": "answered"},
    ]
    row = ring(office, "c1", "answered", operator=operator, outcome="answered", legs=legs)
    return int(row["id"])


async def test_an_operator_calls_for_himself_a_supervisor_for_anyone(office: Office, hub: Hub) -> None:
    assert await calling.call(hub, ANNA, "anna", " +79161234567 ") == "touchline-1.1"
    assert await calling.call(hub, VERA, "boris", "102") == "touchline-1.1"
    for actor in (ANNA, SHOP):
        with pytest.raises(Forbidden):
            await calling.call(hub, actor, "boris", "1")
    with pytest.raises(BadInput, match="no operator"):
        await calling.call(hub, VERA, "nobody", "1")
    with pytest.raises(BadInput, match="vera has no extension"):
        await calling.call(hub, VERA, "vera", "1")
    assert told(hub) == [("call", "101", "+79161234567"), ("call", "102", "102")]
    assert journal(office) == [("called", "operator:anna"), ("called", "operator:vera")]


async def test_a_call_is_handed_over_by_who_talks(office: Office, hub: Hub) -> None:
    number = talking(office)
    await calling.transfer(hub, ANNA, number, "boris", attended=True)
    await calling.transfer(hub, VERA, number, "8 812 325-83-51")
    assert told(hub) == [
        ("transfer", "c1", "101", "102", True),
        ("transfer", "c1", "101", "8 812 325-83-51", False),
    ]
    with pytest.raises(Forbidden):
        await calling.transfer(hub, BORIS, number, "102")
    with pytest.raises(BadInput, match="vera has no extension"):
        await calling.transfer(hub, ANNA, number, "vera")


async def test_who_asks_a_colleague_can_take_the_call_back(office: Office, hub: Hub) -> None:
    asked = {"operator": "boris", "extension": "102", "ended_at": None, "result": None, "asked_by": "anna"}
    legs = [{"operator": "anna", "extension": "101", "ended_at": None, "result": "answered"}, asked]
    number = int(ring(office, "c1", "held", operator="101", outcome="answered", legs=legs)["id"])
    await calling.take_back(hub, ANNA, number)
    await calling.take_back(hub, VERA, number)
    assert told(hub) == [("take_back", "c1", "101")] * 2
    assert journal(office) == [("taken_back", "operator:anna"), ("taken_back", "operator:vera")]
    with pytest.raises(Conflict, match="nobody is asked"):
        await calling.take_back(hub, BORIS, talking_to_boris(office))


def talking_to_boris(office: Office) -> int:
    """A call in which he talks and asks nobody."""
    legs = [{"operator": "boris", "extension": "102", "ended_at": None, "result": "answered"}]
    return int(ring(office, "c2", "answered", operator="102", outcome="answered", legs=legs)["id"])


async def test_an_operator_ends_his_part_and_a_supervisor_the_whole(office: Office, hub: Hub) -> None:
    number = talking(office)
    await calling.hang_up(hub, ANNA, number)
    await calling.hang_up(hub, VERA, number)
    await calling.hang_up(hub, PROGRAM, number)
    assert told(hub) == [("hang_up", "c1", "101"), ("hang_up", "c1", None), ("hang_up", "c1", None)]
    with pytest.raises(Forbidden):
        await calling.hang_up(hub, BORIS, number)


async def test_anybody_may_take_a_waiting_call_to_himself(office: Office, hub: Hub) -> None:
    number = int(ring(office, "c2", "queued", outcome=None, legs=[])["id"])
    await calling.redirect(hub, BORIS, number, "boris")
    with pytest.raises(Forbidden):
        await calling.redirect(hub, BORIS, number, "anna")
    await calling.redirect(hub, VERA, number, "anna")
    assert told(hub) == [("redirect", "c2", "102"), ("redirect", "c2", "101")]


async def test_what_is_over_or_no_call_is_refused(office: Office, hub: Hub) -> None:
    ended = office.clock().isoformat()
    over = int(ring(office, "c3", "ended", outcome="answered", ended_at=ended, operator="101")["id"])
    mail = int(office.mail()["id"])
    refused: dict[int, type[Refused]] = {over: Conflict, mail: Conflict, 99_999: NotFound}
    for number, kind in refused.items():
        for act in (calling.hang_up(hub, VERA, number), calling.transfer(hub, VERA, number, "102")):
            with pytest.raises(kind):
                await act
    assert told(hub) == [] and journal(office) == []


async def test_silence_in_the_recording_is_in_the_log(office: Office, hub: Hub) -> None:
    number = talking(office)
    await calling.pause_recording(hub, ANNA, number, True)
    began = office.clock().isoformat()
    office.clock.move(seconds=20)
    await calling.pause_recording(hub, ANNA, number, True)
    await calling.pause_recording(hub, ANNA, number, False)
    row = office.row(models.interaction, number)
    assert row["call"]["recording_pauses"] == [{"from": began, "to": office.clock().isoformat()}]
    assert row["ended_at"] is None and row["operator"] == "anna"
    assert [paused for _, _, paused in told(hub)] == [True, True, False]
    assert [action for action, _ in journal(office)][-1] == "recording_resumed"


async def test_pauses_and_queues(office: Office, hub: Hub) -> None:
    await calling.pause(hub, ANNA, "anna", "обед")
    await calling.unpause(hub, ANNA, "anna")
    await calling.log_in(hub, VERA, "boris", "sales-q")
    await calling.log_out(hub, BORIS, "boris", "sales-q")
    assert told(hub) == [
        ("pause", "101", "обед"),
        ("unpause", "101"),
        ("log_in", "102", "sales-q", "Borys Kowalski"),
        ("log_out", "102", "sales-q"),
    ]
    assert [action for action, _ in journal(office)] == ["paused", "unpaused", "logged_in", "logged_out"]
    with pytest.raises(BadInput, match="no telephone line has a queue 'sale-q'") as caught:
        await calling.log_in(hub, VERA, "boris", "sale-q")
    assert "sales-q" in (caught.value.remedy or "")
    with pytest.raises(BadInput, match="the hub's own"):
        await calling.pause(hub, ANNA, "anna", "wrap-up")
    for act in (calling.pause(hub, BORIS, "anna"), calling.finish_wrap_up(hub, BORIS, "anna")):
        with pytest.raises(Forbidden):
            await act
    assert await calling.finish_wrap_up(hub, ANNA, "anna") is None


async def test_without_a_telephone_line_there_is_nothing_to_call_by(office: Office, hub: Hub) -> None:
    with_exchange(office, 'policy = "off"')
    await hub.setup.refresh()
    with pytest.raises(Conflict, match="no telephone line"):
        await calling.call(hub, ANNA, "anna", "1")
