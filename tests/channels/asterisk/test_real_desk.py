"""What operators and administrators do, on a real Asterisk: pauses, queues, clicks that fail, presence, the doctor."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from channels.asterisk import trial
from channels.contract import LineState, OperatorPresence, OperatorState, Telephone
from channels.errors import Rejected
from tests.channels.asterisk.show import House
from tests.channels.door import until
from tests.peers.asterisk import Asterisk
from tests.peers.missing import PeerMissing, do_without
from tests.peers.sipp import Phones


def seen(house: House, extension: str) -> OperatorPresence | None:
    last = house.pictures[-1].operators if house.pictures else ()
    return next((one for one in last if one.extension == extension), None)


async def shows(house: House, extension: str, state: OperatorState, seconds: float = 30) -> OperatorPresence:
    def there() -> bool:
        found = seen(house, extension)
        return found is not None and found.state is state

    await until(there, seconds, lambda: f"{extension} is {seen(house, extension)}, not {state}")
    found = seen(house, extension)
    assert found is not None
    return found


async def test_pause_log_out_and_log_in_are_seen_and_obeyed(own_asterisk: Asterisk) -> None:
    house, desk = House(own_asterisk), own_asterisk.desks[0]
    phone = desk.phones[0]
    async with house.listening() as line:
        assert isinstance(line, Telephone)
        free = await shows(house, phone, OperatorState.FREE)
        assert set(free.queues) == {desk.queue, desk.ring_all} and free.operator == f"op-{phone}"
        await line.pause(phone, "обед")
        paused = await shows(house, phone, OperatorState.PAUSED)
        assert paused.paused and paused.reason == "обед"
        await line.unpause(phone)
        await shows(house, phone, OperatorState.FREE)
        await line.pause(phone, "training", desk.queue)
        await asyncio.sleep(0.3)
        still = seen(house, phone)
        assert still is not None and still.state is OperatorState.FREE, "the other queue still rings him"
        with pytest.raises(Rejected, match="for good"):
            await line.log_out(phone, desk.queue)
        await line.log_in(phone, own_asterisk.names.empty, "Anna", 2)
        await line.log_in(phone, own_asterisk.names.empty, "Anna", 2)
        queue = own_asterisk.names.empty
        await until(lambda: (one := seen(house, phone)) is not None and queue in one.queues, 30, lambda: "out")
        await line.log_out(phone, queue)
        await line.log_out(phone, queue)
        await until(lambda: (one := seen(house, phone)) is not None and queue not in one.queues, 30, lambda: "in")
        with pytest.raises(Rejected):
            await line.log_in(phone, "no-such-queue")


async def test_presence_follows_the_phone_and_the_queue(own_asterisk: Asterisk) -> None:
    house, desk = House(own_asterisk), own_asterisk.desks[3]
    try:
        phones = Phones(own_asterisk)
    except PeerMissing as problem:
        do_without(problem)
    async with phones, house.listening():
        await phones.operator(desk.ports[0], "answer", 1500)
        await phones.caller(desk.did, "bye", 5000)
        await shows(house, desk.phones[0], OperatorState.RINGING)
        waiting = next(one for one in house.pictures[-1].queues if one.queue == desk.queue)
        assert waiting.waiting == 1 and waiting.longest_since is not None
        await shows(house, desk.phones[0], OperatorState.TALKING)
        waiting = next(one for one in house.pictures[-1].queues if one.queue == desk.queue)
        assert (waiting.waiting, waiting.longest_since) == (0, None)
        await shows(house, desk.phones[0], OperatorState.FREE)
        question = house.questions[0]
        assert (question.caller, question.did) == ("79161234567", desk.did)
        assert question.linkedid == question.uid != ""


async def test_a_click_that_cannot_ring_says_why(own_asterisk: Asterisk) -> None:
    house, desk = House(own_asterisk), own_asterisk.desks[4]
    async with house.listening() as line:
        with pytest.raises(Rejected, match="no telephone number"):
            await line.call(desk.phones[0], "call me maybe")
        with pytest.raises(Rejected, match="no telephone 'nobody'") as caught:
            await line.call("nobody", "+74951234567")
        assert caught.value.reason
        with pytest.raises(Rejected, match="over"):
            await line.transfer("no-such-call", desk.phones[0], desk.phones[1])
        with pytest.raises(Rejected, match="over"):
            await line.hang_up("no-such-call")
    assert house.fake.touches == []


async def test_a_recording_is_paused_for_a_card_number_and_the_row_says_when(own_asterisk: Asterisk) -> None:
    house, desk = House(own_asterisk), own_asterisk.desks[0]
    try:
        phones = Phones(own_asterisk)
    except PeerMissing as problem:
        do_without(problem)
    async with phones, house.listening() as line:
        await phones.operator(desk.ports[0], "answer", 300)
        await phones.caller(desk.did, "bye", 6000)
        call = (await house.reached(desk.did, "answered")).external_id or ""
        await line.pause_recording(call)
        await house.reached(desk.did, "recording_paused")
        await line.pause_recording(call, False)
        resumed = await house.reached(desk.did, "recording_resumed")
        assert [set(one) for one in (resumed.call or {})["recording_pauses"]] == [{"from", "to"}]
        await line.hang_up(call)
        told = await house.ended(desk.did)
    (pause,) = told["recording_pauses"]
    assert told["answered_at"] <= pause["from"] <= pause["to"] <= told["ended_at"]


async def test_the_doctor_finds_what_is_wrong(own_asterisk: Asterisk, tmp_path: Path) -> None:
    good = await House(own_asterisk).channel().check()
    assert (good.state, good.reason) == (LineState.RUNNING, "")
    deaf = await House(own_asterisk, "hubdeaf", agi=False).channel().check()
    assert deaf.state is LineState.NEEDS_PERSON
    assert "class call: calls are not seen" in deaf.reason and "may not do Originate" in deaf.reason
    assert "Add call to its read line." in deaf.remedy
    wrong = await House(own_asterisk, more={"queues": {"suport": "support"}}).channel().check()
    assert wrong.state is LineState.NEEDS_PERSON
    assert "no queue 'suport'" in wrong.reason and own_asterisk.desks[0].queue in wrong.reason
    other = await House(own_asterisk, more={"interface": "PJSIP/x{extension}"}).channel().check()
    assert "no telephone 'x101' for op-101" in other.reason
    missing = (
        await House(own_asterisk, more={"recordings": str(tmp_path / "none"), "cdr": tmp_path / "no"}).channel().check()
    )
    assert missing.state is LineState.RUNNING
    assert "cannot be read" in missing.reason and missing.remedy
    secret = await House(own_asterisk, more={"secret": "wrong"}).channel().check()
    assert secret.state is LineState.NEEDS_PERSON and "manager.conf" in secret.remedy
    own_asterisk.kill()
    assert (await House(own_asterisk).channel().check()).state is LineState.WILL_RETRY


async def test_events_without_stamps_are_lived_with_and_told() -> None:
    try:
        pbx = Asterisk(stamps=False)
        phones = Phones(pbx)
    except PeerMissing as problem:
        do_without(problem)
    with pbx:
        house, desk = House(pbx), pbx.desks[0]
        assert "time stamps" in (await house.channel().check()).reason
        async with phones, house.listening():
            await phones.operator(desk.ports[0], "answer", 500)
            await phones.caller(desk.did, "bye", 2000)
            call = await house.ended(desk.did)
    assert (call["outcome"], call["operator"]) == ("answered", "op-101")
    assert call["talk_s"] > 0.7


async def test_one_test_call_is_watched_and_judged(own_asterisk: Asterisk) -> None:
    routing, desk = House(own_asterisk), own_asterisk.desks[5]
    lean = House(own_asterisk, "hublean", agi=False)
    flooded = House(own_asterisk, "hubflood", agi=False)
    try:
        phones = Phones(own_asterisk)
    except PeerMissing as problem:
        do_without(problem)
    async with phones, routing.listening():
        watching = asyncio.create_task(trial.watch_call(lean.settings(), lean.door(), 60))
        flood = asyncio.create_task(trial.watch_call(flooded.settings(), flooded.door(), 60))
        for user in ("hublean ", "hubflood "):
            await until(
                lambda user=user: user in own_asterisk.cli("manager show connected"), 30, lambda: "not signed in"
            )
        await phones.operator(desk.ports[0], "answer", 300)
        await phones.caller(desk.direct_did, "bye", 1500)
        report, noisy = await watching, await flood
    assert [phase.name for phase in report.phases][:2] == ["ringing", "answered"]
    assert any("no recording" in one.reason for one in report.findings)
    assert any("TestEvent" in one.reason for one in noisy.findings)
