"""From the bytes of a `deliver_sm` to a touch: what SMSCs really send."""

from __future__ import annotations

from datetime import UTC, datetime
from struct import pack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.sms import parse_again
from channels.sms.parse import MEDIA_TYPE, Ours, read_shorts
from channels.sms.pdu import Place, read, several
from channels.touch import Automatic, Touch
from tests.channels.sms.rig import SmppRig
from tests.peers.smsc import MESSAGE_PAYLOAD, body, in_parts, tlv

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
OURS = Ours("sms", "RU")


def deliver(told: bytes) -> bytes:
    return pack("!IIII", 16 + len(told), 5, 0, 9) + told


def touch(told: bytes, ours: Ours = OURS) -> Touch:
    pdu = deliver(told)
    return read_shorts(ours, {1: read(pdu)}, 1, [pdu], key="k", at=NOW)


@pytest.mark.parametrize(
    ("payload", "coding", "text"),
    [
        (b"Hello", 0, "Hello"),
        (b"\x00\x11 5 \x1b\x65", 0, "@_ 5 €"),
        (b"Hello", 1, "Hello"),
        (b"caf\xe9", 1, "café"),
        (b"caf\xe9", 3, "café"),
        ("Привет 😀".encode("utf-16-be"), 8, "Привет 😀"),
        ("\ufeffПривет".encode("utf-16-le"), 8, "Привет"),
        ("Привет".encode("iso8859_5"), 6, "Привет"),
        ("Привет".encode("utf-16-be"), 0x18, "Привет"),
        (b"Hello", 0xF0, "Hello"),
        (b"Hello", 0x11, "Hello"),
        (b"", 0, ""),
        (b"a\r\nb\r\n", 0, "a\nb"),
    ],
)
def test_texts(payload: bytes, coding: int, text: str) -> None:
    found = touch(body(payload, coding=coding))
    assert found.text == text
    assert not found.remarks


def test_the_default_alphabet_is_the_lines_to_say() -> None:
    assert touch(body(b"@_", coding=0), Ours("sms", "RU", "ascii")).text == "@_"
    assert touch(body("Привет".encode(), coding=0), Ours("sms", "RU", "utf8")).text == "Привет"


def test_broken_text_is_read_as_far_as_it_goes() -> None:
    found = touch(body("Да".encode("utf-16-be") + b"\x04", coding=8))
    assert found.text.startswith("Да") and "some letters could not be read" in found.remarks


@pytest.mark.parametrize(
    ("source", "ton", "who", "odd"),
    [
        ("79161234567", 1, "phone:+79161234567", False),
        ("+380671234567", 1, "phone:+380671234567", False),
        ("380671234567", 0, "phone:+380671234567", False),
        ("89161234567", 2, "phone:+79161234567", False),
        ("900", 0, "phone:900", False),
        ("7000", 3, "phone:7000", False),
        ("MyBank", 5, "phone:MyBank", True),
        ("900", 5, "phone:900", False),
    ],
)
def test_senders(source: str, ton: int, who: str, odd: bool) -> None:
    found = touch(body(b"x", source=source, ton=ton)).party[0]
    assert (str(found), found.odd) == (who, odd)


def test_a_name_cannot_be_answered_and_the_desk_says_so() -> None:
    found = touch(body(b"Your code is 1234", source="MyBank", ton=5))
    assert found.fields == {"sender": "MyBank"}
    assert "cannot be answered" in found.field_marks["sender"]
    assert found.automatic is Automatic.BULK
    cyrillic = touch(body(b"x", source="Банк".encode(), ton=5))
    assert cyrillic.party[0].value == "Банк" and cyrillic.party[0].odd


def test_nobody_said_who_it_was() -> None:
    found = touch(body(b"x", source="", ton=0))
    assert found.party == () and found.remarks


def test_stop_is_marked() -> None:
    assert touch(body("СТОП".encode("utf-16-be"), coding=8)).fields == {"opted_out": True}


