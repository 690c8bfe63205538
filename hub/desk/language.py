"""The desk's four languages: catalogs read at start, and times, durations and counts as people say them."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from pathlib import Path

from babel import Locale, dates, numbers, units
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

LANGUAGES = ("ru", "uk", "pl", "en")
NAMES = {"ru": "Русский", "uk": "Українська", "pl": "Polski", "en": "English"}
_FOLDER = Path(__file__).parent / "locale"
_DAY = 86400


@dataclass(frozen=True, slots=True)
class Speech:
    """One language: its texts and its ways to write numbers and times."""

    code: str
    locale: Locale
    texts: Translations

    def say(self, message: str) -> str:
        """The message in this language."""
        return str(self.texts.ugettext(message))

    def count(self, one: str, many: str, number: int) -> str:
        """The message in the plural form that `number` asks for, with `%(num)d` filled in."""
        return str(self.texts.ungettext(one, many, number)) % {"num": number}

    def duration(self, span: timedelta) -> str:
        """At most two units, the smaller one left out when it says nothing: "3 d 4 h", "25 min", "40 s"."""
        parts = _split(max(0, int(span.total_seconds())))
        return " ".join(units.format_unit(value, unit, length="short", locale=self.locale) for value, unit in parts)

    def moment(self, at: datetime, zone: tzinfo, now: datetime) -> str:
        """The clock time; with the day when it is not today, with the year when it is not this one."""
        local, today = at.astimezone(zone), now.astimezone(zone)
        if local.date() == today.date():
            return dates.format_time(local, "HH:mm", locale=self.locale)
        skeleton = "d MMM, HH:mm" if local.year == today.year else "d MMM y, HH:mm"
        return dates.format_datetime(local, skeleton, locale=self.locale)

    def full_moment(self, at: datetime, zone: tzinfo) -> str:
        """Weekday, day, time to the second and zone, for titles and explanations."""
        local = at.astimezone(zone)
        written = dates.format_datetime(local, "EEE d MMM y, HH:mm:ss", locale=self.locale)
        return f"{written} {local.tzname() or ''}".strip()

    def day(self, at: datetime, zone: tzinfo, now: datetime) -> str:
        """The day alone: "today" and "yesterday" in words."""
        local, today = at.astimezone(zone).date(), now.astimezone(zone).date()
        if local == today:
            return self.say("Today")
        if local == today - timedelta(days=1):
            return self.say("Yesterday")
        pattern = "EEEE, d MMMM" if local.year == today.year else "d MMMM y"
        return dates.format_date(local, pattern, locale=self.locale)

    def clock(self, at: datetime, zone: tzinfo) -> str:
        """The time of day to the second."""
        return dates.format_time(at.astimezone(zone), "HH:mm:ss", locale=self.locale)

    def ago(self, at: datetime, now: datetime) -> str:
        """ "in 25 minutes", "2 hours ago"."""
        return dates.format_timedelta(at - now, add_direction=True, locale=self.locale)

    def size(self, octets: int) -> str:
        """A file size."""
        if octets < 1000:
            return units.format_unit(octets, "digital-byte", length="short", locale=self.locale)
        value, unit = (octets / 1000, "kilobyte") if octets < 1_000_000 else (octets / 1_000_000, "megabyte")
        rounded = round(value) if value >= 10 else round(value, 1)
        return units.format_unit(rounded, f"digital-{unit}", length="short", locale=self.locale)

    def number(self, value: float) -> str:
        """A number with its groups."""
        return numbers.format_decimal(value, locale=self.locale)


def _split(seconds: int) -> list[tuple[int, str]]:
    if seconds >= _DAY:
        found = [(seconds // _DAY, "duration-day"), (seconds % _DAY // 3600, "duration-hour")]
    elif seconds >= 3600:
        found = [(seconds // 3600, "duration-hour"), (seconds % 3600 // 60, "duration-minute")]
    elif seconds >= 60:
        found = [(seconds // 60, "duration-minute")]
    else:
        found = [(seconds, "duration-second")]
    return [part for index, part in enumerate(found) if index == 0 or part[0]]


def load_speeches(folder: Path = _FOLDER) -> Mapping[str, Speech]:
    """Read all catalogs. Raises `FileNotFoundError` when one is missing."""
    return {code: Speech(code, Locale.parse(code), _load(folder, code)) for code in LANGUAGES}


def _load(folder: Path, code: str) -> Translations:
    with (folder / code / "LC_MESSAGES" / "desk.po").open("rb") as file:
        catalog = read_po(file, locale=code, domain="desk")
    compiled = io.BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    return Translations(compiled, domain="desk")


def choose_language(header: str) -> str:
    """The first language of an Accept-Language header that we speak; English otherwise."""
    wanted: list[tuple[float, str]] = []
    for part in header.split(",")[:20]:
        tag, _, quality = part.strip().partition(";q=")
        try:
            weight = float(quality) if quality else 1.0
        except ValueError:
            weight = 0.0
        wanted.append((-weight, tag.split("-")[0].lower()))
    return next((code for _, code in sorted(wanted, key=lambda pair: pair[0]) if code in LANGUAGES), "en")
