"""Whatever comes in, is done, is set up anew, and however time passes: the log adds up to what is stored.

The whole hub without a network: intake, acts, set-up, routes, presence, sweeps. After every step the interactions are
folded from their touches and the promises from their histories; nothing may have fired twice, nothing be forgotten.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from channels.touch import Identity
from hub import presence
from hub.actions import assigning, clients, conversations, interactions, leaving, merging, obligations, writing
from hub.actions.writing import Letter
from hub.errors import Refused
from hub.rebuilding import compare_interactions
from routing import rebuild
from routing.enrolment import enrol
from routing.revision import revise
from routing.timers import next_wake, sweep
from storage import models
from tests.flows.practice import Practice, msk
from tests.hub.office import ANNA, PROGRAM, VERA, Clock, Row

STRICTER = """
[regulation.service-reaction]
title = "Сервис отвечает за три рабочих часа"
kind = "respond"
for = { team = ["support"] }
within = { VIP = "30 min", other = "3 working hours" }
calendar = "office-moscow"
on_change = "%s"
pause_while = ["waiting_client"]
"""
ROUTE = """
[route.support]
when = { team = ["support"] }
team = "support"
strategy = ["sticky", "least_busy"]
pass_on_after = "30 min"
"""
SHORT_DAY = """
[calendar.office-moscow]
zone = "Europe/Moscow"
week = { mon = ["10:00-13:00", "14:00-17:00"], tue = ["10:00-17:00"], wed = ["10:00-17:00"], fri = ["10:00-16:00"] }
holidays = "RU"
"""
SETUPS = (STRICTER % "retroactive", STRICTER % "restart", STRICTER % "keep", ROUTE, SHORT_DAY)
PEOPLE = tuple(Identity("email", f"{name}@example.org", name) for name in ("ivan", "olga", "pavel"))
PHONES = tuple(Identity("phone", f"+7812325835{number}") for number in range(3))
WHO = st.integers(0, 2)
MINUTES = st.sampled_from([1, 9, 31, 65, 240, 900, 3000])


@cache
def _template() -> Path:
    """A house with its set-up, made once."""
    folder = Path(tempfile.mkdtemp(prefix="touchline-model-"))
    opened = Practice.begin(f"sqlite:///{folder / 'house.db'}", folder / "files")
    for mail, phone in zip(PEOPLE, PHONES, strict=True):
        opened.act(clients.create, PROGRAM, {"name": mail.name or ""}, (str(mail), str(phone)))
    opened.close()
    return folder


class World(RuleBasedStateMachine):
    """Three clients who write and call, two operators who answer, and a manager who changes his mind."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="touchline-model-"))
        shutil.copytree(_template(), self.folder, dirs_exist_ok=True)
        self.house = _open(self.folder)
        self.house.clock.at = msk("09-14 10:00")
        self.calls = 0
        self.merge: int | None = None

    def teardown(self) -> None:
        self.house.close()
        shutil.rmtree(self.folder)

    @rule(who=WHO, late=st.sampled_from([0, 0, 5, 300]))
    def a_client_writes(self, who: int, late: int) -> None:
        self.house.mail(who=PEOPLE[who], at=self.house.clock() - timedelta(minutes=late))

    @rule(who=WHO, talked=st.booleans(), operator=st.sampled_from(["101", "102"]), outbound=st.booleans())
    def a_call(self, who: int, talked: bool, operator: str, outbound: bool) -> None:
        self.calls += 1
        number, more = f"call-{self.calls}", {"who": PHONES[who], "outbound": outbound}
        if talked:
            self.house.talk(number, 90, operator=operator, **more)
        else:
            self.house.missed(number, **more)

    @rule(choice=st.randoms(use_true_random=False), sent=st.booleans(), files=st.booleans())
    def an_operator_answers(self, choice: Any, sent: bool, files: bool) -> None:
        if (talk := self._any(choice, models.conversation)) is None:
            return
        letter = Letter("Ответ", attachments=(self.house.upload(),) if files else (), line="support-mail")
        try:
            delivery = self.house.act(writing.reply, talk["id"], ANNA, letter)
        except Refused:
            return
        self.house.clock.move(seconds=2)
        if sent:
            self.house.send(delivery)

    @rule(choice=st.randoms(use_true_random=False))
    def a_letter_comes_back(self, choice: Any) -> None:
        if (delivery := self._any(choice, models.delivery)) is not None:
            self.house.fail(delivery["id"])

    @rule(choice=st.randoms(use_true_random=False), how=st.sampled_from(["no_answer_needed", "junk", "open", "later"]))
    def a_conversation_changes(self, choice: Any, how: str) -> None:
        if (talk := self._any(choice, models.conversation)) is None:
            return
        try:
            if how == "open":
                self.house.act(conversations.reopen, talk["id"], ANNA)
            elif how == "later":
                self.house.act(conversations.postpone, talk["id"], ANNA, self.house.clock() + timedelta(hours=5))
            else:
                self.house.act(conversations.close, talk["id"], ANNA, how)
        except Refused:
            return

    @rule(choice=st.randoms(use_true_random=False), what=st.sampled_from(["materials", "refused", "reason"]))
    def a_touch_is_amended(self, choice: Any, what: str) -> None:
        if (touch := self._any(choice, models.interaction)) is None:
            return
        said: dict[str, dict[str, Any]] = {
            "materials": {"materials_requested": True},
            "reason": {"refusal_reason": "дорого"},
        }
        disposition = "refused" if what == "refused" else None
        self.house.act(interactions.amend, touch["id"], ANNA, disposition=disposition, fields=said.get(what))

    @rule(who=WHO, category=st.sampled_from([None, "VIP", "A", "C"]), responsible=st.sampled_from([None, "anna"]))
    def a_client_is_amended(self, who: int, category: str | None, responsible: str | None) -> None:
        row = self.house.row(models.client, who + 1)
        if row["merged_into"] is None:
            self.house.amend_client(row["id"], category=category, responsible=responsible)

    @rule()
    def clients_merge_or_part(self) -> None:
        if self.merge is None:
            self.merge = self.house.act(merging.merge, 1, 2, VERA)
        else:
            self.house.act(merging.undo_merge, self.merge, VERA)
            self.merge = None

    @rule(event=st.sampled_from(["contract.closed", "offer.sent", "offer.refused", "shipment.delivered"]), who=WHO)
    def a_program_reports(self, event: str, who: int) -> None:
        row = self.house.row(models.client, who + 1)
        if row["merged_into"] is None:
            self.house.report(event, row["id"])

    @rule(text=st.sampled_from(SETUPS))
    def the_set_up_changes(self, text: str) -> None:
        self.house.learn(text)
        self._walk(revise)
        self._walk(enrol)
        before = len(self.house.rows(models.clock_event))
        self._walk(revise)
        assert len(self.house.rows(models.clock_event)) == before, "judging anew a second time changes nothing"

    @rule(choice=st.randoms(use_true_random=False), hours=st.sampled_from([1, 50]))
    def a_due_is_pinned(self, choice: Any, hours: int) -> None:
        open_ones = [one for one in self.house.rows(models.obligation) if one["state"] in ("running", "breached")]
        if open_ones:
            due = self.house.clock() + timedelta(hours=hours)
            self.house.act(obligations.pin, choice.choice(open_ones)["id"], VERA, due)

    @rule(operator=st.sampled_from(["anna", "boris"]), here=st.booleans())
    def somebody_comes_or_goes(self, operator: str, here: bool) -> None:
        self._write(lambda unit: presence.come(unit, operator, "d") if here else presence.go_away(unit, operator))
        if here:
            self._write(lambda unit: presence.come_back(unit, operator))
        self._write(lambda unit: assigning.drain(unit, self.house.setup))

    @rule(operator=st.sampled_from(["anna", "boris"]))
    def everything_is_handed_over(self, operator: str) -> None:
        to = "boris" if operator == "anna" else "anna"
        self.house.act(leaving.hand_over_everything, VERA, operator, to)
        assert all(one["owner"] != operator for one in self._open())

    @rule(minutes=MINUTES)
    def time_passes(self, minutes: int) -> None:
        self.house.clock.move(minutes=minutes)
        self._sweep()

    def _sweep(self) -> None:
        book = self.house.setup.book
        while self._write(lambda unit: sweep(unit, book, book.roster, 4)):
            pass
        wake = self.house.store.read_now(next_wake)
        assert wake is None or wake > self.house.clock(), "nothing due is forgotten"
        for one in self._open():
            late = one["due"] is not None and one["due"] < self.house.clock() and one["state"] == "running"
            assert not late, f"nobody noticed that {one} is late"

    def _open(self) -> list[Row]:
        return [one for one in self.house.rows(models.obligation) if one["state"] in ("running", "paused", "breached")]

    def _any(self, choice: Any, table: Any) -> Row | None:
        rows = self.house.rows(table)
        return dict(choice.choice(rows)) if rows else None

    def _write(self, work: Any) -> Any:
        return self.house.store.write_now(work)

    def _walk(self, portion: Any) -> None:
        after: int | None = 0
        while after is not None:
            after = self._write(lambda unit, last=after: portion(unit, self.house.setup.book, last, 3))

    @invariant()
    def the_log_adds_up_to_what_is_stored(self) -> None:
        found = self.house.store.read_now(lambda c: [*rebuild.compare(c), *compare_interactions(c)])
        assert found == []

    @invariant()
    def nothing_has_fired_twice(self) -> None:
        steps, told, starts = Counter[Any](), Counter[Any](), Counter[Any]()
        for one in self.house.rows(models.obligation):
            steps.update((one["id"], step) for step in one["steps_done"])
            starts[one["regulation"], one["start_key"]] += 1
        for one in self.house.rows(models.alert):
            if one["obligation_id"] is not None and one["step"] != "recomputed":
                told[one["obligation_id"], one["step"], one["to"], one["data"].get("due")] += 1
        for counted in (steps, starts, told):
            assert not [key for key, count in counted.items() if count > 1]

    @invariant()
    def open_tasks_belong_to_open_promises(self) -> None:
        states = {one["id"]: one["state"] for one in self.house.rows(models.obligation)}
        for one in self.house.rows(models.task, state="open"):
            if one["obligation_id"] is not None:
                assert states[one["obligation_id"]] in ("running", "paused", "breached"), one

    @invariant()
    def one_promise_of_reaction_per_conversation(self) -> None:
        found = Counter(one["conversation_id"] for one in self._open() if one["slot"] == "reaction")
        assert all(count == 1 for count in found.values()), found


def _open(folder: Path) -> Practice:
    from hub.setup.snapshot import load_setup
    from storage.store import Store

    clock = Clock()
    store = Store.open(f"sqlite:///{folder / 'house.db'}", folder / "files", clock)
    return Practice(store, clock, store.read_now(load_setup))


World.TestCase.settings = settings(max_examples=15, stateful_step_count=25, deadline=None)
TestWorld = World.TestCase
