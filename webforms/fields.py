"""Values as visitors type them, read by the kind of their field. What cannot be read is kept as written and marked."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from channels import address, phone
from channels.touch import Identity
from webforms.settings import FieldKind, FieldSettings

MAX_IDENTITIES = 20
_ENOUGH = 500  # letters of a field in which numbers are looked for

_TRUE = frozenset(["on", "true", "1", "yes", "y", "да", "так", "tak", "checked", "✓"])
_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})|(\d{1,2})[./-](\d{1,2})[./-](\d{4})")
_NUMBER = re.compile(r"[+-]?\d{1,18}(?:[.,]\d{1,12})?")
_URL = re.compile(r"(?:https?://)?(?:[\w-]+\.)+[^\W\d_]{2,}(?:[:/?#]\S*)?", re.IGNORECASE)
_SPACES = str.maketrans("", "", " \u00a0\u202f'")


@dataclass(slots=True)
class Notes:
    """What reading a form brings to light besides the values: who writes, and what is odd."""

    region: str
    identities: list[Identity] = field(default_factory=list)
    marks: dict[str, str] = field(default_factory=dict)


Reader = Callable[[FieldSettings, list[str], Notes], Any]


def is_ticked(value: str) -> bool:
    """Does a checkbox value mean yes?"""
    return value.strip().casefold() in _TRUE


def _text(settings: FieldSettings, values: list[str], notes: Notes) -> Any:
    if settings.max_length is not None and any(len(value) > settings.max_length for value in values):
        notes.marks[settings.name] = "too_long"
    return values[0].strip() if len(values) == 1 else [value.strip() for value in values]


def _phone(settings: FieldSettings, values: list[str], notes: Notes) -> Any:
    """Several numbers may stand in one field. A short or unreadable number is odd: it proves nobody's identity."""
    readable = False
    for written in values:
        for found in phone.read_phones(written[:_ENOUGH], notes.region)[:MAX_IDENTITIES]:
            if found.alphanumeric:
                continue
            readable = readable or not (found.odd or found.short)
            notes.identities.append(Identity(phone.SCHEME, found.value[:200], odd=found.odd or found.short))
    if not readable and any(value.strip() for value in values):
        notes.marks[settings.name] = "not_a_phone"
    return _text(settings, values, notes)


def _email(settings: FieldSettings, values: list[str], notes: Notes) -> Any:
    found = [one for written in values for one in address.read_addresses(written[:_ENOUGH])[:MAX_IDENTITIES]]
    written = next((value.strip() for value in values if value.strip()), "")
    if found:
        notes.identities += found
    elif written:
        notes.marks[settings.name] = "not_an_email"
        if "@" in written:
            notes.identities.append(Identity(address.SCHEME, written[:200], odd=True))
    return _text(settings, values, notes)


def _number(settings: FieldSettings, values: list[str], notes: Notes) -> Any:
    written = values[0].strip()
    plain = written.translate(_SPACES)
    if len(values) == 1 and _NUMBER.fullmatch(plain):
        return float(plain.replace(",", ".")) if "." in plain or "," in plain else int(plain)
    return _marked(settings, values, notes, "not_a_number")


def _rating(settings: FieldSettings, values: list[str], notes: Notes) -> Any:
    written = values[0].strip()
    if len(values) == 1 and written.isdecimal() and 1 <= int(written[:3]) <= settings.max_rating:
        return int(written)
    return _marked(settings, values, notes, "not_a_rating")


def _date(settings: FieldSettings, values: list[str], notes: Notes) -> Any:
    """`2026-11-21`, or day first as all four languages write it: `21.11.2026`; kept as ISO 8601."""
    if len(values) == 1 and (found := _DATE.fullmatch(values[0].strip())):
        year, month, day = (found[1], found[2], found[3]) if found[1] else (found[6], found[5], found[4])
        try:
            return date(int(year), int(month), int(day)).isoformat()
        except ValueError:
            pass
    return _marked(settings, values, notes, "not_a_date")


def _url(settings: FieldSettings, values: list[str], notes: Notes) -> Any:
    if len(values) == 1 and _URL.fullmatch(values[0].strip()):
        return values[0].strip()
    return _marked(settings, values, notes, "not_an_address")


def _marked(settings: FieldSettings, values: list[str], notes: Notes, mark: str) -> Any:
    if any(value.strip() for value in values):
        notes.marks[settings.name] = mark
    return _text(settings, values, notes)


def _select(settings: FieldSettings, values: list[str], notes: Notes) -> Any:
    chosen = values[0].strip()
    if len(values) == 1 and (not chosen or any(option.value == chosen for option in settings.options)):
        return chosen
    return _marked(settings, values, notes, "not_an_option")


def _multiselect(settings: FieldSettings, values: list[str], notes: Notes) -> Any:
    known = {option.value for option in settings.options}
    chosen = [value.strip() for value in values if value.strip()]
    if not known.issuperset(chosen):
        notes.marks[settings.name] = "not_an_option"
    return chosen


def _tick(settings: FieldSettings, values: list[str], notes: Notes) -> Any:
    return any(is_ticked(value) for value in values)


READERS: dict[FieldKind, Reader] = {
    FieldKind.TEXT: _text,
    FieldKind.TEXTAREA: _text,
    FieldKind.HIDDEN: _text,
    FieldKind.FILE: _text,
    FieldKind.PHONE: _phone,
    FieldKind.EMAIL: _email,
    FieldKind.NUMBER: _number,
    FieldKind.RATING: _rating,
    FieldKind.DATE: _date,
    FieldKind.URL: _url,
    FieldKind.SELECT: _select,
    FieldKind.MULTISELECT: _multiselect,
    FieldKind.CHECKBOX: _tick,
    FieldKind.CONSENT: _tick,
}
