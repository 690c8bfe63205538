"""Bytes to text: declared charsets under their many names, and a guess where none (or a wrong one) is declared.

The guess is our own scoring among utf-8, windows-1251, koi8-r/u, iso-8859-2, windows-1250 and windows-1252, because
statistical detectors take a short "Привет" for Chinese. It looks at how letters sit next to each other: a Cyrillic
letter beside a Latin one is odd, a run of accented Latin letters is odd, a capital after a small letter is odd.
"""

from __future__ import annotations

import codecs
import re
from functools import lru_cache

_SAMPLE = 4096
_TEXT_CODECS = re.compile(
    r"(utf[-_]?(7|8|8-sig|16|16-le|16-be|32|32-le|32-be)|ascii|iso8859-\d+|latin[-_]?\d*|cp\d+|koi8-[rtu]|mac[-_]\w+"
    r"|gb2312|gbk|gb18030|hz|big5\w*|euc[-_]\w+|shift[-_]\w+|iso2022[-_]\w+|johab|tis-620|ptcp154|kz1048)"
)
_ALIASES = {
    "win-1251": "cp1251",
    "win1251": "cp1251",
    "windows1251": "cp1251",
    "x-cp1251": "cp1251",
    "cp-1251": "cp1251",
    "win-1250": "cp1250",
    "windows1250": "cp1250",
    "x-cp1250": "cp1250",
    "koi8": "koi8-r",
    "koi8r": "koi8-r",
    "koi8u": "koi8-u",
    "koi8-ru": "koi8-u",
    "utf": "utf-8",
    "unicode": "utf-8",
    "utf8mb4": "utf-8",
    "unicode-1-1-utf-7": "utf-7",
    "unicode-1-1-utf-8": "utf-8",
    "iso-8859-8-i": "iso-8859-8",
    "x-mac-cyrillic": "mac-cyrillic",
    "x-sjis": "shift-jis",
    "ks_c_5601-1987": "cp949",
    "x-gbk": "gbk",
    "ansi_x3.4-1968": "ascii",
    "7bit": "ascii",
    "8bit": "ascii",
    "x-user-defined": "ascii",
    "default": "ascii",
}
_VAGUE = frozenset({"ascii", "iso8859-1", "latin-1", "cp1252"})
_CANDIDATES = ("cp1251", "koi8-r", "koi8-u", "iso-8859-2", "cp1250", "cp1252")
# Letters by how often they are met, so that two readings with equal grammar are told apart by their wording.
_FREQUENT = "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъёіїєґ"
_WEIGHT = {letter: 3.0 - 2.6 * place / len(_FREQUENT) for place, letter in enumerate(_FREQUENT)}
_PAIRS = (
    "ст но то на ен ов ни ра во ко по пр ро ре ри ве ив ет не ал ор ер ос от ка та те го ли ло ла ль ан ат"
    " ам ом ем им ин да де ди до за зд др ав св тв вл ес еш ск ть ви ва ма ме ми мо он об ог од ол оп сч чё"
    " сы ый ая ие ия ию пе па си ся сл са се ти ту ты хо чт чи ці ві ки ій ою ьк ще що дя як рі ні лі ів ап"
    " ит ру яв вк йт"
)
_FREQUENT_PAIRS = frozenset(_PAIRS.split())
_POLISH = frozenset("ąćęłńóśźżĄĆĘŁŃÓŚŹŻ")
_CENTRAL = frozenset("áčďéěíňřšťúůýžäöüßőűőűĺľŕâăîţşÁČĎÉĚÍŇŘŠŤÚŮÝŽÄÖÜ")
_WESTERN = frozenset("àèìòùâêîôûçñãõæøåÀÈÌÒÙÂÊÎÔÛÇÑÃÕÆØÅëïËÏ")
_PUNCTUATION = frozenset("«»„“”‘’–—…•№§©®°\u00a0€")


@lru_cache(maxsize=256)
def codec_of(label: str) -> str | None:
    """Python's name of a declared charset, or None for what is unknown or no charset of text."""
    plain = label.strip().strip("\"'").lower()
    try:
        name = codecs.lookup(_ALIASES.get(plain, plain)).name
    except (LookupError, ValueError):
        return None
    return name if _TEXT_CODECS.fullmatch(name) else None


