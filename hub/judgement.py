"""Shows the regulations what happened: rows become facts, decisions become rows, in the same transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from channels.touch import Direction, Kind, Touch
from hub import fold
from hub.places import FORM, place_of
from hub.setup.snapshot import SetUp
from routing.decisions import AssignConversation, StartObligation
from routing.engine import decide
from routing.facts import (
    CallFacts,
    ClientFacts,
    ConversationFacts,
    EventFacts,
    Facts,
    InteractionFacts,
    ObligationFacts,
)
from routing.ledger import Ledger
from storage.repositories import intake as rows
from storage.unit import Unit

Row = Mapping[str, Any]

LATE = timedelta(minutes=1)
"""A touch that we hear of later than this may come after others that happened after it."""


class Judge:
    """Judges what happens in one transaction. Load it with the clients concerned; `flush` writes what was decided."""

    def __init__(
        self,
        unit: Unit,
        setup: SetUp,
        clients: Iterable[int],
        companies: Iterable[int] = (),
        conversations: Iterable[int] = (),
        fresh: Collection[int] = (),
    ) -> None:
        self._unit = unit
        self._setup = setup
        wanted = set(companies)
        self._companies = {row["id"]: client_facts(row) for row in rows.find_clients(unit, wanted).values()}
        self._fresh = fresh
        self._judged: dict[int, dict[int, InteractionFacts]] = {}
        self._promised = rows.find_promised(unit, conversations)
        others = {one for those in self._promised.values() for one in those}
        self._ledger = Ledger.load(unit, {*clients, *wanted, *others}, setup.book, fresh=fresh)

    @classmethod
    def of(
        cls, unit: Unit, setup: SetUp, clients: Iterable[int], people: Iterable[Row], talk: int | None = None
    ) -> Judge:
        """For clients whose rows are at hand: their companies are looked up, too."""
        companies = {row["company_id"] for row in people if row["company_id"] is not None}
        return cls(unit, setup, clients, companies, [talk] if talk is not None else ())

    def judge(
        self,
        *,
        at: datetime,
        client: ClientFacts | None,
        client_before: ClientFacts | None = None,
        interaction: InteractionFacts | None = None,
        before: InteractionFacts | None = None,
        conversation: ConversationFacts | None = None,
        conversation_before: ConversationFacts | None = None,
        event: EventFacts | None = None,
        actor: str | None = None,
    ) -> tuple[AssignConversation, ...]:
        """Decide and apply; answers the assignments, which are the caller's to carry out."""
        whose = client.id if client else (conversation.client if conversation else None)
        was = before.client if before else None
        company = self._companies.get(client.company) if client and client.company is not None else None
        concerned = [one for one in dict.fromkeys((whose, was, company.id if company else None)) if one is not None]
        facts = Facts(
            now=self._unit.now,
            at=at,
            book=self._setup.book,
            roster=self._setup.book.roster,
            interaction=interaction,
            before=before,
            event=event,
            client=client,
            client_before=client_before,
            company=company,
            conversation=conversation,
            conversation_before=conversation_before,
            obligations=(
                *(one for number in concerned for one in self._ledger.obligations_of(number)),
                *self._of_others(conversation, concerned),
            ),
            tasks=tuple(one for number in concerned for one in self._ledger.tasks_of(number)),
            later=self._later_than_event(event, whose) if event is not None else self._later(interaction),
            actor=actor,
        )
        if interaction is not None and interaction.client is not None:
            self._judged.setdefault(interaction.client, {})[interaction.id] = interaction
        left = self._ledger.apply(decide(facts), facts)
        return tuple(one for one in left if isinstance(one, AssignConversation))

    def _of_others(self, talk: ConversationFacts | None, concerned: Sequence[int]) -> Sequence[ObligationFacts]:
        """What others were promised in this conversation: one answer is for all who take part in it."""
        if talk is None:
            return ()
        promised = self._promised.setdefault(talk.id, set())
        others = promised.difference(concerned)
        promised.update(concerned[:1])
        return [one for other in others for one in self._ledger.obligations_of(other) if one.conversation == talk.id]

    def _later(self, touch: InteractionFacts | None) -> Sequence[InteractionFacts]:
        """What the log knew before a touch that comes late, or is amended late: it may have kept the promise."""
        if touch is None or touch.client is None or self._unit.now - (touch.ended_at or touch.at) <= LATE:
            return ()
        return self._logged_since(touch.client, touch.at, touch.id)

    def _later_than_event(self, event: EventFacts, client: int | None) -> Sequence[InteractionFacts]:
        """The same for what another program reports late: the letter may be out before we hear of the contract."""
        if client is None or self._unit.now - event.at <= LATE:
            return ()
        return self._logged_since(client, event.at, 0)

    def _logged_since(self, client: int, since: datetime, but: int) -> Sequence[InteractionFacts]:
        found: dict[int, InteractionFacts] = {}
        if client not in self._fresh:
            logged = rows.find_since(self._unit, client, since, but)
            found = {row["id"]: interaction_facts(row, self._setup, delivery=row["delivery"]) for row in logged}
        for one in self._judged.get(client, {}).values():
            if one.at >= since and one.id != but:
                found[one.id] = one
        return sorted(found.values(), key=lambda one: (one.at, one.id))

    def answer_by(self, client: int, interaction: int) -> datetime | None:
        """The earliest due of the promises that an interaction started."""
        dues = [
            one.due
            for one in self._ledger.obligations_of(client)
            if one.started_by == interaction and one.due is not None and one.is_open
        ]
        return min(dues, default=None)

    def flush(self) -> None:
        """Write everything that was decided."""
        self._ledger.flush()


