"""Assignment with the store: giving what came in, passing on what nobody answered, draining when somebody frees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import func, select

from routing.assignment.choosing import Desk, assign, choose
from routing.assignment.route import Route
from routing.book import RuleBook
from routing.decisions import AssignConversation
from routing.facts import ClientFacts, ConversationFacts, Facts, InteractionFacts
from routing.people import find_clients
from storage.models import conversation, interaction
from storage.unit import Unit

OPEN = ("open", "waiting_client")
LATELY = 5_000
"""Whose turn it is shows in this many of the latest conversations; looking at all of them would cost a scan."""
UNANSWERED = "pass_on"
"""The kind of the job that looks whether a given conversation was answered: body {conversation, operator}."""


def load_desk(
    unit: Unit, present: frozenset[str] | None = None, on_call: frozenset[str] = frozenset(), client: int | None = None
) -> Desk:
    """How busy everybody is, whose turn it is, and who spoke with the client last."""
    columns = conversation.c
    query = select(columns.owner, func.count()).where(columns.owner.is_not(None), columns.state.in_(OPEN))
    busy = {owner: count for owner, count in unit.connection.execute(query.group_by(columns.owner))}
    newest = unit.connection.execute(select(func.max(columns.id))).scalar() or 0
    lately = (columns.owner.is_not(None), columns.id > newest - LATELY)
    turns = select(columns.owner, func.max(columns.id)).where(*lately).group_by(columns.owner)
    turn = {owner: number for owner, number in unit.connection.execute(turns)}
    return Desk(present, busy, turn, on_call, last_operator(unit, client) if client is not None else None)


def last_operator(unit: Unit, client: int) -> str | None:
    """Who spoke with the client last."""
    query = (
        select(interaction.c.operator)
        .where(interaction.c.client_id == client, interaction.c.operator.is_not(None))
        .order_by(interaction.c.at.desc())
        .limit(1)
    )
    found: str | None = unit.connection.execute(query).scalar()
    return found


def given(desk: Desk, decision: AssignConversation) -> Desk:
    """The desk after one more was given, for the next of the same batch."""
    operator = decision.operator
    if operator is None:
        return desk
    highest = max((*desk.turn.values(), decision.conversation)) + 1
    return replace(
        desk,
        busy={**desk.busy, operator: desk.busy.get(operator, 0) + 1},
        turn={**desk.turn, operator: highest},
    )


def pass_on(
    unit: Unit, book: RuleBook, routes: Sequence[Route], number: int, operator: str, desk: Desk
) -> AssignConversation | None:
    """What to do with a conversation that was given to an operator some time ago: nothing if it was answered since.

    It is locked; carry the decision out in the same transaction.
    """
    row = _locked(unit, number)
    if row is None or row.owner != operator or row.waiting_since is None or row.state != "open":
        return None
    facts = _facts(unit, book, row)
    free = replace(facts, conversation=replace(facts.conversation, owner=None)) if facts.conversation else facts
    route = next((each for each in routes if each.fits(free)), None)
    found = choose(route, free, desk, frozenset((operator,))) if route is not None else None
    if found is None:
        return AssignConversation(number, None, row.team, "passed_on:nobody_free")
    return replace(found, reason=f"passed_on:{found.reason}")


def drain(unit: Unit, book: RuleBook, routes: Sequence[Route], desk: Desk, limit: int = 20) -> list[AssignConversation]:
    """Give what waits unowned, longest first, now that somebody is free."""
    columns = conversation.c
    query = (
        select(conversation)
        .where(columns.owner.is_(None), columns.state == "open", columns.waiting_since.is_not(None))
        .order_by(columns.waiting_since)
        .limit(limit)
    )
    if unit.dialect == "postgresql":
        query = query.with_for_update(skip_locked=True)
    found = []
    for row in unit.connection.execute(query).all():
        facts = _facts(unit, book, row)
        mine = replace(desk, last=last_operator(unit, row.client_id))
        decision = assign(routes, facts, mine)
        if decision is not None and decision.operator is not None:
            found.append(decision)
            desk = given(desk, decision)
    return found


def _locked(unit: Unit, number: int) -> Any:
    query = select(conversation).where(conversation.c.id == number)
    return unit.connection.execute(query.with_for_update() if unit.dialect == "postgresql" else query).one_or_none()


def _facts(unit: Unit, book: RuleBook, row: Any) -> Facts:
    client = find_clients(unit.connection, [row.client_id]).get(row.client_id, ClientFacts(row.client_id))
    talk = ConversationFacts(
        row.id, row.client_id, row.state, row.owner, row.team, row.opened_at, row.waiting_since, row.waiting_id
    )
    touch = _waiting_touch(unit, row.waiting_id)
    return Facts(unit.now, unit.now, book, book.roster, touch, client=client, conversation=talk)


def _waiting_touch(unit: Unit, number: int | None) -> InteractionFacts | None:
    if number is None:
        return None
    row = unit.connection.execute(select(interaction).where(interaction.c.id == number)).one_or_none()
    if row is None:
        return None
    form = row.line.removeprefix("form:") if row.line.startswith("form:") else None
    words = f"{row.subject or ''} {row.text}".lower()
    return InteractionFacts(
        row.id,
        row.kind,
        row.channel,
        row.line,
        row.direction,
        row.at,
        client=row.client_id,
        conversation=row.conversation_id,
        team=row.team,
        automatic=row.automatic,
        fields=row.fields,
        form=form,
        words=words,
        language=row.language,
    )
