"""A small company for tests: regulations as TOML, people, and touches told in one line each."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from typing import Any

from routing.book import Definition, RuleBook
from routing.facts import (
    CallFacts,
    ClientFacts,
    ConversationFacts,
    EventFacts,
    Facts,
    InteractionFacts,
    ObligationFacts,
)

OFFICE = """
[calendar.office]
zone = "Europe/Moscow"
week.mon = ["09:00-18:00"]
week.tue = ["09:00-18:00"]
week.wed = ["09:00-18:00"]
week.thu = ["09:00-18:00"]
week.fri = ["09:00-18:00"]
holidays = "RU"
short_before_holiday = "1 hour"
[team.support]
title = "Support"
calendar = "office"
lead = "vera"
director = "pavlo"
[team.sales]
title = "Sales"
calendar = "office"
[operator.anna]
name = "Anna"
email = "anna@example.org"
role = "operator"
teams = ["support"]
language = "ru"
[operator.boris]
name = "Boris"
role = "operator"
teams = ["support", "sales"]
language = "pl"
[operator.vera]
name = "Vera"
role = "supervisor"
teams = ["support"]
language = "uk"
[operator.pavlo]
name = "Pavlo"
role = "admin"
teams = []
language = "en"
"""


def book_of(text: str = "", office: str = OFFICE) -> RuleBook:
    """A rule book from TOML."""
    return RuleBook.build(definitions(office + text))


def definitions(text: str, version: int = 1) -> list[Definition]:
    """Every table of a set-up file as its first version."""
    found = []
    for kind, tables in tomllib.loads(text).items():
        if kind == "company":
            found.append(Definition("company", "company", version, tables))
            continue
        found += [Definition(kind, key, version, body) for key, body in tables.items()]
    return found


def msk(text: str) -> datetime:
    """`2026-09-14 10:00` in Moscow, or with seconds."""
    return datetime.fromisoformat(text.replace(" ", "T") + "+03:00").astimezone(UTC)


def client(number: int = 1, **more: Any) -> ClientFacts:
    return ClientFacts(number, **more)


def conversation(number: int = 1, **more: Any) -> ConversationFacts:
    more.setdefault("client", 1)
    more.setdefault("team", "support")
    return ConversationFacts(number, **more)


def message(number: int, at: str, direction: str = "inbound", **more: Any) -> InteractionFacts:
    more.setdefault("client", 1)
    more.setdefault("conversation", 1)
    more.setdefault("team", "support")
    more.setdefault("kind", "message")
    more.setdefault("channel", "email")
    if direction == "outbound":
        more.setdefault("delivery", "sent")
    return InteractionFacts(number, line="mail", direction=direction, at=msk(at), **more)


def call(
    number: int, at: str, *, direction: str = "inbound", ended: str | None = None, **more: Any
) -> InteractionFacts:
    facts = {name: more.pop(name) for name in ("outcome", "reason", "talk_s", "queue") if name in more}
    answered = more.pop("answered", None)
    more.setdefault("client", 1)
    more.setdefault("conversation", 1)
    more.setdefault("team", "support")
    return InteractionFacts(
        number,
        "call",
        "asterisk",
        "pbx",
        direction,
        msk(at),
        ended_at=msk(ended) if ended else None,
        call=CallFacts(answered_at=msk(answered) if answered else None, **facts),
        **more,
    )


def event(name: str, at: str, number: str = "e1", **fields: Any) -> EventFacts:
    return EventFacts(number, name, msk(at), fields)


def facts_of(book: RuleBook, now: str, **more: Any) -> Facts:
    """Facts about client 1, whose conversation 1 the touch belongs to, unless told otherwise."""
    if isinstance(more.get("at"), str):
        more["at"] = msk(more["at"])
    touch, reported = more.get("interaction"), more.get("event")
    more.setdefault("at", touch.at if touch else reported.at if reported else msk(now))
    more.setdefault("client", client())
    more.setdefault("conversation", conversation() if touch is not None else None)
    return Facts(now=msk(now), book=book, roster=book.roster, **more)


def obligation(**more: Any) -> ObligationFacts:
    """A running promise to answer within four working hours."""
    base: dict[str, Any] = {
        "id": 1,
        "regulation": "reaction",
        "version": 1,
        "start_key": "i1",
        "slot": "reaction",
        "client": 1,
        "conversation": 1,
        "started_by": 1,
        "owner": None,
        "team": "support",
        "state": "running",
        "started": msk("2026-09-14 10:00"),
        "target": "4 working hours",
        "calendar": "office",
        "calendar_version": 1,
        "due": msk("2026-09-14 14:00"),
        "next_at": msk("2026-09-14 12:00"),
        "details": {"channel": "email"},
    }
    return ObligationFacts(**{**base, **more})