def interaction_facts(
    row: Row, setup: SetUp, *, phase: str | None = None, delivery: str | None = None
) -> InteractionFacts:
    """The interaction as routing sees it."""
    line: str = row["line"]
    form = line.removeprefix(FORM) if line.startswith(FORM) else None
    settings = setup.forms.get(form) if form else None
    return InteractionFacts(
        id=row["id"],
        kind=row["kind"],
        channel=row["channel"],
        line=line,
        direction=row["direction"],
        at=row["at"],
        client=row["client_id"],
        conversation=row["conversation_id"],
        ended_at=row["ended_at"],
        operator=row["operator"],
        team=row["team"],
        automatic=row["automatic"],
        quarantined=row["quarantined_at"] is not None,
        again=row["again_of"] is not None,
        has_files=row["has_files"],
        fields=row["fields"],
        disposition=row["disposition"],
        form=form,
        regulation=settings.regulation if settings else None,
        words=f"{row['subject'] or ''} {row['text']}".lower(),
        language=row["language"],
        call=_call_facts(row["call"]),
        phase=phase,
        delivery=delivery,
    )


def client_facts(row: Row, *, first_contact: bool = False) -> ClientFacts:
    """The client as routing sees him."""
    fields, wishes = row["fields"], row.get("wishes") or {}
    return ClientFacts(
        id=row["id"],
        kind=row["kind"],
        company=row["company_id"],
        category=row["category"],
        lifecycle=row["lifecycle"],
        source=row["source"],
        responsible=row["responsible"],
        region=row["region"],
        language=row["language"],
        fields=fields,
        first_contact=first_contact,
        dates=fields.get("dates") or {},
        opted_out=frozenset((*(fields.get("opted_out") or ()), *wishes.get("refused", ()))),
        agreed=frozenset(wishes.get("agreed", ())),
        name=row["name"],
    )


def conversation_facts(row: Row, *, new: bool = False) -> ConversationFacts:
    """The conversation as routing sees it."""
    return ConversationFacts(
        id=row["id"],
        client=row["client_id"],
        state=row["state"],
        owner=row["owner"],
        team=row["team"],
        opened_at=row["opened_at"],
        waiting_since=row["waiting_since"],
        waiting_id=row["waiting_id"],
        answered_at=row["answered_at"],
        closed_why=row["closed_why"],
        closed_by=row["closed_by"],
        new=new,
    )


