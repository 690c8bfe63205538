"""The log of past weeks as happenings for a rehearsal: touches in their order, and what people did to conversations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from routing.facts import CallFacts, ClientFacts, ConversationFacts, InteractionFacts
from routing.people import find_clients, with_companies
from routing.rehearse import Happening
from storage.models import delivery, interaction, journal

PORTION = 1000
STATES = {"closed": "solved", "reopened": "open", "waits_for_client": "waiting_client", "postponed": "postponed"}


def count_past(connection: Connection, since: datetime) -> int:
    """How many touches a rehearsal will see, for its progress bar."""
    query = select(func.count()).where(interaction.c.at >= since, interaction.c.client_id.is_not(None))
    return int(connection.execute(query).scalar_one())


def read_past(connection: Connection, since: datetime) -> Iterator[Happening]:
    """Everything that happened since an instant, oldest first. Clients are taken as they are now."""
    talks: dict[int, ConversationFacts] = {}
    people: dict[int, ClientFacts] = {}
    acts = _acts(connection, since)
    pending = next(acts, None)
    for touch in _touches(connection, since, people):
        at = touch.ended_at or touch.at
        while pending is not None and pending.at < at:
            yield from _acted(pending, talks, people)
            pending = next(acts, None)
        assert touch.client is not None
        talk = _talk(touch, talks)
        person = people[touch.client]
        yield Happening(at, person, touch, conversation=talk, company=people.get(person.company or 0))
    while pending is not None:
        yield from _acted(pending, talks, people)
        pending = next(acts, None)


def _touches(connection: Connection, since: datetime, people: dict[int, ClientFacts]) -> Iterator[InteractionFacts]:
    """In portions by time; a portion's clients are read with it."""
    last, number = since, 0
    while True:
        columns = interaction.c
        later = (columns.at > last) | ((columns.at == last) & (columns.id > number))
        query = select(interaction).where(columns.at >= last, later, columns.client_id.is_not(None))
        rows = connection.execute(query.order_by(columns.at, columns.id).limit(PORTION)).all()
        if not rows:
            return
        fresh = find_clients(connection, {row.client_id for row in rows} - set(people))
        people |= fresh
        people |= with_companies(connection, fresh.values())
        states = _deliveries(connection, [row.id for row in rows])
        for row in rows:
            if row.client_id in people:
                yield _touch(row, states.get(row.id))
        last, number = rows[-1].at, rows[-1].id


def _deliveries(connection: Connection, numbers: list[int]) -> dict[int, str]:
    query = select(delivery.c.interaction_id, delivery.c.state).where(delivery.c.interaction_id.in_(numbers))
    return {number: state for number, state in connection.execute(query)}


def _touch(row: Any, delivered: str | None) -> InteractionFacts:
    form = row.line.removeprefix("form:") if row.line.startswith("form:") else None
    return InteractionFacts(
        row.id,
        row.kind,
        row.channel,
        row.line,
        row.direction,
        row.at,
        row.client_id,
        row.conversation_id,
        row.ended_at,
        row.operator,
        row.team,
        row.automatic,
        row.quarantined_at is not None,
        row.again_of is not None,
        row.has_files,
        row.fields,
        row.disposition,
        form,
        None,
        f"{row.subject or ''} {row.text}".lower(),
        row.language,
        _call(row.call),
        None,
        delivered,
    )


def _call(call: Any) -> CallFacts | None:
    if not call:
        return None
    answered = call.get("answered_at")
    return CallFacts(
        call.get("outcome"),
        call.get("reason"),
        call.get("talk_s"),
        datetime.fromisoformat(answered) if answered else None,
        call.get("queue"),
    )


def _talk(touch: InteractionFacts, talks: dict[int, ConversationFacts]) -> ConversationFacts | None:
    """The conversation as the touch leaves it: a client's words open it, a human's answer lets it wait for him."""
    number, client = touch.conversation, touch.client
    if number is None or client is None:
        return None
    known = talks.get(number)
    talk = known or ConversationFacts(number, client, team=touch.team, opened_at=touch.at, new=True)
    if known is not None:
        talk = replace(talk, new=False)
    if touch.automatic is None and touch.direction == "inbound":
        waits = talk.waiting_since or touch.at
        talk = replace(talk, state="open", waiting_since=waits, waiting_id=talk.waiting_id or touch.id)
    elif touch.automatic is None and touch.direction == "outbound" and touch.delivery not in ("pending", "failed"):
        talk = replace(talk, state="waiting_client", waiting_since=None, waiting_id=None, answered_at=touch.at)
    talks[number] = talk
    return talk


def _acts(connection: Connection, since: datetime) -> Iterator[Any]:
    columns = journal.c
    query = select(columns.at, columns.action, columns.who, columns.subject_id, columns.data)
    query = query.where(columns.subject == "conversation", columns.at >= since, columns.action.in_(list(STATES)))
    yield from connection.execute(query.order_by(columns.at, columns.id)).all()


def _acted(act: Any, talks: dict[int, ConversationFacts], people: dict[int, ClientFacts]) -> Iterator[Happening]:
    before = talks.get(int(act.subject_id))
    if before is None or before.client not in people:
        return
    how = act.data.get("how")
    state = "junk" if how == "junk" else STATES[act.action]
    after = replace(before, state=state, closed_why=how, closed_by=act.who, new=False)
    talks[after.id] = after
    yield Happening(act.at, people[after.client], conversation=after, conversation_before=before, actor=act.who)
