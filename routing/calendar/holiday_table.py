"""Public holidays and moved working days of a country, and how far they are known.

The `holidays` package answers for any year without a word about what it knows. Where a government moves days off by
a yearly decree (Russia, Hungary, China …) the years after the last decree look complete and are not: `known_until`
is the last year that can be relied on. The package knows working Saturdays but no shortened days; a shortened day
is one right before a real holiday, so a real holiday is told here from a day off that was only moved.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.metadata import version
from typing import Any

import holidays
from holidays.registry import COUNTRIES

from routing.calendar.errors import fault, suggestion

HOLIDAYS_VERSION = version("holidays")
"""Release of the table of holidays and decrees."""
VINTAGE = 2026
"""Year of the oldest allowed `holidays` (0.109); a decree table ending just before it had nothing more to move."""


@dataclass(frozen=True, slots=True)
class HolidayYear:
    """What a country keeps in one year."""

    names: Mapping[date, str]
    real: frozenset[date]
    """The holidays themselves, without days off moved next to them."""
    working: Mapping[date, date | None]
    """Days off turned into working days, each with the day it stands in for where the decree says so."""


@dataclass(frozen=True, slots=True)
class HolidayTable:
    """The holidays of one country or, as in DE-BY, of one part of it."""

    country: str
    subdivision: str | None
    known_until: int | None
    """The last year whose moved days are known; None where days are not moved by decree."""

    @classmethod
    def named(cls, code: str) -> HolidayTable:
        """Read "PL" or "DE-BY"; a fault with a suggestion for anything else."""
        country, _, subdivision = code.partition("-")
        supported = _supported()
        if country not in supported:
            raise fault(f'no holidays are known for "{country}"', _countries_like(country))
        if subdivision and subdivision not in supported[country]:
            known = ", ".join(supported[country]) or "none"
            raise fault(f'{country} has no part "{subdivision}"', f"its parts are: {known}")
        return cls(country, subdivision or None, _known_until(country))

    def year(self, number: int) -> HolidayYear:
        """Everything about one year, read once."""
        return _year(self.country, self.subdivision, number)

    def unknown(self, number: int) -> bool:
        """True for a year after the last decree."""
        return self.known_until is not None and number > self.known_until


@cache
def _year(country: str, subdivision: str | None, number: int) -> HolidayYear:
    around = range(number - 1, number + 2)  # a decree of one year may call on a Saturday of the year before
    table, plain = _ask(country, subdivision, around, True), _ask(country, subdivision, around, False)
    moves = dict(_moves(country, around))
    names = {day: name for day, name in table.items() if day.year == number}
    working = {day: moves.get(day) for day in table.weekend_workdays if day.year == number}
    return HolidayYear(names, frozenset(plain.keys() - set(moves.values())), working)


def _ask(country: str, subdivision: str | None, years: range, observed: bool) -> holidays.HolidayBase:
    language = _entity(country).default_language  # else the names follow the language of the machine
    return holidays.country_holidays(country, subdivision, years=years, observed=observed, language=language)


def _moves(country: str, years: range) -> Iterator[tuple[date, date]]:
    """The decrees as pairs: the day off that was given up, and the working day that became a day off for it."""
    decrees = _decrees(country)
    for year in years:
        entries = decrees.get(year, ())
        for entry in (entries,) if entries and isinstance(entries[0], int) else entries:
            if len(entry) > 3:
                month, day, from_month, from_day, *from_year = entry
                yield date(from_year[0] if from_year else year, from_month, from_day), date(year, month, day)


def _known_until(country: str) -> int | None:
    last = max((year for year in _decrees(country) if any(_moves(country, range(year, year + 1)))), default=0)
    return max(last, VINTAGE) if last >= VINTAGE - 2 else None  # older: the country has given the custom up


@cache
def _decrees(country: str) -> Mapping[int, Any]:
    """Per year: (month, day, name) of an extra holiday, or (month, day, from month, from day, maybe year) of a move."""
    decrees: Mapping[int, Any] = getattr(_entity(country)(), "special_public_holidays", {})
    return decrees


def _entity(country: str) -> type[holidays.HolidayBase]:
    entity: type[holidays.HolidayBase] = getattr(holidays, country)
    return entity


@cache
def _supported() -> dict[str, list[str]]:
    return holidays.list_supported_countries(include_aliases=False)


def _countries_like(word: str) -> str:
    by_name = {names[0]: names[1] for names in COUNTRIES.values()} | {code: code for code in _supported()}
    remedy = suggestion(
        word, list(by_name), 'write an ISO country code such as "PL", or leave it out and list own days'
    )
    for name, code in by_name.items():
        remedy = remedy.replace(f'"{name}"', f'"{code}"')
    return remedy
