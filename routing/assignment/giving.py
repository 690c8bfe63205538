"""Assignment with the store: giving what came in, passing on what nobody answered, draining when somebody frees."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import func, or_, select

from routing.assignment.choosing import Desk, anybody, assign, choose
from routing.assignment.route import Route
from routing.book import RuleBook
from routing.decisions import AssignConversation
from routing.facts import ClientFacts, ConversationFacts, Facts, InteractionFacts
from routing.people import find_clients
from storage.models import client, conversation, interaction
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
    """Give what waits unowned, longest first, now that somebody is free.

    When nobody takes any of the first, those of teams in which nobody is at work are passed by: they wait for their own
    people and must not stand in the way of others.
    """
    found = _drain(unit, book, routes, desk, limit, frozenset())
    idle = {route.settings.team for route in routes if not anybody(route.settings.team, unit.now, book.roster, desk)}
    return found or (_drain(unit, book, routes, desk, limit, frozenset(idle)) if idle else [])


def _drain(
    unit: Unit, book: RuleBook, routes: Sequence[Route], desk: Desk, limit: int, without: frozenset[str]
) -> list[AssignConversation]:
    columns = conversation.c
    query = (
        select(conversation)
        .where(columns.owner.is_(None), columns.state == "open", columns.waiting_since.is_not(None))
        .order_by(columns.waiting_since)
        .limit(limit)
    )
    if without:
        query = query.where(or_(columns.team.is_(None), columns.team.not_in(sorted(without))))
    if unit.dialect == "postgresql":
        held = _lock_clients(unit, {row.client_id for row in unit.connection.execute(query)})
        query = query.where(columns.client_id.in_(held)).with_for_update(skip_locked=True)
    found = []
    for row in unit.connection.execute(query).all():
        facts = _facts(unit, book, row)
        mine = replace(desk, last=last_operator(unit, row.client_id))
        decision = assign(routes, facts, mine)
        if decision is not None and decision.operator is not None:
            found.append(decision)
            desk = given(desk, decision)
    return found


def _lock_clients(unit: Unit, numbers: Collection[int]) -> list[int]:
    """Clients before their conversations, as intake takes them, so that nobody waits in a circle; others' are left."""
    query = select(client.c.id).where(client.c.id.in_(sorted(numbers))).order_by(client.c.id)
    return list(unit.connection.execute(query.with_for_update(skip_locked=True)).scalars())


def _locked(unit: Unit, number: int) -> Any:
    query = select(conversation).where(conversation.c.id == number)
    if unit.dialect == "postgresql":
        whose = select(conversation.c.client_id).where(conversation.c.id == number).scalar_subquery()
        unit.connection.execute(select(client.c.id).where(client.c.id == whose).with_for_update())
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
