"""Nobody closes a conversation while a gate stands open: what the regulations ask for is filled in first."""

from __future__ import annotations

from typing import Any

from hub.actor import Actor
from hub.errors import Conflict
from hub.judgement import client_facts, interaction_facts
from hub.setup.snapshot import SetUp
from routing.blocking import Blocked, find_blocking
from routing.facts import Facts
from routing.ledger import OBLIGATIONS, OPEN, mirror
from storage.models import obligation
from storage.repositories import intake as rows
from storage.unit import Unit


def check_gates(unit: Unit, setup: SetUp, talk: dict[str, Any], actor: Actor) -> None:
    """Raises `Conflict` that names every missing field, and where it is asked for."""
    language = setup.book.roster.language(actor.operator)
    found = _blocking(unit, setup, talk, language)
    if found:
        asked = "; ".join(f"{each.title}: {', '.join(each.missing)}" for each in found)
        # what is asked for is said by the regulation's own title, which the manager wrote in the operator's language
        raise Conflict("something is to be filled in before closing", field=found[0].missing[0], remedy=asked)


def _blocking(unit: Unit, setup: SetUp, talk: dict[str, Any], language: str) -> tuple[Blocked, ...]:
    gates = [rule.key for rule in setup.book.rules if rule.common.kind == "gate"]
    columns = obligation.c
    mine = (columns.conversation_id == talk["id"], columns.regulation.in_(gates), columns.state.in_(OPEN))
    standing = [mirror(row) for row in unit.connection.execute(OBLIGATIONS.where(*mine))] if gates else []
    if not standing:
        return ()
    people = rows.find_clients(unit, {each.client for each in standing} | {talk["client_id"]})
    people |= rows.find_clients(unit, {row["company_id"] for row in people.values() if row["company_id"] is not None})
    client = people.get(talk["client_id"])
    company = people.get(client["company_id"]) if client and client["company_id"] is not None else None
    touches = rows.find_interactions(unit, [each.started_by for each in standing if each.started_by is not None])
    facts = Facts(
        now=unit.now,
        at=unit.now,
        book=setup.book,
        roster=setup.book.roster,
        client=client_facts(client) if client else None,
        company=client_facts(company) if company else None,
        obligations=tuple(standing),
    )
    return find_blocking(facts, {key: interaction_facts(row, setup) for key, row in touches.items()}, language)