def _call_facts(call: Mapping[str, Any] | None) -> CallFacts | None:
    if call is None:
        return None
    answered = call.get("answered_at")
    return CallFacts(
        outcome=call.get("outcome"),
        reason=call.get("reason"),
        talk_s=call.get("talk_s"),
        answered_at=datetime.fromisoformat(answered) if answered else None,
        queue=call.get("queue"),
    )


def judge_conversation(
    unit: Unit, setup: SetUp, before: Row, after: Row, *, actor: str, interaction: int | None = None
) -> None:
    """Let the regulations see that a person changed a conversation (closed it, handed it over, postponed it)."""
    people = rows.find_clients(unit, [after["client_id"]])
    judge = Judge.of(unit, setup, [after["client_id"]], people.values(), after["id"])
    client = people.get(after["client_id"])
    judge.judge(
        at=unit.now,
        client=client_facts(client) if client else None,
        conversation=conversation_facts(after),
        conversation_before=conversation_facts(before),
        actor=actor,
    )
    judge.flush()


def judge_client(unit: Unit, setup: SetUp, before: Row, after: Row, *, actor: str) -> None:
    """Let the regulations see that a client changed (category, responsible, company)."""
    judge = Judge.of(unit, setup, [after["id"]], [before, after])
    judge.judge(at=unit.now, client=client_facts(after), client_before=client_facts(before), actor=actor)
    judge.flush()


def judge_interaction(
    unit: Unit,
    setup: SetUp,
    before: Row | None,
    after: Row,
    *,
    actor: str | None = None,
    at: datetime | None = None,
    phase: str | None = None,
    delivery: str | None = None,
    delivery_before: str | None = None,
    conversation_before: Row | None = None,
) -> None:
    """Let the regulations see an interaction that was added, amended, delivered or bounced outside intake."""
    client_id, conversation_id = after["client_id"], after["conversation_id"]
    was = before["client_id"] if before is not None else None
    people = rows.find_clients(unit, [client_id] if client_id else [])
    clients = {one for one in (client_id, was) if one is not None}
    judge = Judge.of(unit, setup, clients, people.values(), conversation_id)
    client = people.get(client_id)
    first = rows.find_first_interactions(unit, people).get(client_id) == after["id"]
    talk = rows.find_conversations(unit, [conversation_id] if conversation_id else []).get(conversation_id)
    judge.judge(
        at=at or after["at"],
        client=client_facts(client, first_contact=first) if client else None,
        interaction=interaction_facts(after, setup, phase=phase, delivery=delivery),
        before=interaction_facts(before, setup, delivery=delivery_before) if before is not None else None,
        conversation=conversation_facts(talk) if talk else None,
        conversation_before=conversation_facts(conversation_before) if conversation_before else None,
        actor=actor,
    )
    judge.flush()


def would_be_due(setup: SetUp, line: str, at: datetime) -> datetime | None:
    """When a fresh inbound touch of a line would have to be answered, if it came now; nothing is written."""
    place = place_of(setup, line)
    row = fold.begin(Touch(line, "", Kind.FORM, Direction.INBOUND, at), place.channel, place.team, None)
    row |= {"id": 0, "client_id": 0, "conversation_id": 0}
    talk = ConversationFacts(0, 0, team=place.team, opened_at=at, waiting_since=at, waiting_id=0, new=True)
    facts = Facts(
        now=at,
        at=at,
        book=setup.book,
        roster=setup.book.roster,
        interaction=interaction_facts(row, setup),
        client=ClientFacts(0, first_contact=True),
        conversation=talk,
    )
    dues = [one.due for one in decide(facts) if isinstance(one, StartObligation) and one.due is not None]
    return min(dues, default=None)


def judge_event(unit: Unit, setup: SetUp, client_id: int, event: EventFacts, *, actor: str) -> None:
    """Let the regulations see what another program reported about a client."""
    people = rows.find_clients(unit, [client_id])
    judge = Judge.of(unit, setup, [client_id], people.values())
    client = people.get(client_id)
    judge.judge(at=event.at, client=client_facts(client) if client else None, event=event, actor=actor)
    judge.flush()
