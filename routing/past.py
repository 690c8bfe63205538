"""The log of past weeks as happenings for a rehearsal: touches in their order, what people did to conversations, and
the daily look at clients whom no touch brings under a regulation.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from heapq import merge
from typing import Any

from sqlalchemy import Connection, func, select

from routing.book import RuleBook
from routing.facts import CallFacts, ClientFacts, ConversationFacts, EventFacts, InteractionFacts
from routing.lives import Amendment, Lives
from routing.people import find_clients, next_clients, read_client, with_companies
from routing.regulations.recurring import Regulation as Recurring
from routing.rehearse import Happening
from storage.models import client, delivery, interaction, journal

PORTION = 1000
DAY = timedelta(days=1)
STATES = {"closed": "solved", "reopened": "open", "waits_for_client": "waiting_client", "postponed": "postponed"}


def count_past(connection: Connection, since: datetime) -> int:
    """How many touches a rehearsal will see, for its progress bar."""
    query = select(func.count()).where(interaction.c.at >= since, interaction.c.client_id.is_not(None))
    return int(connection.execute(query).scalar_one())


class Past:
    """Everything that happened since an instant. Clients are taken as their cards said then (see `lives`)."""

    def __init__(self, connection: Connection, since: datetime) -> None:
        self._connection = connection
        self._since = since
        self._lives = Lives(connection, since)
        self._people: dict[int, ClientFacts] = {}
        self._talks: dict[int, ConversationFacts] = {}

    def happenings(self) -> Iterator[Happening]:
        """Touches, what people did to conversations and cards, and reported events; oldest first."""
        first: dict[int, int] = {}
        deeds = self._deeds()
        pending = next(deeds, None)
        for touch in _touches(self._connection, self._since, self._people, first):
            at = touch.ended_at or touch.at
            while pending is not None and pending.at < at:
                yield from self._done(pending)
                pending = next(deeds, None)
            assert touch.client is not None
            talk = _talk(touch, self._talks)
            person = replace(self._person(touch.client, at), first_contact=first.get(touch.client) == touch.id)
            yield Happening(at, person, touch, conversation=talk, company=self._company(person, at))
        while pending is not None:
            yield from self._done(pending)
            pending = next(deeds, None)

    def enrolments(self, book: RuleBook, until: datetime) -> Iterator[Happening]:
        """The looks at clients that the clock takes by itself (`enrolment.enrol`): all first, then the new ones.

        Personal dates come near from day to day: a book that has any looks at everybody daily.
        """
        recurring = [rule for rule in book.rules if isinstance(rule, Recurring)]
        at, known = self._since, None
        while recurring and at < until:
            for portion in _clients_made(self._connection, known, at):
                companies = with_companies(self._connection, portion)
                for one in portion:
                    person = self._lives.as_of(one, at)
                    company = companies.get(person.company or 0)
                    yield Happening(at, person, company=self._lives.as_of(company, at) if company else None)
            known = None if any(rule.common.on_dates for rule in recurring) else at
            at += DAY

    def _person(self, number: int, at: datetime) -> ClientFacts:
        return self._lives.as_of(self._people[number], at)

    def _company(self, person: ClientFacts, at: datetime) -> ClientFacts | None:
        number = person.company or 0
        if number and number not in self._people:
            self._people |= find_clients(self._connection, [number])
        return self._person(number, at) if number in self._people else None

    def _know(self, number: int) -> bool:
        if number not in self._people:
            self._people |= find_clients(self._connection, [number])
        return number in self._people

    def _deeds(self) -> Iterator[Any]:
        """Lines of the journal and amendments of cards, in the order in which they took effect."""
        return merge(_acts(self._connection, self._since), self._lives.amendments, key=lambda deed: deed.at)

    def _done(self, deed: Any) -> Iterator[Happening]:
        if isinstance(deed, Amendment):
            yield from self._amended(deed)
        elif deed.subject == "event":
            yield from self._reported(deed)
        else:
            yield from self._acted(deed)

    def _amended(self, change: Amendment) -> Iterator[Happening]:
        if self._know(change.client):
            after = self._person(change.client, change.at)
            before = self._lives.before(after, change)
            company = self._company(after, change.at)
            yield Happening(change.at, after, company=company, actor=change.by, client_before=before)

    def _acted(self, act: Any) -> Iterator[Happening]:
        before = self._talks.get(int(act.subject_id))
        if before is None or not self._know(before.client):
            return
        how = act.data.get("how")
        state = "junk" if how == "junk" else STATES[act.action]
        after = replace(before, state=state, closed_why=how, closed_by=act.who, new=False)
        self._talks[after.id] = after
        person = self._person(after.client, act.at)
        yield Happening(act.at, person, conversation=after, conversation_before=before, actor=act.who)

    def _reported(self, act: _Act) -> Iterator[Happening]:
        """An event of one client, or of all."""
        event = EventFacts(act.subject_id, act.data["event"], act.at, act.data.get("fields") or {})
        for person in self._concerned(act.data.get("client"), act.at):
            company = self._company(person, act.at)
            yield Happening(act.at, person, event=event, company=company, actor=act.who)

    def _concerned(self, whose: int | None, at: datetime) -> Iterator[ClientFacts]:
        if whose is not None:
            yield from [self._person(whose, at)] if self._know(whose) else []
            return
        after = 0
        while portion := next_clients(self._connection, after, PORTION):
            yield from (self._lives.as_of(one, at) for one in portion)
            after = portion[-1].id


def _clients_made(connection: Connection, since: datetime | None, until: datetime) -> Iterator[list[ClientFacts]]:
    columns, after = client.c, 0
    while True:
        query = select(client).where(columns.id > after, columns.created_at <= until, columns.merged_into.is_(None))
        if since is not None:
            query = query.where(columns.created_at > since)
        rows = connection.execute(query.order_by(columns.id).limit(PORTION)).all()
        if not rows:
            return
        yield [read_client(row) for row in rows]
        after = rows[-1].id


def _touches(
    connection: Connection, since: datetime, people: dict[int, ClientFacts], first: dict[int, int]
) -> Iterator[InteractionFacts]:
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
        first |= _first_touches(connection, list(fresh))
        states = _deliveries(connection, [row.id for row in rows])
        for row in rows:
            if row.client_id in people:
                yield _touch(row, states.get(row.id))
        last, number = rows[-1].at, rows[-1].id


def touches_since(
    connection: Connection, clients: Collection[int], since: datetime
) -> dict[int, list[InteractionFacts]]:
    """What the log has of some clients since an instant, oldest first."""
    columns = interaction.c
    query = select(interaction).where(columns.client_id.in_(sorted(clients)), columns.at >= since)
    rows = connection.execute(query.order_by(columns.at, columns.id)).all()
    states = _deliveries(connection, [row.id for row in rows])
    found: dict[int, list[InteractionFacts]] = {}
    for row in rows:
        found.setdefault(row.client_id, []).append(_touch(row, states.get(row.id)))
    return found


def _first_touches(connection: Connection, clients: list[int]) -> dict[int, int]:
    columns = interaction.c
    query = select(columns.client_id, func.min(columns.id)).where(columns.client_id.in_(clients or [0]))
    return {whose: number for whose, number in connection.execute(query.group_by(columns.client_id))}


def _deliveries(connection: Connection, numbers: list[int]) -> dict[int, str]:
    """The state of what went out; of several tries the last."""
    query = select(delivery.c.interaction_id, delivery.c.state).where(delivery.c.interaction_id.in_(numbers))
    return {number: state for number, state in connection.execute(query.order_by(delivery.c.id))}


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


@dataclass(frozen=True, slots=True)
class _Act:
    """A line of the journal; what was reported counts from when it happened, not from when we heard of it."""

    at: datetime
    action: str
    who: str
    subject: str
    subject_id: str
    data: Mapping[str, Any]


def _acts(connection: Connection, since: datetime) -> list[_Act]:
    """What people did to conversations, and what other programs reported."""
    columns = journal.c
    query = select(columns.at, columns.action, columns.who, columns.subject, columns.subject_id, columns.data)
    done = (columns.subject == "conversation") & columns.action.in_(list(STATES))
    told = (columns.subject == "event") & (columns.action == "reported")
    rows = connection.execute(query.where(columns.at >= since, done | told).order_by(columns.at, columns.id))
    found = [_Act(*row) for row in rows]
    found = [
        replace(each, at=datetime.fromisoformat(each.data["at"]))
        if each.subject == "event" and each.data.get("at")
        else each
        for each in found
    ]
    return sorted((each for each in found if each.at >= since), key=lambda each: each.at)
