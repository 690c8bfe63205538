"""The PBX restarted, killed and frozen in the middle of a call; the hub killed, and gone for whole calls."""

from __future__ import annotations

import asyncio

import pytest

from channels.asterisk.fastagi import AgiServer
from tests.channels.asterisk.gap import PATIENCE_S, AfterTheGap, hub_dies, phones_of, quiet
from tests.channels.asterisk.show import House
from tests.channels.door import until
from tests.peers.asterisk import Asterisk


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
        call = await house.ended(first.did, PATIENCE_S)
        assert (call["outcome"], call["operator"], call["ended_by"]) == ("answered", "op-101", "system")
        assert call["talk_s"] > 0.5
        assert any("not seen" in remark for touch in call["touches"] for remark in touch.remarks)
        await phones.operator(second.ports[0], "hangup", 300)
        await phones.caller(second.did, "wait")
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
            await asyncio.wait_for(task, PATIENCE_S)
        with pytest.raises(Exception, match="not connected"):
            await channel.pause("101", "lunch")
        own_asterisk.thaw()
        async with house.listening(channel):
            call = await house.ended(desk.did, PATIENCE_S)
        assert (call["outcome"], call["operator"]) == ("answered", "op-101")
        assert call["phases"].count("ended") == 1
        assert call["talk_s"] > 3
        assert "lunch" not in await asyncio.to_thread(own_asterisk.cli, "queue show")


async def test_the_hub_is_killed_in_the_middle_of_a_call_and_goes_on_with_it(own_asterisk: Asterisk) -> None:
    before = House(own_asterisk)
    desk = own_asterisk.desks[0]
    async with phones_of(own_asterisk) as phones:

        async def talk() -> None:
            await phones.operator(desk.ports[0], "answer", 300)
            await phones.caller(desk.did, "bye", 5000)
            await before.reached(desk.did, "answered")
            await asyncio.sleep(0.5)

        await hub_dies(before, talk)
        after = AfterTheGap(own_asterisk)
        after.open_calls_of(before)
        async with after.listening():
            call = await after.ended(desk.did, PATIENCE_S)
    assert (call["outcome"], call["operator"], call["ended_by"]) == ("answered", "op-101", "caller")
    phases = [phase for phase in call["phases"] if phase != "completed"]  # what comes late may come once more
    assert phases == ["queued", "ringing", "answered", "ended"]
    assert [(leg["extension"], leg["result"]) for leg in call["legs"]] == [("101", "answered")]
    assert call["legs"][0]["rang_at"] is not None
    assert call["talk_s"] > 4 and call["from"] == "+79161234567" and call["queue"] == desk.queue


@pytest.mark.parametrize("records", [True, False], ids=["records", "no records"])
async def test_calls_that_end_while_the_hub_is_away(own_asterisk: Asterisk, records: bool) -> None:
    before = House(own_asterisk)
    talked, missed, whole = own_asterisk.desks[:3]
    async with phones_of(own_asterisk) as phones:

        async def talk() -> None:
            await phones.operator(talked.ports[0], "answer", 300)
            await phones.caller(talked.did, "bye", 4000)
            await phones.operator(missed.ports[0], "noanswer")
            await phones.caller(missed.did, "bye", 2500)
            await before.reached(talked.did, "answered")
            await before.reached(missed.did, "ringing")

        await hub_dies(before, talk)
        await phones.caller(whole.direct_did, "cancel", 300)  # nobody routes it: the hub is away
        await quiet(own_asterisk)
        after = AfterTheGap(own_asterisk)
        after.open_calls_of(before)
        if records:
            after.more = {"cdr": own_asterisk.cdr, "queue_log": own_asterisk.queue_log}
        async with after.listening():
            answered = await after.ended(talked.did, PATIENCE_S)
            lost = await after.ended(missed.did, PATIENCE_S)
    assert (answered["outcome"], answered["operator"]) == ("answered", "op-101")
    assert answered["phases"].count("ended") == lost["phases"].count("ended") == 1
    if records:
        assert (lost["outcome"], lost["reason"], lost["ended_by"]) == ("missed", "abandoned", "caller")
        assert answered["ended_by"] == "caller" and answered["talk_s"] >= 1
        assert answered["recording"].endswith(".wav")
    else:
        assert (lost["outcome"], lost["reason"]) == ("missed", "failed")


async def test_a_whole_call_of_the_gap_is_found_in_the_records(own_asterisk: Asterisk) -> None:
    before = House(own_asterisk)
    desk, other = own_asterisk.desks[:2]
    records = {"cdr": own_asterisk.cdr, "queue_log": own_asterisk.queue_log}

    async def nothing() -> None:
        """It only listens."""

    await hub_dies(before, nothing)
    route = House(own_asterisk)  # somebody else routes; nobody who logs listens
    agi = AgiServer(route.door().route, lambda *_: None, 1.0)
    await agi.start("127.0.0.1", own_asterisk.agi)
    async with phones_of(own_asterisk) as phones:
        await phones.operator(desk.ports[0], "noanswer")
        await phones.operator(desk.ports[1], "hangup", 300)
        await phones.caller(desk.did, "wait")
        await phones.operator(other.ports[0], "decline", 300)
        await phones.caller(other.direct_did, "wait", who="74951234567")
        await until(lambda: len(route.questions) == 2, PATIENCE_S, lambda: f"asked {route.questions}")
        await quiet(own_asterisk)
    await agi.close()
    for _ in range(2):  # the second start finds nothing new
        after = AfterTheGap(own_asterisk, more=dict(records))
        after.open_calls_of(before)
        async with after.listening():
            call = await after.ended(desk.did, PATIENCE_S)
            declined = await after.ended(other.direct_did, PATIENCE_S)
        before.fake.touches = after.fake.touches
    assert (call["outcome"], call["operator"], call["ended_by"], call["queue"]) == (
        "answered", "op-102", "operator", desk.queue,
    )  # fmt: skip
    assert [(leg["extension"], leg["result"]) for leg in call["legs"]] == [("101", "no_answer"), ("102", "answered")]
    assert call["wait_s"] >= 3 and call["talk_s"] >= 0
    assert call["party"] == ["phone:+79161234567"] and call["phases"].count("ended") == 1
    assert (declined["outcome"], declined["party"]) == ("missed", ["phone:+74951234567"])
    assert len(after.folds()) == 2
