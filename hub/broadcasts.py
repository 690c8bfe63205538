"""Broadcasts as people ask about them: how many were told, how many should be, and whether that is reached."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection

from hub.setup.snapshot import SetUp
from routing.facts import ObligationFacts
from routing.regulations.broadcast import Regulation
from storage.repositories import coverage
from storage.repositories.coverage import Coverage


@dataclass(frozen=True, slots=True)
class Broadcast:
    """The count, the share that the regulation wants, and what comes of both."""

    coverage: Coverage
    title: str
    wanted: float
    state: Literal["running", "reached", "missed"]


def list_broadcasts(connection: Connection, setup: SetUp, now: datetime, only: str | None = None) -> list[Broadcast]:
    """The newest events, of one regulation or of all."""
    rules = {rule.key: rule for rule in setup.book.rules if isinstance(rule, Regulation)}
    wanted = [key for key in rules if only in (None, key)]
    found = coverage.list_events(connection, wanted) if wanted else ()
    return [_describe(one, rules[one.regulation], one.due is not None and now > one.due) for one in found]


def find_broadcast(connection: Connection, setup: SetUp, one: ObligationFacts) -> Broadcast | None:
    """The broadcast that a promise is part of, if it is of one."""
    rule = setup.book.current(one.regulation)
    event = one.details.get("event_id")
    if not isinstance(rule, Regulation) or event is None:
        return None
    return _describe(
        coverage.count(connection, one.regulation, str(event), one.start_key), rule, one.breached_at is not None
    )


def _describe(found: Coverage, rule: Regulation, past: bool) -> Broadcast:
    wanted = float(rule.common.reach)
    enough = rule.enough(found.told, found.clients)
    state: Literal["running", "reached", "missed"] = "reached" if enough else "running"
    if not enough and past:
        state = "missed"
    return Broadcast(found, rule.common.title_in("en"), wanted, state)
