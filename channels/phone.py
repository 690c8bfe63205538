"""Reads telephone numbers as people and exchanges write them: `phonenumbers`, mended where it is blind. Pure.

Identities are E.164 (`+78123258351`). Short codes (2-6 digits: extensions, 112) stay as they are, for `phonenumbers`
would turn them into nonsense of the default region. What cannot be read is kept as written and flagged `odd`.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat, ValidationResult

from channels.touch import Identity

SCHEME = "phone"


@dataclass(frozen=True, slots=True)
class Phone:
    """One number found in a text.

    `value` is E.164, or the digits of a short code, or the text as written when `odd`. `extension` is what to dial
    after the answer. `alphanumeric` marks a sender name of SMS, which cannot be called.
    """

    value: str
    written: str
    extension: str | None = None
    short: bool = False
    odd: bool = False
    alphanumeric: bool = False


# fmt: off
_HIDDEN = frozenset([
    "", "anonymous", "anon", "unknown", "restricted", "private", "withheld", "unavailable", "hidden", "blocked",
    "asterisk", "s", "none", "null", "nobody",
    "скрыт", "скрытый", "неизвестный", "неизвестен", "аноним", "анонимный",
    "приховано", "прихований", "невідомий", "анонім", "ukryty", "nieznany", "zastrzeżony", "anonimowy",
])
# fmt: on
# Plain E.164 of the markets most callers come from: fixed lengths, so nothing is left for the metadata to decide.
_PLAIN = re.compile(r"\+(?:7[3-9]\d{9}|380[1-9]\d{8}|48[1-9]\d{8})", re.ASCII)
# National forms of the same markets, with the spaces, brackets and dashes taken out.
_NATIONAL = {
    "RU": (re.compile(r"[78]?([3489]\d{9})", re.ASCII), "+7"),
    "UA": (re.compile(r"(?:38)?0([3-9]\d{8})", re.ASCII), "+380"),
    "PL": (re.compile(r"(?:48)?([1-9]\d{8})", re.ASCII), "+48"),
}
_FILLING = str.maketrans("", "", " ()-.\u00a0")
_RUN = re.compile(r"\+?[\s(+]*\d[\d\s().\-~]*")
_EXTENSION = re.compile(
    r"[\s,(]*(?:доб(?:авочный)?|вн(?:утр(?:енний)?)?|дод(?:атковий)?|ext(?:ension)?|wewn?(?:ętrzny)?|x|#|;ext=|,,)"
    r"[\s.:№#]*(\d{1,7})",
    re.IGNORECASE,
)
_AREA_ONLY = re.compile(r"\(\s*(\d{2,5})\s*\)")
_AREA = re.compile(r"\(\s*\d{2,5}\s*\)")
_VANITY = re.compile(r"\+?[\d\s().-]{3,}[A-Za-z][A-Za-z\d\s-]{2,}")
_SENDER = re.compile(r"[A-Za-z][A-Za-z0-9&._ -]{1,10}")
_LABEL = re.compile(r"\b(?:тел(?:ефон)?|моб(?:ильный)?|факс|раб|дом|tel(?:efon)?|phone|mob(?:ile)?|fax|kom)\b", re.I)
_NOT_DIGIT = re.compile(r"\D+")
_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—−﹣－", "-") | dict.fromkeys("\u00a0\u2007\u202f", " "))


def read_phones(text: str, default_region: str) -> list[Phone]:
    """All numbers in `text`, in the order written; a number without area code inherits that of the one before it.

    `default_region` (ISO 3166, "RU") says how national forms are read. An empty list says that there is no number;
    a list of one `odd` phone, that there seems to be one that cannot be read.
    """
    if plain := _plainly(text, default_region):
        return [Phone(plain, text)]
    return list(_read(text, default_region))


def normalise(text: str, default_region: str) -> Identity:
    """The identity behind one number; what does not parse is kept as written with `odd=True`.

    A hidden caller gives an odd identity too: ask `is_hidden` first, or all hidden callers become one client.
    """
    if plain := _plainly(text, default_region):
        return Identity(SCHEME, plain)
    for phone in _read(text, default_region):
        if not phone.odd:
            return Identity(SCHEME, phone.value)
    return Identity(SCHEME, text.strip(), odd=True)


def is_hidden(text: str | None) -> bool:
    """Does the source say that the caller hides his number (or nothing at all)?"""
    return text is None or text.strip(" <>\"'()").casefold() in _HIDDEN


def _plainly(text: str, region: str) -> str | None:
    """E.164 of a number that needs no metadata, for speed: the metadata cost 60 microseconds a number."""
    if _PLAIN.fullmatch(text):
        return text
    national = _NATIONAL.get(region)
    if national is None or len(text) > 30:
        return None
    found = national[0].fullmatch(text.translate(_FILLING))
    return national[1] + found[1] if found else None


@lru_cache(maxsize=8192)
def _read(text: str, region: str) -> tuple[Phone, ...]:
    if is_hidden(text):
        return ()
    clean = _plain_characters(text)
    if vanity := _vanity(clean, region):
        return (vanity,)
    found = _Scan(clean, region).run()
    good = tuple(phone for phone in found if not phone.odd)
    if good or found:
        return good or (Phone(text.strip(), text.strip(), odd=True),)
    if _SENDER.fullmatch(clean):
        return (Phone(clean, clean, odd=True, alphanumeric=True),)
    return ()


def _plain_characters(text: str) -> str:
    """Full-width and foreign digits, typographic dashes and spaces, as ASCII."""
    if text.isascii():
        return text.strip()
    folded = unicodedata.normalize("NFKC", text).translate(_DASHES).strip()
    return "".join(str(unicodedata.digit(letter)) if letter.isdecimal() else letter for letter in folded)


def _vanity(text: str, region: str) -> Phone | None:
    """`1-800-FLOWERS`: letters dialled as digits."""
    if not _VANITY.fullmatch(text) or _EXTENSION.search(text):
        return None
    number = _parse(text, region)
    return Phone(_e164(number), text) if number is not None and _is_valid(number) else None


class _Scan:
    """One walk over a text: what was found so far decides how the next run of digits is read."""

    def __init__(self, text: str, region: str) -> None:
        self.text = text
        self.region = region
        self.found: list[Phone] = []
        self.area = ""
        self.local = 0
        # "call after 18" holds no short code: they count only where nothing but numbers and their labels is written
        bare = _LABEL.sub("", _EXTENSION.sub("", text))
        self.shorts = not any(letter.isalpha() for letter in bare)

    def run(self) -> list[Phone]:
        position = 0
        while run := _RUN.search(self.text, position):
            gap = self.text[position : run.start()]
            position = run.end()
            written = run[0].strip(" .-~")
            extension = _EXTENSION.match(self.text, position)
            if extension:
                position = extension.end()
            phones = self._one(written, gap)
            if extension and phones:
                last = phones[-1]
                phones[-1] = Phone(last.value, last.written, extension[1], last.short, last.odd)
            self.found += phones
        return self.found

    def _one(self, written: str, gap: str) -> list[Phone]:
        if area := _AREA_ONLY.fullmatch(written):
            self.area = area[1]
            return []
        digits = _NOT_DIGIT.sub("", written)
        inherited = self._inherit(digits, gap)
        if inherited is not None:
            return [Phone(inherited, written)]
        if len(digits) <= 6:
            return [Phone(digits, written, short=True)] if self.shorts and len(digits) >= 2 else []
        value = _resolve(self.area + written if self.area and len(digits) < 8 else written, self.region)
        self.area = ""
        if value is not None:
            self.local = _local_length(written)
            return [Phone(value, written)]
        if len(digits) > 15:
            return self._several(written)
        return [Phone(written, written, odd=True)]

    def _inherit(self, digits: str, gap: str) -> str | None:
        """Read `575 0480` after `(812) 325 8351`, and `…83-51/52`, as numbers of the same area."""
        before = next((phone for phone in reversed(self.found) if phone.value.startswith("+")), None)
        if before is None:
            return None
        if gap.strip() == "/" and len(digits) <= 3:
            return before.value[: -len(digits)] + digits
        if len(digits) != self.local and not 7 <= len(digits) < 10:
            return None
        if len(digits) < 5 or _resolve_valid(digits, self.region) is not None:
            return None
        candidate = before.value[: -len(digits)] + digits
        number = _parse(candidate, self.region)
        return candidate if number is not None and _is_possible(number) else None

    def _several(self, written: str) -> list[Phone]:
        """Numbers that only spaces divide."""
        found: list[Phone] = []
        joined = ""
        for word in written.split():
            joined = f"{joined} {word}".lstrip()
            if len(_NOT_DIGIT.sub("", joined)) >= 9 and (value := _resolve_valid(joined, self.region)) is not None:
                found.append(Phone(value, joined))
                joined = ""
        return found or [Phone(written, written, odd=True)]


def _local_length(written: str) -> int:
    area = _AREA.search(written)
    return len(_NOT_DIGIT.sub("", written[area.end() :])) if area else 0


def _resolve(written: str, region: str) -> str | None:
    """E.164 of one number: the certain readings first, then one that is merely possible (metadata ages)."""
    if (value := _resolve_valid(written, region)) is not None:
        return value
    number = _parse(written, region)
    return _e164(number) if number is not None and _is_possible(number) else None


def _resolve_valid(written: str, region: str) -> str | None:
    for candidate in _readings(written):
        number = _parse(candidate, region)
        if number is not None and _is_valid(number):
            return _e164(number)
    return None


def _readings(written: str) -> list[str]:
    """As written; a plus forgotten; a plus too many (`+8 916…`); the trunk prefix of another age (`8 044…`)."""
    digits = _NOT_DIGIT.sub("", written)
    if written.startswith("+"):
        return [written] if _parse(written, "ZZ") is not None else [digits]
    readings = [written]
    if len(digits) >= 11:
        readings.append("+" + digits)
    if digits[:1] in ("0", "8"):
        readings.append(digits[1:])
    return readings


def _parse(written: str, region: str) -> PhoneNumber | None:
    try:
        return phonenumbers.parse(written, region)
    except NumberParseException:
        return None


def _is_valid(number: PhoneNumber) -> bool:
    return phonenumbers.is_valid_number(number)


def _is_possible(number: PhoneNumber) -> bool:
    return phonenumbers.is_possible_number_with_reason(number) == ValidationResult.IS_POSSIBLE


def _e164(number: PhoneNumber) -> str:
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)
