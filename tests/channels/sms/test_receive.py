"""What comes in over SMPP: acknowledged only when it is safe, whole once, whatever breaks in between."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from channels.contract import LineState
from channels.errors import ChannelError, Unreachable
from channels.sms.smpp import SmppChannel
from channels.touch import ReceiptState, Touch
from tests.channels.door import Crash, until
from tests.channels.kit import listening
from tests.channels.sms.rig import SmppRig
from tests.peers.smsc import BIND_TRANSCEIVER, CLIENT, Smsc, body, in_parts, report

LONG = "Здравствуйте! " * 12
MO = body(b"Hello")


@contextlib.asynccontextmanager
async def bound(rig: SmppRig, **more: Any) -> AsyncIterator[SmppChannel]:
    channel = rig.channel(**more)
    before = len(rig.smsc.binds)
    async with listening(channel):
        await until(lambda: len(rig.smsc.binds) > before, 5, lambda: "it never signed in")
        yield channel


async def test_a_long_message_is_one(rig: SmppRig) -> None:
    async with bound(rig):
        rig.smsc.push(*in_parts(LONG))
        touch = (await rig.door.wait_for())[0]
        await until(lambda: rig.smsc.waiting == 0, 3, lambda: "parts were not acknowledged")
    assert touch.text == LONG
    assert touch.origin["parts"] == 3
    assert str(touch.party[0]) == f"phone:+{CLIENT}"
    assert len(rig.door.touches) == 1


async def test_parts_in_any_order_and_twice(rig: SmppRig) -> None:
    one, two, three = in_parts(LONG)
    async with bound(rig):
        rig.smsc.push(three, one, one)
        await until(lambda: rig.smsc.waiting == 0, 3, lambda: "parts were not acknowledged")
        assert rig.door.touches == []
        rig.smsc.push(two)
        await rig.door.wait_for()
        rig.smsc.push(two)
        await until(lambda: rig.smsc.waiting == 0, 3, lambda: "parts were not acknowledged")
    assert [touch.text for touch in rig.door.touches] == [LONG]


async def test_parts_are_safe_before_they_are_acknowledged(rig: SmppRig) -> None:
    one, two, three = in_parts(LONG)
    async with bound(rig):
        rig.smsc.push(one, two)
        await until(lambda: rig.smsc.waiting == 0, 3, lambda: "parts were not acknowledged")
    assert rig.door.memory.kept["sms parts"].count('"1"') == 1
    async with bound(rig):
        rig.smsc.push(three)
        await rig.door.wait_for()
    assert [touch.text for touch in rig.door.touches] == [LONG]


async def test_a_part_that_cannot_be_kept_is_not_acknowledged(rig: SmppRig) -> None:
    one, two, three = in_parts(LONG)
    async with bound(rig):
        rig.door.memory.dies_on_keep = True
        rig.smsc.push(one)
        await until(lambda: bool(rig.smsc.acknowledged), 3, lambda: "no answer")
        assert rig.smsc.acknowledged == [0x64]
        rig.smsc.push(two, three)
        await rig.door.wait_for()
    assert [touch.text for touch in rig.door.logged] == [LONG]


async def test_a_whole_that_cannot_be_delivered_comes_again_as_the_same(rig: SmppRig) -> None:
    failed: list[Touch] = []

    def die_once(touch: Touch) -> None:
        if not failed:
            failed.append(touch)
            raise Crash("the database is away")

    rig.door.before_deliver = die_once
    async with bound(rig):
        rig.smsc.push(*in_parts(LONG))
        touch = (await rig.door.wait_for())[0]
        await until(lambda: rig.smsc.waiting == 0, 3, lambda: "parts were not acknowledged")
    assert touch.event_key == failed[0].event_key


async def test_a_message_whose_rest_never_comes_is_delivered_as_far_as_it_came(rig: SmppRig) -> None:
    rig.door.time = datetime(2026, 11, 21, 12, tzinfo=UTC)
    one, _, three = in_parts(LONG)
    async with bound(rig):
        rig.smsc.push(one, three)
        await until(lambda: rig.smsc.waiting == 0, 3, lambda: "parts were not acknowledged")
        rig.door.time += timedelta(minutes=59)
        await asyncio.sleep(0.15)
        assert rig.door.touches == []
        rig.door.time += timedelta(minutes=2)
        touch = (await rig.door.wait_for())[0]
        await until(lambda: '"open": []' in rig.door.memory.kept["sms parts"], 3, lambda: "still open")
    assert "[…]" in touch.text and touch.remarks == ("part 2 of 3 never came",)


async def test_phones_use_their_references_again(rig: SmppRig) -> None:
    first, second = in_parts("а" * 80), in_parts("б" * 80)
    async with bound(rig):
        rig.smsc.push(first[0], *second, body(b"after"))
        await rig.door.wait_for(3)
    texts = {touch.text for touch in rig.door.touches}
    assert "б" * 80 in texts and "а" * 60 + " […]" in texts and "after" in texts


async def test_two_clients_with_one_reference_are_two(rig: SmppRig) -> None:
    ours, theirs = in_parts("а" * 80), in_parts("б" * 80, source="380671234567")
    async with bound(rig):
        rig.smsc.push(ours[0], theirs[0], ours[1], theirs[1])
        await rig.door.wait_for(2)
    assert {touch.text for touch in rig.door.touches} == {"а" * 80, "б" * 80}


async def test_an_acknowledgement_that_never_arrives(rig: SmppRig) -> None:
    rig.smsc.forgets_acknowledgements = True
    async with bound(rig):
        rig.smsc.push(MO, *in_parts(LONG))
        await rig.door.wait_for(2)
        await until(lambda: len(rig.smsc.acknowledged) == 4, 3, lambda: "no answer")
        rig.smsc.break_off()
        await asyncio.sleep(0.1)
    rig.smsc.forgets_acknowledgements = False
    async with bound(rig):
        await until(lambda: rig.smsc.waiting == 0, 5, lambda: "not acknowledged")
    assert len(rig.door.logged) == 2
    assert rig.smsc.acknowledged == [0] * 8


async def test_a_crash_after_the_commit_and_before_the_acknowledgement(rig: SmppRig) -> None:
    """The process is gone at once: nothing of its last breath is sent."""
    channel = rig.channel()

    def gone(touch: Touch) -> None:
        rig.smsc.break_off()

    rig.door.before_deliver = gone
    rig.smsc.push(MO)
    async with listening(channel) as task:
        await rig.door.wait_for()
        with pytest.raises(Unreachable):
            await asyncio.wait_for(task, 60)
    assert rig.smsc.acknowledged == []
    rig.door.before_deliver = None
    async with bound(rig):
        await rig.door.wait_for(2)
        await until(lambda: rig.smsc.waiting == 0, 3, lambda: "not acknowledged")
    assert len(rig.door.logged) == 1


async def test_the_same_words_in_the_next_session_long_after_are_new(rig: SmppRig) -> None:
    rig.door.time = datetime(2026, 11, 21, 12, tzinfo=UTC)
    async with bound(rig):
        rig.smsc.push(MO)
        await rig.door.wait_for()
        rig.door.time += timedelta(minutes=5)
        rig.smsc.push(body(b"Something else"))
        await rig.door.wait_for(2)
    async with bound(rig):
        rig.smsc.push(MO)
        await rig.door.wait_for(3)
    assert len(rig.door.logged) == 3


async def test_what_cannot_be_read_is_kept_and_the_line_goes_on(rig: SmppRig) -> None:
    async with bound(rig):
        rig.smsc.push(b"\0\1\1broken off", body(b"fine", coding=0xFF, source="x" * 30, ton=9))
        await rig.door.wait_for(2)
        await until(lambda: rig.smsc.waiting == 0, 3, lambda: "not acknowledged")
        assert rig.smsc.open_sessions == 1
    odd = next(touch for touch in rig.door.touches if "could not be read" in "".join(touch.remarks))
    assert odd.raw is not None and odd.raw.data.endswith(b"broken off")


async def test_many_are_delivered_at_once_and_in_order(rig: SmppRig) -> None:
    async with bound(rig):
        rig.smsc.push(*(body(f"number {n}".encode()) for n in range(40)))
        await rig.door.wait_for(40)
        await until(lambda: rig.smsc.waiting == 0, 3, lambda: "not acknowledged")
    assert rig.door.most_at_once > 5
    assert [touch.text for touch in rig.door.touches] == [f"number {n}" for n in range(40)]


async def test_reports(rig: SmppRig) -> None:
    async with bound(rig):
        rig.smsc.push(report("11"), report("12", "UNDELIV", "00A"), report("13", "ENROUTE"), body(b"junk", esm_class=4))
        receipts = await rig.door.wait_for_receipts(2)
        await until(lambda: rig.smsc.waiting == 0, 3, lambda: "not acknowledged")
    assert [(one.external_id, one.state) for one in receipts] == [
        ("11", ReceiptState.DELIVERED),
        ("12", ReceiptState.FAILED),
    ]
    assert receipts[1].reason and receipts[1].permanent
    assert rig.door.touches == []


async def test_a_bind_refused_without_a_body_is_understood(rig: SmppRig) -> None:
    rig.smsc.says_why = False
    rig.smsc.refuses_bind = 0x0E
    health = await rig.channel().check()
    assert health.state is LineState.NEEDS_PERSON and "password" in health.reason
    rig.smsc.refuses_bind = 0x05
    assert (await rig.channel().check()).state is LineState.WILL_RETRY
    rig.smsc.refuses_bind = 0x0401
    health = await rig.channel().check()
    assert health.state is LineState.NEEDS_PERSON and "0x00000401" in health.reason


async def test_check_signs_in_without_taking_anything(rig: SmppRig) -> None:
    rig.smsc.push(MO)
    assert (await rig.channel().check()).state is LineState.RUNNING
    assert rig.smsc.waiting == 1 and BIND_TRANSCEIVER not in rig.smsc.binds
    assert rig.smsc.unbinds == 1
    await until(lambda: rig.smsc.open_sessions == 0, 2, lambda: "the connection stayed open")


async def test_a_session_that_breaks_is_told(rig: SmppRig) -> None:
    async with listening(rig.channel()) as task:
        await rig.door.wait_for_health()
        await rig.smsc.stop()
        with pytest.raises(ChannelError) as caught:
            await asyncio.wait_for(task, 60)
        assert caught.value.retryable


async def test_a_server_that_falls_silent_is_noticed(rig: SmppRig) -> None:
    async with listening(rig.channel(enquire_s=0.2, timeout_s=0.3)) as task:
        await rig.door.wait_for_health()
        for session in rig.smsc._sessions:
            session.writer.write = lambda data: None  # type: ignore[method-assign]
        with pytest.raises(Unreachable):
            await asyncio.wait_for(task, 60)


async def test_a_server_that_is_no_smsc(rig: SmppRig) -> None:
    async def chat(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP ready\r\n")
        await reader.read()
        writer.close()

    server = await asyncio.start_server(chat, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    health = await rig.channel(port=port).check()
    assert health.state is LineState.WILL_RETRY and "not SMPP" in health.reason
    server.close()


async def test_the_smsc_says_goodbye(smsc: Smsc, rig: SmppRig) -> None:
    async with listening(rig.channel()) as task:
        await rig.door.wait_for_health()
        for session in smsc._sessions:
            session._send(0x06, 0, 77)
        with pytest.raises(Unreachable):
            await asyncio.wait_for(task, 60)
