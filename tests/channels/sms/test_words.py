"""STOP, quiet hours, statuses and reports: the pure rules."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from channels.errors import BadSettings, ChannelError, OptedOut, Rejected, Throttled, Unreachable
from channels.optout import read_word
from channels.sms.pdu import read
from channels.sms.quiet import loud_again, read_hours, zones_of
from channels.sms.receipts import normal_id, read_report
from channels.sms.repeats import Repeats
from channels.sms.shelf import Shelf
from channels.sms.status import not_signed_in, refused
from channels.touch import ReceiptState
from tests.channels.door import Crash, FakeMemory
from tests.peers.smsc import RECEIPTED_MESSAGE_ID, body, report, tlv

NIGHT = read_hours("21:00-08:00")
WARSAW, KYIV, PETERSBURG, RUSSIAN_MOBILE = "+48501234567", "+380671234567", "+78123258351", "+79161234567"


@pytest.mark.parametrize(
    "text", ["STOP", " Стоп! ", "СТОП", "CTOП", "ВІДПИСАТИСЯ", "отписаться.", "wypisz mnie", "Stop all", "«стоп»"]
)
def test_words_that_stop(text: str) -> None:
    assert read_word(text) == {"opted_out": True}


@pytest.mark.parametrize("text", ["START", "старт", "Підписатися"])
def test_words_that_start_again(text: str) -> None:
    assert read_word(text) == {"opted_out": False}


@pytest.mark.parametrize("text", ["", "stop by at five", "Не могу остановиться", "стоп-кран сломан", "s" * 100, "?"])
def test_words_to_a_person(text: str) -> None:
    assert read_word(text) == {}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("number", "zone", "now", "loud"),
    [
        (WARSAW, None, "2026-11-21 12:00", None),
        (WARSAW, None, "2026-11-21 19:59", None),
        (WARSAW, None, "2026-11-21 20:00", "2026-11-22 07:00"),
        (WARSAW, None, "2026-11-22 06:59", "2026-11-22 07:00"),
        (WARSAW, None, "2026-11-22 07:00", None),
        (KYIV, None, "2026-11-21 19:30", "2026-11-22 06:00"),
        (PETERSBURG, "Asia/Vladivostok", "2026-11-21 19:30", "2026-11-22 05:00"),
        # 29 March 2026: clocks in Warsaw jump from 2:00 to 3:00 in the night
        (WARSAW, None, "2026-03-28 20:00", "2026-03-29 06:00"),
        # a Russian mobile may be anywhere from Kaliningrad to Kamchatka: with a zone of the line, that one counts
        (RUSSIAN_MOBILE, "Europe/Moscow", "2026-11-21 17:59", None),
        (RUSSIAN_MOBILE, "Europe/Moscow", "2026-11-21 18:00", "2026-11-22 05:00"),
        # and without one, all of them
        (RUSSIAN_MOBILE, None, "2026-11-21 12:00", "2026-11-22 06:00"),
        (RUSSIAN_MOBILE, None, "2026-11-22 06:30", None),
        ("900", "Europe/Moscow", "2026-11-21 20:00", "2026-11-22 05:00"),
        ("900", None, "2026-11-21 22:00", "2026-11-22 08:00"),
    ],
)
def test_quiet_where_the_recipient_lives(number: str, zone: str | None, now: str, loud: str | None) -> None:
    assert loud_again(NIGHT, number, zone, at(now)) == (at(loud) if loud else None)


def test_quiet_hours_within_a_day() -> None:
    noon = read_hours("13:00-14:30")
    assert loud_again(noon, WARSAW, None, at("2026-11-21 12:10")) == at("2026-11-21 13:30")
    assert loud_again(noon, WARSAW, None, at("2026-11-21 11:59")) is None


def test_hours_that_leave_no_common_hour_follow_the_first_zone() -> None:
    long = read_hours("12:00-08:00")
    now = at("2026-11-21 12:00")
    loud = loud_again(long, RUSSIAN_MOBILE, None, now)
    assert loud is not None and now < loud


@pytest.mark.parametrize("text", ["21-8", "25:00-08:00", "08:00-08:00", "", "21:00-08:00 "])
def test_hours_that_are_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"span|ever"):
        read_hours(text)


def test_zones() -> None:
    assert zones_of(WARSAW) == ("Europe/Warsaw",)
    assert len(zones_of(RUSSIAN_MOBILE)) > 5
    assert zones_of("900") == ()


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (0x58, Throttled),
        (0x14, Throttled),
        (0x08, Unreachable),
        (0x45, Unreachable),
        (0x0B, Rejected),
        (0x0A, Rejected),
        (0x01, Rejected),
        (0x400, Rejected),
        (0x43C, OptedOut),
    ],
)
def test_statuses_of_messages(status: int, kind: type[ChannelError]) -> None:
    error = refused(status, (0x43C,))
    assert type(error) is kind
    if kind is not OptedOut:
        assert f"0x{status:08X}" in error.reason


@pytest.mark.parametrize(
    ("status", "kind"),
    [(0x0E, BadSettings), (0x0F, BadSettings), (0x0D, BadSettings), (0x05, Unreachable), (0x58, Unreachable)],
)
def test_statuses_of_signing_in(status: int, kind: type[ChannelError]) -> None:
    assert type(not_signed_in(status)) is kind


def deliver(told: bytes) -> bytes:
    return b"\0" * 16 + told


@pytest.mark.parametrize(
    ("word", "state", "permanent"),
    [
        ("DELIVRD", ReceiptState.DELIVERED, True),
        ("UNDELIV", ReceiptState.FAILED, True),
        ("EXPIRED", ReceiptState.FAILED, True),
        ("DELETED", ReceiptState.FAILED, True),
        ("REJECTD", ReceiptState.FAILED, True),
        ("UNKNOWN", ReceiptState.FAILED, False),
        ("ENROUTE", None, True),
        ("ACCEPTD", None, True),
        ("BUFFERD", None, True),
        ("SOMETHING", None, True),
    ],
)
def test_states_of_reports(word: str, state: ReceiptState | None, permanent: bool) -> None:
    found = read_report(read(deliver(report("abc-1", word))), "same")
    assert found is not None
    assert (found.message, found.state, found.permanent) == ("abc-1", state, permanent)


def test_a_report_with_an_error_in_letters_and_seconds_in_its_dates() -> None:
    found = read_report(read(deliver(report("17", "UNDELIV", "0A1"))), "same")
    assert found is not None and found.reason == "the message cannot be delivered (UNDELIV, error 0A1)"


def test_a_report_that_names_its_message_in_a_tlv_only() -> None:
    found = read_report(read(deliver(report("17", named=False))), "same")
    assert found is not None and (found.message, found.state) == ("17", ReceiptState.DELIVERED)
    bare = body(b"", esm_class=0, tlvs=tlv(RECEIPTED_MESSAGE_ID, b"17\0") + tlv(0x0427, b"\x05"))
    assert read(deliver(bare)).is_report
    found = read_report(read(deliver(bare)), "same")
    assert found is not None and (found.message, found.state) == ("17", ReceiptState.FAILED)
    assert read_report(read(deliver(body(b"nonsense", esm_class=4))), "same") is None


def test_ids_in_hex_and_in_decimal_are_one() -> None:
    told = read(deliver(report("255")))
    found = read_report(told, "answers_in_hex")
    assert found is not None and found.message == normal_id("00FF", "answers_in_hex") == "ff"
    found = read_report(read(deliver(report("00FF"))), "reports_in_hex")
    assert found is not None and found.message == normal_id("255", "reports_in_hex") == "255"
    assert normal_id("not-a-number", "answers_in_hex") == "not-a-number"


async def test_what_changes_while_it_is_written_is_written_together() -> None:
    state: list[int] = []
    kept: list[str] = []

    class Slow(FakeMemory):
        async def keep(self, key: str, value: str) -> None:
            await asyncio.sleep(0.01)
            await FakeMemory.keep(self, key, value)
            kept.append(value)

    async def change(number: int) -> None:
        state.append(number)
        await shelf.save()
        assert str(number) in kept[-1].split(",")

    shelf = Shelf(Slow(), "k", lambda: ",".join(map(str, state)))
    first = asyncio.create_task(change(0))
    await asyncio.sleep(0.005)
    await asyncio.gather(first, *(change(number) for number in range(1, 50)))
    assert len(kept) == 2


async def test_who_could_not_be_written_hears_of_it_and_the_next_is_written() -> None:
    memory = FakeMemory(dies_on_keep=True)
    shelf = Shelf(memory, "k", lambda: "v")
    results = await asyncio.gather(*(shelf.save() for _ in range(3)), return_exceptions=True)
    assert [type(result) for result in results] == [Crash] * 3
    await shelf.save()
    assert memory.kept == {"k": "v"}


async def test_what_may_come_again_is_expected_for_a_while_only() -> None:
    memory = FakeMemory()

    def now() -> datetime:
        return datetime(2026, 11, 21, 12, tzinfo=UTC)

    before = Repeats(memory, now)
    await before.begin()
    key = await before.key_of("da")
    before.settle("da", key)
    soon = Repeats(memory, now)
    await soon.begin()
    assert await soon.key_of("da") == key
    assert await soon.key_of("da") != key
    late_at = [0.0]
    late = Repeats(memory, now, lambda: late_at[0])
    await late.begin()
    late_at[0] = 31 * 60.0
    assert await late.key_of("da") != key


async def test_what_was_refused_or_is_being_stored_for_long_keeps_its_key() -> None:
    at = [0.0]
    one = Repeats(FakeMemory(), lambda: datetime(2026, 11, 21, 12, tzinfo=UTC), lambda: at[0])
    await one.begin()
    key = await one.key_of("da")
    assert await one.key_of("da") != key
    one.settle("da", key, refused=True)
    assert await one.key_of("da") == key
    slow = await one.key_of("net")
    at[0] = 6.0
    assert await one.key_of("net") == slow
    one.settle("net", slow)
    assert await one.key_of("net") != slow
