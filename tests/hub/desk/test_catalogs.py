"""Every text of the desk is there in all four languages, and the catalogs are those of the source."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

import hub.desk
from hub.desk.catalogs import extract
from hub.desk.language import LANGUAGES, choose_language, load_speeches

LOCALE = Path(hub.desk.__file__).parent / "locale"
_PLACES = re.compile(r"%\((\w+)\)[sd]")


def _catalog(code: str) -> Catalog:
    with (LOCALE / code / "LC_MESSAGES" / "desk.po").open("rb") as file:
        return read_po(file, locale=code, domain="desk")


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_text_is_translated(code: str) -> None:
    catalog = _catalog(code)
    wanted = {message.id for message in extract() if message.id}
    known = {message.id for message in catalog if message.id}
    assert wanted == known, "run: python -m hub.desk.catalogs"
    for message in catalog:
        if not message.id:
            continue
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        assert all(strings), f"{code}: {message.id!r} is not translated"
        if isinstance(message.id, tuple):
            assert len(strings) == catalog.num_plurals
        assert not message.fuzzy


@pytest.mark.parametrize("code", LANGUAGES)
def test_placeholders_survive_translation(code: str) -> None:
    for message in _catalog(code):
        if not message.id:
            continue
        source = message.id if isinstance(message.id, tuple) else (message.id,)
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        for string in strings:
            assert set(_PLACES.findall(string)) == set(_PLACES.findall(source[-1])), (code, message.id)


def test_other_languages_are_not_english() -> None:
    same_everywhere = {"SMS", "Region", "Status", "spam", "Link", "Operator", "Administrator", "Chat"}
    for code in ("ru", "uk"):
        for message in _catalog(code):
            if message.id and isinstance(message.id, str) and message.id not in same_everywhere:
                assert message.string != message.id, (code, message.id)


def test_plural_forms() -> None:
    speeches = load_speeches()
    said = {
        code: [
            speeches[code].count("%(num)d working hour", "%(num)d working hours", number) for number in (1, 2, 5, 22)
        ]
        for code in LANGUAGES
    }
    assert said["ru"] == ["1 рабочий час", "2 рабочих часа", "5 рабочих часов", "22 рабочих часа"]
    assert said["uk"] == ["1 робоча година", "2 робочі години", "5 робочих годин", "22 робочі години"]
    assert said["pl"] == ["1 godzina robocza", "2 godziny robocze", "5 godzin roboczych", "22 godziny robocze"]
    assert said["en"] == ["1 working hour", "2 working hours", "5 working hours", "22 working hours"]


def test_times_are_told_in_the_language_and_the_zone() -> None:
    speeches, zone = load_speeches(), ZoneInfo("Europe/Moscow")
    now = datetime(2026, 11, 21, 18, 0, tzinfo=UTC)
    assert speeches["ru"].moment(now - timedelta(hours=1), zone, now) == "20:00"
    assert speeches["pl"].moment(now - timedelta(days=2), zone, now) == "19 lis, 21:00"
    assert speeches["en"].moment(datetime(2025, 1, 2, 12, tzinfo=UTC), zone, now) == "2 Jan 2025, 15:00"
    assert speeches["uk"].day(now - timedelta(days=1), zone, now) == "Учора"
    assert speeches["ru"].ago(now + timedelta(minutes=25), now) == "через 25 минут"
    assert speeches["ru"].duration(timedelta(hours=2, minutes=10)) == "2 ч 10 мин"
    assert speeches["pl"].duration(timedelta(days=1, hours=3, minutes=59)) == "1 dzień 3 godz."
    assert speeches["en"].duration(timedelta(seconds=-5)) == "0 sec"


@pytest.mark.parametrize(
    ("header", "chosen"),
    [
        ("uk-UA,uk;q=0.9,en;q=0.5", "uk"),
        ("de, pl;q=0.7, en;q=0.8", "en"),
        ("", "en"),
        ("ru;q=x,pl", "pl"),
        ("fr", "en"),
    ],
)
def test_the_browser_is_asked(header: str, chosen: str) -> None:
    assert choose_language(header) == chosen
