"""What a text costs as SMS, and where it is cut. Pure.

Source: 3GPP TS 23.038 (alphabets) and 23.040 (concatenation). A text of GSM-7 letters alone is counted in septets, 160
in one part or 153 in each of several; anything else turns the whole text into UCS-2, 70 or 67 units. Ten letters cost
two septets (`€[]{}\\^~|` and the form feed), letters beyond U+FFFF two units; such a pair is never cut in two.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_ESCAPE = 0x1B
# fmt: off
_EXTENDED = {
    "\f": 0x0A, "^": 0x14, "{": 0x28, "}": 0x29, "\\": 0x2F, "[": 0x3C, "~": 0x3D, "]": 0x3E, "|": 0x40, "€": 0x65,
}
# fmt: on
_CODES: dict[str, bytes] = {
    **{letter: bytes((code,)) for code, letter in enumerate(_BASIC) if code != _ESCAPE},
    **{letter: bytes((_ESCAPE, code)) for letter, code in _EXTENDED.items()},
}
_ESCAPED = {code: letter for letter, code in _EXTENDED.items()}
_LETTERS = frozenset(_CODES)


class Alphabet(StrEnum):
    """How the letters of a whole text are written."""

    GSM = "gsm"
    UCS2 = "ucs2"


_ONE = {Alphabet.GSM: 160, Alphabet.UCS2: 70}
_EACH = {Alphabet.GSM: 153, Alphabet.UCS2: 67}


@dataclass(frozen=True, slots=True)
class Cost:
    """What a text costs: `parts` are what is paid for; `left` units may still be written before there is one more.

    `foreign` is the first letter that GSM-7 does not have: what makes the text more than twice as dear.
    """

    parts: int
    alphabet: Alphabet
    units: int
    left: int
    foreign: str | None = None


def measure(text: str) -> Cost:
    """The cost of a text, as the desk shows it before it is sent. Nothing costs nothing."""
    text = as_sent(text)
    alphabet = alphabet_of(text)
    pieces = split(text)
    units = _units(text, alphabet)
    room = _ONE[alphabet] if len(pieces) < 2 else _EACH[alphabet]
    used = _units(pieces[-1], alphabet) if pieces else 0
    foreign = None if alphabet is Alphabet.GSM else next(letter for letter in text if letter not in _LETTERS)
    return Cost(len(pieces), alphabet, units, room - used, foreign)


def as_sent(text: str) -> str:
    """The text as it goes out: one character per end of line, nothing around it."""
    return text.replace("\r\n", "\n").strip()


def alphabet_of(text: str) -> Alphabet:
    """GSM-7 if it has all the letters."""
    return Alphabet.GSM if _LETTERS.issuperset(text) else Alphabet.UCS2


def split(text: str) -> list[str]:
    """The parts of a text, none for an empty one; joined they are the text again."""
    alphabet = alphabet_of(text)
    if _units(text, alphabet) <= _ONE[alphabet]:
        return [text] if text else []
    most, pieces, begin, used = _EACH[alphabet], [], 0, 0
    for position, letter in enumerate(text):
        weight = _units(letter, alphabet)
        if used + weight > most:
            pieces.append(text[begin:position])
            begin, used = position, 0
        used += weight
    return [*pieces, text[begin:]]


def encode(text: str, alphabet: Alphabet) -> bytes:
    """The octets of one part: a septet in each (packing is the SMSC's), or big-endian units."""
    if alphabet is Alphabet.GSM:
        return b"".join(_CODES[letter] for letter in text)
    return text.encode("utf-16-be", "replace")


def decode_gsm(data: bytes) -> str:
    """The text of unpacked septets. An unknown escape is what the letter is without it, as 23.038 has it."""
    letters, escaped = [], False
    for code in data:
        if code == _ESCAPE and not escaped:
            escaped = True
            continue
        plain = _BASIC[code & 0x7F]
        letters.append(_ESCAPED.get(code, plain) if escaped else plain)
        escaped = False
    return "".join(letters).replace("\x1b", " ")


def _units(text: str, alphabet: Alphabet) -> int:
    if alphabet is Alphabet.GSM:
        return len(text) + sum(map(text.count, _EXTENDED))
    return len(text) if text.isascii() else len(text.encode("utf-16-be", "replace")) // 2
