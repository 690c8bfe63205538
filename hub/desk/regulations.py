"""Screen: regulations — what is in force, read back as sentences, and what a deadline would be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from aiohttp import web

from hub.composition import HUB
from hub.desk.explaining import Day, days_of
from hub.desk.language import Speech
from hub.desk.pages import show, speech_of
from hub.desk.shield import tell
from hub.desk.visitor import require
from hub.errors import BadInput
from hub.reckoning import Question, reckon
from hub.setup.snapshot import SetUp
from routing.deadline import Roll
from routing.explain import Explanation
from routing.rule import Rule
from routing.sentence import sentence

_ROLLS = ("none", "back", "forward")


@dataclass(frozen=True, slots=True)
class InForce:
    """One regulation, as it reads."""

    key: str
    title: str
    version: int
    says: str
    enforced_from: datetime | None
    built_in: bool


@dataclass(frozen=True, slots=True)
class Reckoned:
    """An answer: the due, and how it comes about."""

    found: Explanation
    days: list[Day]


async def show_regulations(request: web.Request) -> web.StreamResponse:
    """GET /desk/regulations[?calendar=KEY&target=TEXT&from=WALL&roll=WORD]; for supervisors"""
    visitor = require(request, "supervisor")
    hub, speech, asked = request.app[HUB], speech_of(request), request.query
    setup = hub.setup.current
    answer, fault = None, None
    if asked.get("target"):
        try:
            answer = _reckon(setup, speech, asked, visitor.zone)
        except BadInput as refused:
            fault = " ".join(filter(None, tell(speech, refused)))
    return await show(
        request,
        "regulations.html",
        regulations=[_in_force(rule, speech) for rule in setup.book.rules],
        off=sorted(set(setup.regulations) - {rule.key for rule in setup.book.rules}),
        warnings=[*map(str, setup.problems), *setup.book.warnings],
        calendars=sorted(setup.calendars),
        rolls=_ROLLS,
        asked=asked,
        answer=answer,
        fault=fault,
    )


def _in_force(rule: Rule, speech: Speech) -> InForce:
    title, says = rule.common.title_in(speech.code), sentence(rule, speech.code)
    return InForce(rule.key, title, rule.version, says, rule.enforce_from, rule.version == 0)


def _reckon(setup: SetUp, speech: Speech, asked: Mapping[str, str], zone: tzinfo) -> Reckoned:
    try:
        wall = datetime.fromisoformat(asked.get("from", ""))
    except ValueError:
        raise BadInput("This is no date and time.", field="from") from None
    key = asked.get("calendar", "")
    home = setup.book.calendar_for(key, None).zone if key in setup.calendars else zone
    start = (wall if wall.tzinfo else wall.replace(tzinfo=home)).astimezone(UTC)
    roll = asked.get("roll", "none")
    found = reckon(setup, Question(key, asked["target"], start, (), Roll(roll if roll in _ROLLS else "none")))
    return Reckoned(found, days_of(speech, found))
