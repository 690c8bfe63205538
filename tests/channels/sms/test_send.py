"""What goes out over SMPP: parts, answers, reports, and nothing twice."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from channels.errors import BadSettings, Rejected, Throttled, Uncertain, Unreachable
from channels.touch import Attachment, Identity, ReceiptState
from tests.channels.door import until
from tests.channels.sms.rig import SmppRig, message_to
from tests.channels.sms.test_receive import bound
from tests.peers.smsc import BIND_TRANSCEIVER, BIND_TRANSMITTER, CLIENT, report

LONG = "Здравствуйте! " * 12


async def test_parts_as_they_go_over_the_wire(rig: SmppRig) -> None:
    channel = rig.channel()
    await channel.send(message_to("Hello", "r1"))
    await channel.send(message_to("b" * 161, "r2"))
    await channel.send(message_to("я" * 71, "r3"))
    await channel.send(message_to("a" * 159 + "€", "r4"))
    await channel.close()
    sizes = [(one.coding, one.esm_class, len(one.payload)) for one in rig.smsc.submitted]
    assert sizes == [
        (0, 0, 5),
        (0, 0x40, 159),
        (0, 0x40, 14),
        (8, 0x40, 140),
        (8, 0x40, 14),
        (0, 0x40, 159),
        (0, 0x40, 6 + 8),
    ]
    assert all(one.registered == 1 and one.parameters == b"" for one in rig.smsc.submitted)
    first, second = rig.smsc.submitted[1:3]
    assert first.payload[:3] == b"\x05\x00\x03" and first.payload[3] == second.payload[3]
    assert (first.payload[4:6], second.payload[4:6]) == (b"\x02\x01", b"\x02\x02")
    assert rig.smsc.submitted[-1].payload.endswith(b"\x1be")


@pytest.mark.parametrize(
    ("sender", "ton", "shown"),
    [("Touchline", 5, "Touchline"), ("+48501234567", 1, "48501234567"), ("7000", 3, "7000"), ("", 0, "")],
)
async def test_senders(rig: SmppRig, sender: str, ton: int, shown: str) -> None:
    channel = rig.channel(sender=sender)
    await channel.send(message_to("Hello", "r1"))
    await channel.send(message_to("Hello", "r2", to="900"))
    await channel.close()
    one, two = rig.smsc.submitted
    assert (one.source_ton, one.source, one.destination, two.destination) == (ton, shown, CLIENT, "900")


async def test_a_long_message_has_arrived_when_all_its_parts_have(rig: SmppRig) -> None:
    async with bound(rig) as channel:
        sent = await channel.send(message_to(LONG, "r1"))
        ids = [one.id for one in rig.smsc.submitted]
        assert sent.external_id == ids[0] and len(ids) == 3
        rig.smsc.push(report(ids[2]), report(ids[0]), report(ids[0]))
        await until(lambda: rig.smsc.waiting == 0, 3, lambda: "not acknowledged")
        assert rig.door.receipts == []
        rig.smsc.push(report(ids[1]))
        (receipt,) = await rig.door.wait_for_receipts()
    assert (receipt.external_id, receipt.state) == (ids[0], ReceiptState.DELIVERED)


async def test_a_long_message_has_failed_when_one_part_has(rig: SmppRig) -> None:
    async with bound(rig) as channel:
        await channel.send(message_to(LONG, "r1"))
        ids = [one.id for one in rig.smsc.submitted]
        rig.smsc.push(report(ids[0]), report(ids[1], "EXPIRED"))
        (receipt,) = await rig.door.wait_for_receipts()
    assert (receipt.external_id, receipt.state) == (ids[0], ReceiptState.FAILED)
    assert receipt.reason is not None and "one of its 3 parts" in receipt.reason


async def test_reports_that_come_before_the_answer(rig: SmppRig) -> None:
    rig.smsc.reports_early = True
    async with bound(rig) as channel:
        short = await channel.send(message_to("Коротко", "r1"))
        (receipt,) = await rig.door.wait_for_receipts()
        assert receipt.external_id == short.external_id
        long = await channel.send(message_to(LONG, "r2"))
        receipts = await rig.door.wait_for_receipts(2)
        await until(lambda: rig.smsc.waiting == 0, 5, lambda: "not acknowledged")
    assert [one.external_id for one in receipts] == [short.external_id, long.external_id]


async def test_reports_that_come_in_another_process(rig: SmppRig) -> None:
    rig.smsc.reports_early = True
    sender = rig.channel()
    async with bound(rig):
        sent = await sender.send(message_to(LONG, "r1"))
        receipts = await rig.door.wait_for_receipts()
    await sender.close()
    assert [one.external_id for one in receipts] == [sent.external_id]
    assert sorted(rig.smsc.binds) == [BIND_TRANSMITTER, BIND_TRANSCEIVER]


async def test_ids_that_are_written_differently_in_reports(rig: SmppRig) -> None:
    rig.smsc.id_format = "{:08X}"
    async with bound(rig, receipt_ids="answers_in_hex") as channel:
        sent = await channel.send(message_to("Hello", "r1"))
        rig.smsc.push(report(str(int(rig.smsc.submitted[0].id, 16))))
        (receipt,) = await rig.door.wait_for_receipts()
    assert receipt.external_id == sent.external_id


async def test_one_session_does_both(rig: SmppRig) -> None:
    async with bound(rig) as channel:
        await asyncio.gather(*(channel.send(message_to(f"number {n}", f"r{n}")) for n in range(30)))
    assert rig.smsc.binds == [BIND_TRANSCEIVER]
    assert sorted(rig.smsc.texts()) == sorted(f"number {n}" for n in range(30))


@pytest.mark.parametrize("how", [None, "hang up"])
async def test_no_answer_after_the_hand_over_is_uncertain_and_stays_so(rig: SmppRig, how: str | None) -> None:
    rig.smsc.answers = [how]
    channel = rig.channel(timeout_s=0.5)
    message = message_to("Один раз", "r1")
    with pytest.raises(Uncertain):
        await channel.send(message)
    assert await channel.was_sent(message) is None
    with pytest.raises(Uncertain):
        await channel.send(message)
    await channel.close()
    assert rig.smsc.texts() == ["Один раз"]


async def test_the_smsc_restarts(rig: SmppRig) -> None:
    channel = rig.channel()
    await channel.send(message_to("до", "r1"))
    await rig.smsc.stop()
    await asyncio.sleep(0.05)
    message = message_to("во время", "r2")
    with pytest.raises(Unreachable):
        await channel.send(message)
    assert await channel.was_sent(message) is False
    await rig.smsc.start()
    await channel.send(message)
    await channel.close()
    assert rig.smsc.texts() == ["до", "во время"]


async def test_after_a_failure_in_the_middle_only_the_rest_goes_out(rig: SmppRig) -> None:
    rig.smsc.answers = [0, 0x58]
    channel, message = rig.channel(), message_to(LONG, "r1")
    with pytest.raises(Throttled) as caught:
        await channel.send(message)
    assert caught.value.retry_after > 0
    assert await channel.was_sent(message) is False
    await channel.close()
    after = rig.channel()
    await after.send(message)
    await after.close()
    assert len(rig.smsc.submitted) == 3
    assert rig.smsc.texts() == [LONG.strip()]


async def test_a_lasting_failure_in_the_middle_says_what_is_out(rig: SmppRig) -> None:
    rig.smsc.answers = [0, 0x0B]
    channel = rig.channel()
    with pytest.raises(Rejected, match="the first 1 of its parts went out"):
        await channel.send(message_to(LONG, "r1"))
    await channel.close()


async def test_a_slow_answer_goes_to_its_own_message(rig: SmppRig) -> None:
    """Answers come in another order than the messages: the second is refused, the first accepted."""
    rig.smsc.answers = [0, 0x0B, 0]
    async with bound(rig) as channel:
        results = await asyncio.gather(
            *(channel.send(message_to(f"number {n}", f"r{n}")) for n in range(3)), return_exceptions=True
        )
    refused = [n for n, result in enumerate(results) if isinstance(result, Rejected)]
    assert len(refused) == 1
    assert f"number {refused[0]}" not in rig.smsc.texts()


async def test_the_window_is_kept(rig: SmppRig) -> None:
    rig.smsc.answers = [None]
    async with bound(rig, window=1, timeout_s=0.6) as channel:
        sending = [asyncio.create_task(channel.send(message_to(f"number {n}", f"r{n}"))) for n in range(2)]
        await asyncio.sleep(0.3)
        assert rig.smsc.texts() == ["number 0"]
        results = await asyncio.gather(*sending, return_exceptions=True)
    assert isinstance(results[0], Uncertain) and rig.smsc.texts() == ["number 0", "number 1"]


async def test_the_pace_is_kept(rig: SmppRig) -> None:
    async with bound(rig, per_second=20.0) as channel:
        began = asyncio.get_running_loop().time()
        await asyncio.gather(*(channel.send(message_to("x", f"r{n}")) for n in range(5)))
        assert asyncio.get_running_loop().time() - began >= 4 / 20 - 0.01
    slow = rig.channel(per_second=0.05)
    await slow.send(message_to("x", "s1"))
    with pytest.raises(Throttled) as caught:
        await slow.send(message_to("x", "s2"))
    assert caught.value.retry_after > 10
    await slow.close()


@pytest.mark.parametrize(
    ("to", "more", "reason"),
    [
        (Identity("email", "a@b.pl"), {}, "no telephone number"),
        (Identity("phone", "MyBank", odd=True), {}, "is not a number that can be answered"),
        (Identity("phone", "MyBank"), {}, "is not a number that can be answered"),
        (None, {"attachments": (Attachment("a.pdf", "application/pdf", b"x"),)}, "no files"),
        (None, {"text": " \r\n"}, "empty"),
        (None, {"text": "я" * 671}, "11 SMS long"),
    ],
)
async def test_what_sms_cannot_carry(rig: SmppRig, to: Identity | None, more: dict[str, Any], reason: str) -> None:
    message = message_to(str(more.get("text", "Hello")), "r1")
    message = replace(message, to=(to or message.to[0],), **{k: v for k, v in more.items() if k != "text"})
    channel = rig.channel()
    with pytest.raises(Rejected, match=reason):
        await channel.send(message)
    await channel.close()
    assert rig.smsc.binds == []


async def test_quiet_hours_hold_a_message_until_they_end(rig: SmppRig) -> None:
    rig.door.time = datetime(2026, 11, 21, 22, 30, tzinfo=UTC)
    channel = rig.channel(quiet_hours="21:00-08:00", zone="Europe/Moscow")
    message = message_to("Доброе утро", "r1")
    with pytest.raises(Throttled) as caught:
        await channel.send(message)
    assert caught.value.retry_after == 6.5 * 3600
    assert await channel.was_sent(message) is False
    rig.door.time = datetime(2026, 11, 22, 5, tzinfo=UTC)
    await channel.send(message)
    await channel.close()
    assert rig.smsc.texts() == ["Доброе утро"]


async def test_quiet_hours_for_the_unasked_let_answers_through(rig: SmppRig) -> None:
    rig.door.time = datetime(2026, 11, 21, 22, 30, tzinfo=UTC)
    channel = rig.channel(quiet_hours="21:00-08:00", zone="Europe/Moscow", quiet_for="unasked")
    await channel.send(message_to("Ответ", "r1", replies_to="abc:1"))
    for automatic, replies_to in ((True, "abc:1"), (False, None)):
        with pytest.raises(Throttled):
            await channel.send(message_to("x", f"r{automatic}", automatic=automatic, replies_to=replies_to))
    await channel.close()


async def test_a_sender_that_cannot_be_written_needs_a_person(rig: SmppRig) -> None:
    channel = rig.channel(sender="+" + "1" * 19)
    await channel.send(message_to("x", "r1"))
    await channel.close()
    with pytest.raises(ValueError, match="Latin"):
        rig.settings(sender="Банк")
    with pytest.raises(ValueError, match="11 characters"):
        rig.settings(sender="A very long name")


async def test_wrong_password_while_sending(rig: SmppRig) -> None:
    channel, message = rig.channel(wrong_credentials=True), message_to("x", "r1")
    with pytest.raises(BadSettings):
        await channel.send(message)
    assert await channel.was_sent(message) is False
    await channel.close()
