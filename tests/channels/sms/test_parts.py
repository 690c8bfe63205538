"""What texts cost and where they are cut: the golden cases, and what must hold for any text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.sms import measure
from channels.sms.parts import Alphabet, alphabet_of, as_sent, decode_gsm, encode, split

_GSM = st.text(alphabet="abc XYZ09@£$éèÅ_ΔΩß\n^{}\\[~]|€", max_size=700)
_ANY = st.text(max_size=400)
_PAIRS = st.text(alphabet="я😀👍🏽é€", max_size=300)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("a" * 159 + "€", 2),
        ("a" * 158 + "€", 1),
        ("я" * 70, 1),
        ("я" * 71, 2),
        ("я" * 134, 2),
        ("я" * 135, 3),
        ("a" * 159 + "ł", 3),
        ("a" * 69 + "ó", 1),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        ("", 0),
        ("  \r\n ", 0),
    ],
)
def test_golden_costs(text: str, parts: int) -> None:
    assert measure(text).parts == parts


def test_what_the_desk_can_say() -> None:
    cheap, dear = measure("Zadzwonimy jutro"), measure("Zadzwonimy jutro, na pewno ł")
    assert (cheap.alphabet, cheap.units, cheap.left, cheap.foreign) == (Alphabet.GSM, 16, 144, None)
    assert (dear.alphabet, dear.left, dear.foreign) == (Alphabet.UCS2, 42, "ł")
    assert measure("a" * 161).left == 153 - 8
    assert measure("a[b]").units == 6


def test_no_pair_is_cut() -> None:
    escapes = split("a" * 152 + "€" + "b" * 100)
    assert [len(one) for one in escapes] == [152, 101]
    pairs = split("я" * 66 + "😀" + "я" * 60)
    assert [len(one) for one in pairs] == [66, 61]
    for one in pairs:
        one.encode("utf-16-be").decode("utf-16-be")


@settings(max_examples=150)
@given(st.one_of(_GSM, _ANY, _PAIRS))
def test_parts_are_the_text_again_and_keep_the_limits(text: str) -> None:
    pieces, alphabet = split(text), alphabet_of(text)
    assert "".join(pieces) == text
    sizes = [len(encode(piece, alphabet)) for piece in pieces]
    one, each = (160, 153) if alphabet is Alphabet.GSM else (140, 134)
    assert all(0 < size <= (one if len(pieces) == 1 else each) for size in sizes)
    if len(pieces) > 1:
        assert sum(sizes) > one
        assert all(size >= each - 3 for size in sizes[:-1]), "no room is given away"
    assert measure(text).parts == len(split(as_sent(text)))


@settings(max_examples=100)
@given(_GSM)
def test_septets_are_read_as_they_were_written(text: str) -> None:
    assert decode_gsm(encode(text, Alphabet.GSM)) == text


def test_septets_that_are_nonsense_are_read_all_the_same() -> None:
    assert decode_gsm(b"\x1b\x41") == "A"
    assert decode_gsm(b"a\x1b") == "a"
    assert decode_gsm(b"a\x1b\x1b\x65") == "a €" or decode_gsm(b"a\x1b\x1b\x65") == "a e"