def test_a_long_text_in_a_tlv() -> None:
    found = touch(body(b"", coding=8, tlvs=tlv(MESSAGE_PAYLOAD, ("я" * 300).encode("utf-16-be"))))
    assert found.text == "я" * 300


def test_places_of_parts() -> None:
    eight = read(deliver(body(b"\x05\x00\x03\x2a\x03\x02abc", esm_class=0x40)))
    assert eight.place == Place(0x2A, 3, 2) and eight.payload == b"abc"
    sixteen = read(deliver(body(b"\x06\x08\x04\x01\x02\x02\x01abc", esm_class=0x40)))
    assert sixteen.place == Place(0x0102, 2, 1) and sixteen.payload == b"abc"
    later = read(deliver(body(b"\x0a\x24\x01\x00\x00\x03\x07\x02\x01\x25\x00abc", esm_class=0x40)))
    assert later.place == Place(7, 2, 1)
    sar = tlv(0x020C, b"\x00\x09") + tlv(0x020E, b"\x02") + tlv(0x020F, b"\x02")
    assert read(deliver(body(b"abc", tlvs=sar))).place == Place(9, 2, 2)
    for nonsense in (b"\x05\x00\x03\x01\x00\x00abc", b"\x05\x00\x03\x01\x02\x03abc", b"\x05\x00\x03\x01\x01\x01abc"):
        assert read(deliver(body(nonsense, esm_class=0x40))).place is None


def test_messages_for_programs_become_files() -> None:
    found = touch(body(b"\x06\x05\x04\x0b\x84\x23\xf0\x01\x02\x03", esm_class=0x40, coding=4))
    assert found.text == "" and found.attachments[0].data == b"\x01\x02\x03" and found.remarks


def test_a_pair_that_a_sender_has_cut_is_put_together() -> None:
    data = "я😀ю".encode("utf-16-be")
    pdus = [
        deliver(body(bytes((5, 0, 3, 1, 2, n)) + piece, esm_class=0x40, coding=8))
        for n, piece in enumerate((data[:4], data[4:]), 1)
    ]
    found = read_shorts(OURS, {n: read(pdu) for n, pdu in enumerate(pdus, 1)}, 2, pdus, key="k", at=NOW)
    assert found.text == "я😀ю" and not found.remarks


@pytest.mark.parametrize(
    ("numbers", "text"), [((1, 3), "aa […] cc"), ((2,), " […] bb […]"), ((1, 2), "aabb […]"), ((2, 3), " […] bbcc")]
)
def test_what_is_missing_shows(numbers: tuple[int, ...], text: str) -> None:
    pdus = {n: deliver(one) for n, one in enumerate(in_parts("aabbcc", each=2), 1) if n in numbers}
    shorts = {n: read(pdu) for n, pdu in pdus.items()}
    found = read_shorts(OURS, shorts, 3, list(pdus.values()), key="k", at=NOW)
    assert found.text == text
    assert "never came" in found.remarks[0]


@settings(max_examples=150)
@given(st.binary(max_size=80))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for told in (deliver(data), deliver(body(data, esm_class=0x40, coding=8)), deliver(body(b"abc", tlvs=data))):
        try:
            short = read(told)
        except ValueError:
            continue
        read_shorts(OURS, {1: short}, 1, [told], key="k", at=NOW)


def test_kept_bytes_are_read_again(rig: SmppRig) -> None:
    pdus = [deliver(one) for one in in_parts("Здравствуйте! " * 10)]
    raw = b"".join(pdus)
    assert several(raw) == pdus
    again = parse_again("sms", rig.settings(), raw, MEDIA_TYPE, NOW)
    assert again is not None and again.text == ("Здравствуйте! " * 10)
    assert parse_again("sms", rig.settings(), raw[:-1], MEDIA_TYPE, NOW) is None
    assert parse_again("sms", rig.settings(), raw, "message/rfc822", NOW) is None
    assert parse_again("sms", rig.settings(), b"", MEDIA_TYPE, NOW) is None
