"""One transaction of intake: a batch of touches becomes rows, step by step and set-wise."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from channels.contract import Accepted
from channels.touch import Automatic, Direction, Kind, Touch
from hub import fold, following
from hub.actions.clients import reindex
from hub.arrival import REPEAT_WINDOW, Arrival, facts_before, repeat_of, seen_as, talk_facts, touch_row
from hub.giving import Giver
from hub.heard import hear, recognise
from hub.identify import Candidate, Identifier
from hub.judgement import Judge, client_facts, conversation_facts, interaction_facts
from hub.kept_files import write_files, write_raws
from hub.places import operator_named, place_of
from hub.references import Reference, References
from hub.setup.snapshot import SetUp
from hub.threads import Threads
from hub.wording import WORDED, client_words, interaction_words
from routing.facts import ClientFacts, Facts, InteractionFacts
from storage import models
from storage.repositories import intake as rows
from storage.search import index_clients, index_interactions, words_of
from storage.unit import Unit

_LATE = timedelta(hours=24)
"""So late a touch may come and still find the conversation that it belongs to."""

_NOBODYS = frozenset({Automatic.BOUNCE, Automatic.OWN})
Row = dict[str, Any]


class Batch:
    """The touches of one transaction, step by step. Later touches see what earlier ones of the batch have changed."""

    def __init__(self, unit: Unit, setup: SetUp, arrivals: Sequence[Arrival]) -> None:
        self._unit = unit
        self._setup = setup
        self._all = arrivals
        self._fresh: list[Arrival] = []
        self._threads = Threads(unit, setup.company.window)
        self._references: References | None = None
        self._referred: dict[int, Reference | None] = {}
        self._latest: dict[int, Arrival] = {}
        self._rows: dict[int, Row] = {}
        self._changes: dict[int, Row] = {}
        self._new_rows: list[Row] = []
        self._new_clients: list[Row] = []
        self._named: tuple[int, ...] = ()
        self._answers: dict[int, Any] = {}

    def skip_what_was_seen(self) -> None:
        """A touch that came before, or twice in this batch, is answered with what it became."""
        seen = rows.find_seen(self._unit, [one.touch.event_key for one in self._all])
        taken: set[tuple[str, str]] = set()
        for arrival in self._all:
            arrival.seen = seen.get(arrival.key)
            if arrival.seen is None and arrival.key not in taken:
                taken.add(arrival.key)
                self._fresh.append(arrival)

    def find_what_it_belongs_to(self) -> None:
        """Is it a phase of something known, the same mail in another mailbox, a repeat, an answer?"""
        touches = [one.touch for one in self._fresh]
        rows.lock_keys(self._unit, _keys_of(touches))
        known = rows.find_growing(self._unit, {t.external_id for t in touches if t.phase and t.external_id})
        same = rows.find_by_same_as(self._unit, {t.same_as for t in touches if t.same_as})
        repeating = [touch for touch in touches if touch.repeat_key]
        since = min((touch.at for touch in repeating), default=self._unit.now) - REPEAT_WINDOW
        repeated = rows.find_repeated(self._unit, {touch.repeat_key for touch in repeating if touch.repeat_key}, since)
        references = self._references = References(self._unit, self._setup, touches)
        ids = iter(self._unit.take_ids(models.interaction, len(self._fresh)))
        for arrival in self._fresh:
            touch = arrival.touch
            row = known.get((touch.line, touch.external_id or "")) if touch.phase else None
            row = row or (same.get(touch.same_as) if touch.same_as else None)
            if row is not None:
                self._grow(arrival, row)
                continue
            arrival.row = self._begin(arrival, next(ids))
            if touch.phase and touch.external_id:
                known[touch.line, touch.external_id] = arrival.row
            if touch.same_as:
                same[touch.same_as] = arrival.row
            earlier = None
            if touch.repeat_key and not touch.suspicion:
                earlier = repeat_of(repeated.setdefault(touch.repeat_key, []), arrival)
            found = references.of(touch) or _place_of_earlier(earlier)
            references.learn(touch, arrival.row)
            self._referred[arrival.row["id"]] = found
        self._threads.load({one.target for one in self._referred.values() if one and isinstance(one.target, int)})
        self._threads.load({t.thread.tag for t in touches if t.thread and t.thread.tag})

    def _begin(self, arrival: Arrival, number: int) -> Row:
        touch = arrival.touch
        place = place_of(self._setup, touch.line)
        row = fold.begin(touch, place.channel, place.team, operator_named(self._setup, touch.operator))
        row["id"] = number
        if touch.suspicion:
            row["quarantined_at"] = self._unit.now
        self._rows[number] = row
        self._new_rows.append(row)
        self._latest[number] = arrival
        return row

    def _grow(self, arrival: Arrival, found: Row) -> None:
        row = self._rows.setdefault(found["id"], dict(found))
        arrival.grows = True
        arrival.row = row
        arrival.before = dict(row)
        if not arrival.touch.phase:
            return
        previous = self._latest.get(row["id"])
        if previous is not None:
            previous.view = arrival.before  # it is judged by what was known then
        self._latest[row["id"]] = arrival
        changes = fold.grow(row, arrival.touch, operator_named(self._setup, arrival.touch.operator))
        row.update(changes)
        if not any(new is row for new in self._new_rows):
            self._changes.setdefault(row["id"], {}).update(changes)

    def find_whose_it_is(self) -> None:
        """Known by an identity, by the conversation it answers, or made now."""
        pending = [one for one in self._fresh if self._wants_client(one)]
        identifier = Identifier.load(self._unit, [one.touch.party for one in pending])
        for arrival in pending:
            touch, row = arrival.touch, arrival.row
            usual = self._client_of(self._referred.get(row["id"]))
            if touch.automatic in _NOBODYS or not touch.party:
                row["client_id"] = usual if usual is not None else identifier.known_as(touch.party)
                if row["client_id"] is not None or not _is_somebodys(touch):
                    continue
            found = identifier.whose(touch.party, self._unit.now, name=_name(touch), usual=usual)
            row["client_id"] = found.client
            row["candidates"] = _candidates(found.candidates)
            arrival.fresh_client = found.fresh
        self._new_clients = identifier.flush()
        self._named = tuple(identifier.named)

    def _client_of(self, reference: Reference | None) -> int | None:
        """Whose conversation it is that a touch refers to."""
        while reference is not None:
            target = reference.target
            if isinstance(target, int):
                talk = self._threads.by_id.get(target)
                return int(talk["client_id"]) if talk else None
            reference = self._referred.get(target["id"])
            if reference is None:
                client: int | None = target["client_id"]
                return client
        return None

    def _wants_client(self, arrival: Arrival) -> bool:
        return not arrival.grows and arrival.row["quarantined_at"] is None

    def place_in_conversations(self) -> None:
        """An explicit reference beats the window; what opens one belongs to the team of its line."""
        pending = [one for one in self._fresh if one.row["client_id"] is not None]
        rated = recognise(self._unit, [one for one in pending if not one.grows])
        self._referred |= {number: Reference(talk) for number, talk in rated.items()}
        self._threads.load(rated.values())
        known = {one.row["client_id"] for one in pending if not one.fresh_client}
        self._threads.load_recent(known, self._unit.now - _LATE - self._setup.company.window)
        for arrival in pending:
            self._place(arrival)

    def _place(self, arrival: Arrival) -> None:
        touch, row = arrival.touch, arrival.row
        if arrival.grows:
            self._threads.load([row["conversation_id"]] if row["conversation_id"] else [])
            talk = self._threads.by_id.get(row["conversation_id"] or 0)
            if talk is None or not touch.phase:
                return
        else:
            reference = self._referred.get(row["id"])
            talk, arrival.fresh_conversation = self._threads.place(
                touch, row["client_id"], reference.conversation if reference else None, row["team"], row["channel"]
            )
            row["conversation_id"] = talk["id"]
            row["team"] = talk["team"] or row["team"]
            arrival.answered = reference is not None and reference.answered
        arrival.conversation_before = None if arrival.fresh_conversation else dict(talk)
        self._threads.follow(talk, touch, row, grown=arrival.grows, answered=arrival.answered)
        arrival.conversation = dict(talk)

    def judge(self) -> None:
        """Let the regulations see each touch, in the order in which they came; what it says of wishes comes first."""
        hear(self._unit, self._fresh)
        pending = [one for one in self._fresh if one.row["client_id"] is not None]
        clients = {one.row["client_id"]: one.fresh_client for one in reversed(pending)}
        known = [client for client, fresh in clients.items() if not fresh]
        people = dict(rows.find_clients(self._unit, known))
        first = rows.find_first_interactions(self._unit, known)
        people |= {row["id"]: {**_EMPTY_CLIENT, **row} for row in self._new_clients}
        companies = {one["company_id"] for one in people.values() if one["company_id"]}
        talks = {one.row["conversation_id"] for one in pending if not one.fresh_conversation} - {None}
        fresh = {client for client, is_fresh in clients.items() if is_fresh}
        judge = Judge(self._unit, self._setup, clients, companies, talks, fresh)
        giver = Giver(self._unit, self._setup)
        for arrival in pending:
            if arrival.grows and not arrival.touch.phase:
                continue
            number, whose = arrival.row["id"], arrival.row["client_id"]
            is_first = whose in people and first.setdefault(whose, number) == number
            client = client_facts(people[whose], first_contact=is_first) if whose in people else None
            self._judge_one(judge, giver, arrival, client)
        judge.flush()

    def _judge_one(self, judge: Judge, giver: Giver, arrival: Arrival, client: ClientFacts | None) -> None:
        row, phase = arrival.row, arrival.touch.phase
        talk = self._threads.by_id.get(row["conversation_id"] or 0)
        before = arrival.conversation_before
        touch = interaction_facts(seen_as(arrival.view, row), self._setup, phase=phase)
        if giver.sees and talk is not None:
            self._give(giver, touch, client, talk, arrival)
        judge.judge(
            at=arrival.touch.at,
            client=client,
            interaction=touch,
            before=facts_before(arrival, self._setup),
            conversation=talk_facts(arrival, talk) if talk else None,
            conversation_before=conversation_facts(before) if before else None,
        )
        if not arrival.grows:
            self._answers[row["id"]] = judge.answer_by(row["client_id"], row["again_of"] or row["id"])

    def _give(
        self, giver: Giver, touch: InteractionFacts, client: ClientFacts | None, talk: Row, arrival: Arrival
    ) -> None:
        """Before the regulations look: what they promise is then the promise of whoever got the conversation."""
        book = self._setup.book
        facts = Facts(
            now=self._unit.now,
            at=touch.at,
            book=book,
            roster=book.roster,
            interaction=touch,
            client=client,
            conversation=talk_facts(arrival, talk),
        )
        decision = giver.give(facts)
        if decision is not None:
            self._threads.change(talk, {"owner": decision.operator, "team": decision.team or talk["team"]})

    def write(self) -> None:
        """Everything that the steps have put together, one statement per table."""
        unit = self._unit
        raw_ids = write_raws(unit, self._fresh)
        touch_ids = unit.take_ids(models.touch, len(self._fresh))
        touches = [
            touch_row(arrival, number, raw_id, unit)
            for arrival, number, raw_id in zip(self._fresh, touch_ids, raw_ids, strict=True)
        ]
        for arrival, number in zip(self._fresh, touch_ids, strict=True):
            if not arrival.grows:
                arrival.row["content_id"] = number
            elif arrival.touch.phase and arrival.touch.text:
                self._changes.setdefault(arrival.row["id"], {})["content_id"] = number
        self._threads.flush()
        if self._references is not None:
            self._references.flush()
        rows.write_rows(unit, models.interaction, self._new_rows)
        rows.update_rows(unit, models.interaction, self._changes)
        rows.write_rows(unit, models.touch, touches)
        write_files(unit, self._fresh)
        self._index()
        following.keep_telephones(unit, self._setup, self._fresh)
        following.acknowledge(unit, self._setup, self._fresh)
        following.tell(unit, self._setup, self._fresh, self._threads.by_id)

    def _index(self) -> None:
        index_interactions(self._unit, [(row["id"], interaction_words(row)) for row in self._new_rows], fresh=True)
        reworded = [number for number, change in self._changes.items() if WORDED & change.keys()]
        index_interactions(self._unit, [(number, interaction_words(self._rows[number])) for number in reworded])
        names = {row["id"]: row["name"] for row in self._new_clients}
        words: dict[int, str] = {}
        for arrival in self._fresh:
            if arrival.fresh_client:
                client = arrival.row["client_id"]
                words[client] = client_words(arrival.row, words.get(client, names[client]))
        words |= {client: words_of(name) for client, name in names.items() if client not in words}
        index_clients(self._unit, list(words.items()), fresh=True)
        for client in self._named:
            reindex(self._unit, client)

    def answers(self) -> list[Accepted]:
        """What each touch became, in the order in which they were handed in."""
        became = {one.key: one.row["id"] for one in self._fresh}
        fresh = {id(one) for one in self._fresh}
        return [
            Accepted(one.row["id"], again=one.again, answer_by=self._answers.get(one.row["id"]))
            if id(one) in fresh
            else Accepted(one.seen if one.seen is not None else became[one.key], again=True)
            for one in self._all
        ]


_EMPTY_CLIENT: Row = {
    "company_id": None,
    "category": None,
    "lifecycle": "potential",
    "source": None,
    "responsible": None,
    "region": None,
    "language": None,
    "fields": {},
}


def _keys_of(touches: Iterable[Touch]) -> set[str]:
    """What two processes must not take in side by side: the same message, the same repeat, a message and its answer."""
    keys = {f"same {touch.same_as}" for touch in touches if touch.same_as}
    keys |= {f"repeat {touch.repeat_key}" for touch in touches if touch.repeat_key}
    keys |= {f"id {touch.external_id}" for touch in touches if touch.external_id and not touch.phase}
    return keys | {f"id {touch.thread.answers[0]}" for touch in touches if touch.thread and touch.thread.answers}


def _place_of_earlier(earlier: Any) -> Reference | None:
    """What repeats something belongs where that is: in the log, or in this batch."""
    if earlier is None:
        return None
    number = earlier["conversation_id"]
    return Reference(number) if number is not None else Reference(earlier) if "line" in earlier else None


def _is_somebodys(touch: Touch) -> bool:
    """Machines, our own people among themselves and callers who hide their number make no client."""
    hidden = touch.kind is Kind.CALL and not touch.party
    return touch.automatic is None and touch.direction is not Direction.INTERNAL and not hidden


def _name(touch: Touch) -> str | None:
    name = touch.fields.get("name")
    return name.strip() if isinstance(name, str) and name.strip() else None


def _candidates(found: Sequence[Candidate]) -> list[Row] | None:
    return [{"client": one.client, "reason": one.reason} for one in found] or None
