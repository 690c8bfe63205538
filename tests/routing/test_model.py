"""Random touches, edits, merges and ticks: whatever happens, the stored state is the fold of its history."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import insert, select

from routing import acts
from routing.book import RuleBook
from routing.engine import decide
from routing.facts import CallFacts, ClientFacts, ConversationFacts, Facts, InteractionFacts
from routing.ledger import OPEN, Ledger, read_obligation
from routing.rebuild import compare
from routing.revision import revise
from routing.timers import next_wake, sweep
from storage.models import alert, client, conversation, obligation, task
from storage.store import Store
from storage.unit import Unit

from .world import OFFICE, book_of, definitions, msk

RULES = """
[regulation.reaction]
title = "Answer"
kind = "respond"
within = { VIP = "1 working hours", other = "4 working hours" }
calendar = "office"
pause_while = ["waiting_client"]
warn = ["50%", "-30 min"]
escalate = [{ when = "due", to = "lead" }, { when = "+2 hours", to = "director" }]
[regulation.solve]
title = "Solve"
kind = "resolve"
within = "3 working days"
calendar = "office"
[regulation.progress]
title = "Progress"
kind = "update"
within = "6 working hours"
calendar = "office"
[regulation.vip]
title = "VIP"
kind = "recurring"
for = { category = ["VIP"] }
every = "7 days"
roll = "back"
calendar = "office"
[regulation.materials]
title = "Materials"
kind = "follow_up"
after = { event = "call.ended", field = { materials_requested = true } }
action = { send = ["email"], with = "attachment" }
within = "2 hours"
"""
BOOK = book_of(RULES)
NEWER = RuleBook.build(
    [*definitions(OFFICE + RULES), *definitions(RULES.replace('other = "4 working', 'other = "3 working'), 2)]
)
CLIENTS = st.sampled_from([1, 2])
MINUTES = st.sampled_from([1, 7, 25, 60, 180, 600, 1500])
LATE = st.sampled_from([0, 0, 0, 20, 90, 400])


@cache
def _template() -> Path:
    """A database with its tables, made once."""
    file = Path(tempfile.mkdtemp()) / "template.db"
    opened = Store.open(f"sqlite:///{file}", file.parent, lambda: msk("2026-09-14 09:30"))
    opened.engines.dispose()
    return file


class World(RuleBasedStateMachine):
    """Two clients with a conversation each, a store, and a clock that only goes forward."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.mkdtemp()
        self.now = msk("2026-09-14 09:30")
        shutil.copy(_template(), f"{self.folder}/t.db")
        self.store = Store.open(f"sqlite:///{self.folder}/t.db", Path(self.folder), lambda: self.now)
        self.book = BOOK
        self.people = {number: ClientFacts(number, responsible="anna") for number in (1, 2)}
        self.talks = {number: ConversationFacts(number, number, team="support") for number in (1, 2)}
        self.touches: dict[int, InteractionFacts] = {}
        self.number = 0
        self.moved: dict[str, Any] | None = None

    def teardown(self) -> None:
        self.store.engines.dispose()
        shutil.rmtree(self.folder)

    @initialize()
    def people_there(self) -> None:
        rows = [{"id": number, "name": str(number), "created_at": self.now} for number in (1, 2)]
        talks = [{"id": number, "client_id": number, "opened_at": self.now, "last_at": self.now} for number in (1, 2)]
        self.store.write_now(lambda unit: unit.connection.execute(insert(client), rows))
        self.store.write_now(lambda unit: unit.connection.execute(insert(conversation), talks))

    def judge(self, who: int, **more: Any) -> None:
        owner = 1 if self.moved is not None else who
        more.setdefault("at", self.now)

        def work(unit: Unit) -> None:
            ledger = Ledger.load(unit, [owner], self.book)
            mine = ledger.obligations_of(owner)
            person = replace(self.people[who], id=owner)
            facts = Facts(unit.now, book=self.book, roster=self.book.roster, client=person, obligations=mine, **more)
            ledger.apply(decide(facts), facts)
            ledger.flush()

        self.store.write_now(work)

    def touch(self, who: int, late: int, **values: Any) -> None:
        self.number += 1
        at = self.now - timedelta(minutes=late)
        owner = 1 if self.moved is not None else who
        found = InteractionFacts(self.number, line="x", at=at, client=owner, conversation=who, team="support", **values)
        self.touches[self.number] = found
        before = self.talks[who]
        talk = replace(before, client=owner)
        if found.kind == "message" and found.direction == "inbound" and found.automatic is None:
            talk = replace(
                talk, state="open", waiting_since=talk.waiting_since or at, waiting_id=talk.waiting_id or found.id
            )
        elif (
            found.kind == "message" and found.automatic is None and (talk.answered_at is None or at > talk.answered_at)
        ):
            waits = talk.waiting_since if talk.waiting_since and talk.waiting_since > at else None
            talk = replace(talk, answered_at=at, waiting_since=waits, waiting_id=talk.waiting_id if waits else None)
        self.talks[who] = talk
        self.judge(who, at=at, interaction=found, conversation=talk, conversation_before=before)

    @rule(who=CLIENTS, late=LATE, automatic=st.sampled_from([None, None, "bulk"]))
    def client_writes(self, who: int, late: int, automatic: str | None) -> None:
        self.touch(who, late, kind="message", channel="email", direction="inbound", automatic=automatic)

    @rule(who=CLIENTS, late=LATE, files=st.booleans())
    def we_write(self, who: int, late: int, files: bool) -> None:
        self.touch(who, late, kind="message", channel="email", direction="outbound", delivery="sent", has_files=files)

    @rule(who=CLIENTS, late=LATE, outcome=st.sampled_from(["answered", "missed"]), wants=st.booleans())
    def a_call(self, who: int, late: int, outcome: str, wants: bool) -> None:
        at = self.now - timedelta(minutes=late)
        told = CallFacts(outcome, talk_s=60 if outcome == "answered" else 0)
        fields = {"materials_requested": wants}
        self.touch(
            who, late, kind="call", channel="asterisk", direction="inbound", ended_at=at, call=told, fields=fields
        )

    @rule(choice=st.randoms(use_true_random=False))
    def a_mail_comes_back(self, choice: Any) -> None:
        sent = [each for each in self.touches.values() if each.delivery == "sent"]
        if sent:
            before = choice.choice(sent)
            after = replace(before, delivery="failed")
            self.touches[after.id] = after
            who = after.conversation or 1
            self.judge(who, interaction=after, before=before, conversation=self.talks[who])

    @rule(who=CLIENTS, state=st.sampled_from(["open", "waiting_client", "solved", "junk"]))
    def somebody_changes_the_conversation(self, who: int, state: str) -> None:
        before = self.talks[who]
        why = "no_answer_needed" if state == "solved" else None
        after = replace(before, state=state, closed_why=why, closed_by="operator:anna" if why else None)
        self.talks[who] = after
        self.judge(who, conversation=after, conversation_before=before, actor="operator:anna")

    @rule(who=CLIENTS, category=st.sampled_from([None, "VIP", "C"]))
    def the_category_changes(self, who: int, category: str | None) -> None:
        before = self.people[who]
        self.people[who] = replace(before, category=category)
        self.judge(who, client_before=before)

    @rule(choice=st.randoms(use_true_random=False), hours=st.sampled_from([None, 1, 30]))
    def a_due_is_pinned(self, choice: Any, hours: int | None) -> None:
        numbers = [each.id for each in self.obligations() if each.state in OPEN]
        if numbers:
            due = None if hours is None else self.now + timedelta(hours=hours)
            number = choice.choice(numbers)
            self.store.write_now(lambda unit: acts.pin(unit, self.book, number, due, "operator:vera"))

    @rule()
    def the_clients_merge_or_part(self) -> None:
        if self.moved is None:
            self.moved = self.store.write_now(lambda unit: acts.merge(unit, self.book, 1, 2, "operator:vera"))
        else:
            moved, self.moved = self.moved, None
            self.store.write_now(lambda unit: acts.undo_merge(unit, self.book, 1, 2, moved, "operator:vera"))

    @rule()
    def the_regulation_is_edited(self) -> None:
        self.book = NEWER
        last: int | None = 0
        while last is not None:
            last = self.store.write_now(lambda unit, after=last: revise(unit, self.book, after, 3))

    @rule(minutes=MINUTES)
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        while self.store.write_now(lambda unit: sweep(unit, self.book, self.book.roster, 3)):
            pass
        wake = self.store.read_now(next_wake)
        assert wake is None or wake > self.now, "nothing due is forgotten"
        for each in self.obligations():
            if each.state == "running" and each.due is not None:
                assert each.due >= self.now, "whoever is late is called late"

    def obligations(self) -> list[Any]:
        return self.store.read_now(
            lambda c: [read_obligation(row) for row in c.execute(select(obligation).order_by(obligation.c.id))]
        )

    @invariant()
    def the_history_folds_to_what_is_stored(self) -> None:
        assert self.store.read_now(lambda connection: list(compare(connection))) == []

    @invariant()
    def nothing_is_fired_twice(self) -> None:
        for each in self.obligations():
            assert len(set(each.steps_done)) == len(each.steps_done)
        rows = self.store.read_now(lambda c: list(c.execute(select(alert))))
        told = Counter(
            (each.obligation_id, each.step, each.to, each.data.get("due")) for each in rows if each.obligation_id
        )
        assert all(count == 1 for (_, step, *_), count in told.items() if step != "recomputed"), told

    @invariant()
    def one_promise_of_a_slot_runs_per_conversation(self) -> None:
        open_ones = [each for each in self.obligations() if each.is_open]
        slots = Counter(
            (each.slot, each.conversation) for each in open_ones if each.slot in ("reaction", "update", "resolution")
        )
        assert all(count == 1 for count in slots.values()), slots

    @invariant()
    def what_is_finished_asks_nothing_and_what_runs_asks(self) -> None:
        tasks = self.store.read_now(lambda c: list(c.execute(select(task))))
        state = {each.id: each for each in self.obligations()}
        for each in tasks:
            if each.obligation_id is not None and each.made_by != "regulation:vip":
                assert (each.state == "open") is state[each.obligation_id].is_open
        for found in state.values():
            assert found.is_open or found.next_at is None
            assert not found.standing or found.state in ("paused", "breached")
            assert found.state != "met" or found.met_at is not None


World.TestCase.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
TestWorld = World.TestCase
