"""The PBX restarted, killed and frozen in the middle of a call; the hub killed, and gone for whole calls."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from channels.asterisk.adapter import AsteriskChannel
from channels.contract import OpenCall
from tests.channels.asterisk.show import House
from tests.channels.door import until
from tests.peers.asterisk import Asterisk
from tests.peers.missing import PeerMissing, do_without
from tests.peers.sipp import Phones


def phones_of(pbx: Asterisk) -> Phones:
    try:
        return Phones(pbx)
    except PeerMissing as problem:
        do_without(problem)


class AfterTheGap(House):
    """A hub started anew, with the log of the one before."""

    def open_calls_of(self, before: House) -> None:
        """The log survives, the process does not."""
        self.fake.memory = before.fake.memory
        self.fake.touches = list(before.fake.touches)

    def door(self) -> Any:
        async def open_calls() -> list[OpenCall]:
            found = []
            for call in self.folds().values():
                if "ended" not in call["phases"]:
                    touch = call["touches"][0]
                    facts = {key: value for touch in call["touches"] for key, value in (touch.call or {}).items()}
                    found.append(OpenCall(touch.external_id, touch.at, str(touch.direction), facts))
            return found

        return replace(super().door(), open_calls=open_calls)


async def test_the_pbx_is_restarted_in_the_middle_of_a_call(own_asterisk: Asterisk) -> None:
    house = House(own_asterisk)
    first, second = own_asterisk.desks[0], own_asterisk.desks[1]
    async with phones_of(own_asterisk) as phones, house.listening():
        await phones.operator(first.ports[0], "answer", 300)
        await phones.caller(first.did, "bye", 20000)
        await house.reached(first.did, "answered")
        await asyncio.sleep(1)
        known = len(house.fake.healths)
        await asyncio.to_thread(own_asterisk.kill)
        await asyncio.to_thread(own_asterisk.start)
        await until(lambda: len(house.fake.healths) > known, 15, lambda: "did not come back")
        call = await house.ended(first.did, 5)
        assert (call["outcome"], call["operator"], call["ended_by"]) == ("answered", "op-101", "system")
        assert 0.5 < call["talk_s"] < 8
        assert any("not seen" in remark for touch in call["touches"] for remark in touch.remarks)
        await phones.operator(second.ports[0], "answer", 300)
        await phones.caller(second.did, "bye", 1500)
        assert (await house.ended(second.did))["outcome"] == "answered"


async def test_the_pbx_freezes_in_the_middle_of_a_call(own_asterisk: Asterisk) -> None:
    house = House(own_asterisk)
    desk = own_asterisk.desks[0]
    async with phones_of(own_asterisk) as phones:
        channel = house.channel()
        task = asyncio.create_task(channel.listen())
        await until(lambda: bool(house.fake.healths), 10, lambda: "not running")
        await phones.operator(desk.ports[0], "answer", 300)
        await phones.caller(desk.did, "bye", 6000)
        await house.reached(desk.did, "answered")
        own_asterisk.freeze()
        with pytest.raises(Exception, match="stopped answering"):
            await asyncio.wait_for(task, 5)
        with pytest.raises(Exception, match="not connected"):
            await channel.pause("101", "lunch")
        own_asterisk.thaw()
        async with house.listening(channel):
            call = await house.ended(desk.did, 15)
        assert (call["outcome"], call["operator"]) == ("answered", "op-101")
        assert call["phases"].count("ended") == 1
        assert 3 < call["talk_s"] < 10
        assert "lunch" not in await asyncio.to_thread(own_asterisk.cli, "queue show")


async def _kill(task: asyncio.Task[None], channel: AsteriskChannel) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await channel.close()


async def _hub_dies(house: House, when: Callable[[], Any]) -> None:
    channel = house.channel()
    task = asyncio.create_task(channel.listen())
    await until(lambda: bool(house.fake.healths), 10, lambda: "not running")
    await when()
    await _kill(task, channel)


async def test_the_hub_is_killed_in_the_middle_of_a_call_and_goes_on_with_it(own_asterisk: Asterisk) -> None:
    before = House(own_asterisk)
    desk = own_asterisk.desks[0]
    async with phones_of(own_asterisk) as phones:

        async def talk() -> None:
            await phones.operator(desk.ports[0], "answer", 300)
            await phones.caller(desk.did, "bye", 5000)
            await before.reached(desk.did, "answered")
            await asyncio.sleep(0.5)

        await _hub_dies(before, talk)
        after = AfterTheGap(own_asterisk)
        after.open_calls_of(before)
        async with after.listening():
            call = await after.ended(desk.did, 15)
    assert (call["outcome"], call["operator"], call["ended_by"]) == ("answered", "op-101", "caller")
    phases = [phase for phase in call["phases"] if phase != "completed"]  # what comes late may come once more
    assert phases == ["queued", "ringing", "answered", "ended"]
    assert [(leg["extension"], leg["result"]) for leg in call["legs"]] == [("101", "answered")]
    assert call["legs"][0]["rang_at"] is not None
    assert 4 < call["talk_s"] < 9 and call["from"] == "+79161234567" and call["queue"] == desk.queue
    assert call["wait_s"] < 4


@pytest.mark.parametrize("records", [True, False], ids=["records", "no records"])
async def test_calls_that_end_while_the_hub_is_away(own_asterisk: Asterisk, records: bool) -> None:
    before = House(own_asterisk)
    talked, missed, whole = own_asterisk.desks[:3]
    async with phones_of(own_asterisk) as phones:

        async def talk() -> None:
            await phones.operator(talked.ports[0], "answer", 300)
            await phones.caller(talked.did, "bye", 2500)
            await phones.operator(missed.ports[0], "noanswer")
            await phones.caller(missed.did, "bye", 2500)
            await before.reached(talked.did, "answered")
            await before.reached(missed.did, "ringing")

        await _hub_dies(before, talk)
        await phones.operator(whole.ports[0], "answer", 300)
        last = await phones.caller(whole.direct_did, "cancel", 300)  # nobody routes it: the hub is away
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(last.wait(), 3)
        await asyncio.sleep(5)  # the PBX writes its records when it likes
        after = AfterTheGap(own_asterisk)
        after.open_calls_of(before)
        if records:
            after.more = {"cdr": own_asterisk.cdr, "queue_log": own_asterisk.queue_log}
        async with after.listening():
            answered, lost = await after.ended(talked.did, 5), await after.ended(missed.did, 5)
    assert (answered["outcome"], answered["operator"]) == ("answered", "op-101")
    assert answered["phases"].count("ended") == lost["phases"].count("ended") == 1
    if records:
        assert (lost["outcome"], lost["reason"], lost["ended_by"]) == ("missed", "abandoned", "caller")
        assert answered["ended_by"] == "caller" and 1 <= answered["talk_s"] <= 7
        assert answered["recording"].endswith(".wav")
    else:
        assert (lost["outcome"], lost["reason"]) == ("missed", "failed")


async def test_a_whole_call_of_the_gap_is_found_in_the_records(own_asterisk: Asterisk) -> None:
    before = House(own_asterisk)
    desk, other = own_asterisk.desks[:2]
    records = {"cdr": own_asterisk.cdr, "queue_log": own_asterisk.queue_log}

    async def nothing() -> None:
        await until(lambda: bool(before.fake.memory.kept), 5, lambda: "no mark")

    await _hub_dies(before, nothing)
    route = House(own_asterisk)  # somebody else routes; nobody who logs listens
    from channels.asterisk.fastagi import AgiServer

    agi = AgiServer(route.door().route, lambda *_: None, 1.0)
    await agi.start("127.0.0.1", own_asterisk.agi)
    async with phones_of(own_asterisk) as phones:
        await phones.operator(desk.ports[0], "noanswer")
        await phones.operator(desk.ports[1], "hangup", 300)
        caller = await phones.caller(desk.did, "wait")
        await phones.operator(other.ports[0], "decline", 300)
        refused = await phones.caller(other.direct_did, "wait", who="74951234567")
        await asyncio.wait_for(caller.wait(), 20)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(refused.wait(), 2)
        await asyncio.sleep(1.2)
    await agi.close()
    for _ in range(2):  # the second start finds nothing new
        after = AfterTheGap(own_asterisk, more=dict(records))
        after.open_calls_of(before)
        after.fake._rows = before.fake._rows
        async with after.listening():
            call, declined = await after.ended(desk.did, 5), await after.ended(other.direct_did, 5)
        before.fake.touches = after.fake.touches
    assert (call["outcome"], call["operator"], call["ended_by"], call["queue"]) == (
        "answered", "op-102", "operator", desk.queue,
    )  # fmt: skip
    assert [(leg["extension"], leg["result"]) for leg in call["legs"]] == [("101", "no_answer"), ("102", "answered")]
    assert 3 <= call["wait_s"] <= 9 and 1 <= call["talk_s"] <= 7
    assert call["party"] == ["phone:+79161234567"] and call["phases"].count("ended") == 1
    assert (declined["outcome"], declined["party"]) == ("missed", ["phone:+74951234567"])
    assert len(after.folds()) == 2