def decode(data: bytes, declared: str | None) -> tuple[str, str | None]:
    """Text of `data`, and a remark if the declared charset did not do. Never raises.

    The text holds no NUL and no lone surrogate: databases refuse them.
    """
    text, remark = _decode(data, declared)
    if "\0" in text:
        text = text.replace("\0", "\ufffd")
    return (text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")), remark


def _decode(data: bytes, declared: str | None) -> tuple[str, str | None]:
    if data.isascii() and not (declared and _is_shifting(declared)):
        return data.decode("ascii"), None
    name = codec_of(declared) if declared else None
    if name is not None and name not in _VAGUE:
        return _decode_declared(data, name, declared or name)
    text, guessed = guess(data)
    if not declared or (name in _VAGUE and guessed in {"cp1252", "iso8859-1"}):
        return text, None
    why = "is unknown" if name is None else "does not fit"
    return text, f"charset {declared[:40]!r} {why}, read as {guessed}"


def _is_shifting(declared: str) -> bool:
    name = codec_of(declared)
    return name is not None and name.startswith(("utf-7", "utf-16", "utf-32", "iso2022", "hz"))


def _decode_declared(data: bytes, name: str, declared: str) -> tuple[str, str | None]:
    try:
        return data.decode(name), None
    except UnicodeDecodeError:
        pass
    lenient = data.decode(name, "replace")
    if lenient.count("\ufffd") * 20 <= _high_bytes(data) + 19:
        return lenient, f"some bytes do not fit charset {declared[:40]!r}"
    text, guessed = guess(data)
    return text, f"charset {declared[:40]!r} does not fit, read as {guessed}"


def _high_bytes(data: bytes) -> int:
    return len(data) - len(data.translate(None, _HIGH))


_HIGH = bytes(range(128, 256))


def guess(data: bytes) -> tuple[str, str]:
    """Text of undeclared bytes and the charset that was taken."""
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        pass
    if _nearly_utf8(data):
        return data.decode("utf-8", "replace"), "utf-8"
    sample = _telling_part(data)
    best = max(_CANDIDATES, key=lambda name: _score(sample.decode(name, "replace")))
    return data.decode(best, "replace"), best


def _nearly_utf8(data: bytes) -> bool:
    text = data.decode("utf-8", "replace")
    wrong = text.count("\ufffd")
    right = sum(1 for char in text[: _SAMPLE * 4] if char > "\x7f") - wrong
    return right > wrong * 10


def _telling_part(data: bytes) -> bytes:
    """The first few kilobytes around bytes above ASCII: the rest says nothing."""
    found = re.search(rb"[\x80-\xff]", data)
    start = max(0, (found.start() if found else 0) - 16)
    return data[start : start + _SAMPLE]


def _score(text: str) -> float:
    score, before = 0.0, " "
    for char in text:
        if char > "\x7f":
            score += _worth(char, before)
        elif before > "\x7f" and char.isalpha():
            score += _beside_ascii(before)
        before = char
    return score


def _worth(char: str, before: str) -> float:
    """How plausible a non-ASCII character is, given the one before it."""
    if "а" <= char <= "я" or "А" <= char <= "Я" or char in "ёЁіїєґІЇЄҐ":
        return _cyrillic_worth(char, before)
    if char.isalpha():
        return _latin_worth(char, before)
    if char in _PUNCTUATION:
        return 0.3
    return -6.0 if char < "\xa0" or char == "\ufffd" else -2.5


def _cyrillic_worth(char: str, before: str) -> float:
    if before.isascii() and before.isalpha():
        return -4.0
    small = char.lower()
    worth = _WEIGHT.get(small, 0.5)
    if before.lower() + small in _FREQUENT_PAIRS:
        worth += 1.5
    if char.isupper():
        return -3.0 if before.islower() else worth - 0.5
    return worth


def _latin_worth(char: str, before: str) -> float:
    if not ("\xc0" <= char <= "\u017f"):
        return -3.0
    worth = 2.4 if char in _POLISH else 1.6 if char in _CENTRAL else 1.2 if char in _WESTERN else -0.5
    if before > "\x7f" and before.isalpha():
        worth -= 2.6
    if char.isupper() and before.islower():
        worth -= 4.0
    return worth


def _beside_ascii(before: str) -> float:
    """An ASCII letter right after `before`: natural for Latin scripts, odd for Cyrillic."""
    if "\xc0" <= before <= "\u017f":
        return 0.6
    return -4.0 if before.isalpha() else -0.5 if before not in _PUNCTUATION else 0.0
