"""STOP, quiet hours, statuses and reports: the pure rules."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from channels.errors import BadSettings, ChannelError, OptedOut, Rejected, Throttled, Unreachable
from channels.sms.optout import read_word
from channels.sms.pdu import read
from channels.sms.quiet import loud_again, read_hours, zones_of
from channels.sms.receipts import normal_id, read_report
from channels.sms.status import not_signed_in, refused
from channels.touch import ReceiptState
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
