"""Templates and automatic texts, filled in for one client: what a blank stands for, in his language and his day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any

from babel import dates
from sqlalchemy import Connection, func, select

from channels.touch import Approved
from hub.places import place_of
from hub.setup import blanks
from hub.setup.snapshot import SetUp
from hub.setup.templates import Template, refers_to
from hub.setup.titles import LANGUAGES, Title, say
from routing.ledger import OPEN
from storage import models

Row = Mapping[str, Any]

_NEAR = {
    0: {"ru": "сегодня в {}", "uk": "сьогодні о {}", "pl": "dziś o {}", "en": "today at {}"},
    1: {"ru": "завтра в {}", "uk": "завтра о {}", "pl": "jutro o {}", "en": "tomorrow at {}"},
}
_DAY = {"ru": "d MMMM 'в' HH:mm", "uk": "d MMMM 'о' HH:mm", "pl": "d MMMM 'o' HH:mm", "en": "d MMMM 'at' HH:mm"}


@dataclass(frozen=True, slots=True)
class Occasion:
    """For whom a text is filled in: whoever is known of client, conversation, line and operator."""

    line: str | None = None
    client: int | None = None
    conversation: int | None = None
    operator: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Words:
    """A template filled in. `missing` are blanks that nothing is known for; they still stand in the text."""

    text: str
    language: str
    subject: str | None = None
    missing: tuple[str, ...] = ()
    approved: Approved | None = None


def write(connection: Connection, setup: SetUp, template: Template, occasion: Occasion, now: datetime) -> Words:
    """A template for one client."""
    language = language_for(connection, setup, occasion)
    values = values_for(connection, setup, occasion, language, now)
    channel = place_of(setup, occasion.line).channel if occasion.line else None
    text = blanks.fill(template.words(language, channel), values)
    subject = blanks.fill(say(template.subject, language), values) if template.subject else None
    approved, lacking = _approved(template, language, values)
    missing = dict.fromkeys((*text.missing, *(subject.missing if subject else ()), *lacking))
    return Words(text.text, language, subject.text if subject else None, tuple(missing), approved)


def _approved(
    template: Template, language: str, values: Mapping[str, str | None]
) -> tuple[Approved | None, tuple[str, ...]]:
    found = template.approved
    if found is None:
        return None, ()
    filled = [blanks.fill(one, values) for one in found.parameters]
    lacking = tuple(name for one in filled for name in one.missing)
    return Approved(found.name, say(found.language, language), tuple(one.text for one in filled)), lacking


def write_automatic(
    connection: Connection, setup: SetUp, title: Title, occasion: Occasion, now: datetime
) -> Words | None:
    """A text that goes out by itself; None when a blank of its template has nothing to go in, for nobody would see."""
    key = refers_to(title)
    if key is not None:
        template = setup.templates.get(key)
        words = write(connection, setup, template, occasion, now) if template else None
        return words if words and not words.missing else None
    language = language_for(connection, setup, occasion)
    values = values_for(connection, setup, occasion, language, now)
    filled = blanks.fill(say(title, language), values)
    return Words(filled.text, language) if not filled.missing else None


def language_for(connection: Connection, setup: SetUp, occasion: Occasion) -> str:
    """The one asked for, the client's, that of his last words, else the company's first."""
    if occasion.language in LANGUAGES:
        return str(occasion.language)
    table, said = models.client.c, models.interaction.c
    known = connection.execute(select(table.language).where(table.id == occasion.client)).scalar()
    if known not in LANGUAGES and occasion.conversation is not None:
        heard = select(said.language).where(
            said.conversation_id == occasion.conversation, said.direction == "inbound", said.language.in_(LANGUAGES)
        )
        known = connection.execute(heard.order_by(said.id.desc()).limit(1)).scalar()
    return str(known) if known in LANGUAGES else setup.company.languages[0]


def values_for(
    connection: Connection, setup: SetUp, occasion: Occasion, language: str, now: datetime
) -> dict[str, str | None]:
    """Everything that blanks may stand for; None for what is not known."""
    talk = _one(connection, models.conversation, occasion.conversation)
    client = _one(connection, models.client, occasion.client if occasion.client is not None else _whose(talk))
    operator = setup.operators.get(occasion.operator or "")
    team = setup.teams.get(
        (talk or {}).get("team") or (place_of(setup, occasion.line).team if occasion.line else "") or ""
    )
    line = setup.lines.get(occasion.line or "")
    values: dict[str, str | None] = {
        "client": _name(connection, client),
        "operator": operator.name if operator else None,
        "company": setup.company.name,
        "team": say(team.title, language) if team else None,
        "line": say(line.title, language) or line.own.get("address") or occasion.line if line else None,
        "due": _due(connection, setup, talk, language, now),
        "conversation": str(talk["id"]) if talk else None,
    }
    fields = {**((client or {}).get("fields") or {}), **_filled_in(connection, talk)}
    return values | {f"{blanks.FIELD}{name}": _shown(value) for name, value in fields.items()}


def _whose(talk: Row | None) -> int | None:
    return talk["client_id"] if talk else None


def _one(connection: Connection, table: Any, number: int | None) -> dict[str, Any] | None:
    if number is None:
        return None
    found = connection.execute(select(table).where(table.c.id == number)).mappings().first()
    return dict(found) if found else None


def _name(connection: Connection, client: Row | None) -> str | None:
    """What he is called; an address that stands in for a name is none."""
    if client is None or client["provisional"]:
        return None
    name = client["name"].strip()
    table = models.identity.c
    same = select(table.id).where(table.client_id == client["id"], table.value == name).limit(1)
    return name if name and connection.execute(same).first() is None else None


def _filled_in(connection: Connection, talk: Row | None) -> dict[str, Any]:
    """The fields of the last form of a conversation."""
    if talk is None:
        return {}
    table = models.interaction.c
    query = select(table.fields).where(table.conversation_id == talk["id"], table.kind == "form")
    return connection.execute(query.order_by(table.id.desc()).limit(1)).scalar() or {}


def _shown(value: Any) -> str | None:
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, list):
        return ", ".join(str(one) for one in value) or None
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _due(connection: Connection, setup: SetUp, talk: Row | None, language: str, now: datetime) -> str | None:
    """The earliest promise of the conversation that is still to come."""
    if talk is None:
        return None
    table = models.obligation.c
    query = select(func.min(table.due)).where(
        table.conversation_id == talk["id"], table.state.in_(OPEN), table.due > now
    )
    due = connection.execute(query).scalar_one()
    return say_moment(due, setup.zone_of(talk["owner"], talk["team"]), language, now) if due is not None else None


def say_moment(at: datetime, zone: tzinfo, language: str, now: datetime) -> str:
    """ "today at 18:00", "24 ноября в 10:00": as one says it to somebody."""
    local, today = at.astimezone(zone), now.astimezone(zone)
    near = _NEAR.get((local.date() - today.date()) // timedelta(days=1))
    if near is not None:
        return near[language].format(dates.format_time(local, "HH:mm", locale=language))
    return dates.format_datetime(local, _DAY[language], locale=language)
