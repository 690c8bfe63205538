"""What people do to promises, on both databases; the history folds back afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from routing import acts
from routing.book import RuleBook
from routing.engine import decide
from routing.enrolment import announce, enrol
from routing.facts import EventFacts, Facts, InteractionFacts
from routing.fold import fold_history
from routing.ledger import Ledger, read_obligation
from routing.revision import refresh, revise
from routing.timers import sweep
from storage.models import alert, client, clock_event, job, obligation, task
from storage.repositories import coverage
from storage.store import Store
from storage.unit import Unit

from .world import OFFICE, book_of, definitions, message, msk
from .world import client as a_client
from .world import conversation as a_conversation

REACTION = """
[regulation.reaction]
title = "Answer"
kind = "respond"
within = { VIP = "1 working hours", other = "4 working hours" }
calendar = "office"
escalate = [{ when = "due", to = "lead" }, { when = "+1 working hours", to = "director" }]
"""
BOOK = book_of(REACTION)


class Office:
    """A store, its clock and a few words."""

    def __init__(self, url: str, folder: Path) -> None:
        self.at = msk("2026-09-14 10:00")
        self.store = Store.open(url, folder, lambda: self.at)
        self.store.write_now(self._people)

    def _people(self, unit: Unit) -> None:
        for number, category in ((1, None), (2, None), (3, "VIP")):
            values = {"name": f"C{number}", "category": category, "fields": {"mailing": True}, "responsible": "anna"}
            unit.connection.execute(insert(client).values(id=number, created_at=unit.now, **values))

    def time(self, text: str) -> None:
        self.at = msk(text)

    def do(self, work: Callable[[Unit], Any]) -> Any:
        found = self.store.write_now(work)
        self.check()
        return found

    def touch(self, *touches: InteractionFacts, book: RuleBook = BOOK) -> None:
        def work(unit: Unit) -> None:
            ledger = Ledger.load(unit, {each.client or 0 for each in touches}, book)
            for each in touches:
                who = each.client or 0
                facts = Facts(
                    unit.now,
                    each.at,
                    book,
                    book.roster,
                    each,
                    client=a_client(who, responsible="anna"),
                    conversation=a_conversation(each.conversation or 0, client=who),
                    obligations=ledger.obligations_of(who),
                    tasks=ledger.tasks_of(who),
                )
                ledger.apply(decide(facts), facts)
            ledger.flush()

        self.do(work)

    def sweep(self, text: str) -> None:
        self.time(text)
        self.do(lambda unit: sweep(unit, BOOK, BOOK.roster))

    def rows(self, table: Any) -> list[Any]:
        return self.store.read_now(lambda connection: list(connection.execute(select(table).order_by(table.c.id))))

    def check(self) -> None:
        """The fold of every history is what is stored."""
        entries = self.rows(clock_event)
        for row in self.rows(obligation):
            mine = [(each.event, each.data) for each in entries if each.obligation_id == row.id]
            assert fold_history(row.id, mine) == read_obligation(row)


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> Iterator[Office]:
    found = Office(database_url, tmp_path)
    yield found
    found.store.engines.dispose()


def test_pinning_a_due_and_letting_go_of_it(office: Office) -> None:
    office.touch(message(1, "2026-09-14 10:00"))
    office.do(lambda unit: acts.pin(unit, BOOK, 1, msk("2026-09-14 17:00"), "operator:vera"))
    (found,) = office.rows(obligation)
    assert (found.due, found.pinned) == (msk("2026-09-14 17:00"), True)
    assert office.rows(task)[0].due == found.due
    assert office.rows(clock_event)[-1].event == "pinned"
    office.do(lambda unit: acts.pin(unit, BOOK, 1, None, "operator:vera"))
    (found,) = office.rows(obligation)
    assert (found.due, found.pinned) == (msk("2026-09-14 14:00"), False)
    with pytest.raises(acts.NotThere):
        office.do(lambda unit: acts.pin(unit, BOOK, 99, None, "operator:vera"))


def test_letting_go_of_a_pin_catches_up_with_what_changed_meanwhile(office: Office) -> None:
    office.touch(message(1, "2026-09-14 10:00"))
    office.do(lambda unit: acts.pin(unit, BOOK, 1, msk("2026-09-14 17:00"), "operator:vera"))
    office.do(lambda unit: unit.connection.execute(update(client).where(client.c.id == 1).values(category="VIP")))
    office.do(lambda unit: acts.pin(unit, BOOK, 1, None, "operator:vera"))
    (found,) = office.rows(obligation)
    assert (found.due, found.target, found.pinned) == (msk("2026-09-14 11:00"), "1 working hour", False)


def test_a_pinned_due_breaches_like_any_other(office: Office) -> None:
    office.touch(message(1, "2026-09-14 10:00"))
    office.do(lambda unit: acts.pin(unit, BOOK, 1, msk("2026-09-14 12:00"), "operator:vera"))
    office.sweep("2026-09-14 12:00:01")
    assert office.rows(obligation)[0].breached_at == msk("2026-09-14 12:00")


def test_acknowledging_stops_the_climb(office: Office) -> None:
    office.touch(message(1, "2026-09-14 10:00"))
    office.sweep("2026-09-14 14:00:01")
    (told,) = office.rows(alert)
    office.do(lambda unit: acts.acknowledge(unit, BOOK, told.id, "vera"))
    assert office.rows(alert)[0].acknowledged_by == "vera"
    office.sweep("2026-09-14 15:30")
    assert len(office.rows(alert)) == 1
    assert office.rows(obligation)[0].next_at is None


def test_excusing_keeps_the_breach_and_clears_the_desk(office: Office) -> None:
    office.touch(message(1, "2026-09-14 10:00"))
    office.sweep("2026-09-14 14:00:01")
    office.do(lambda unit: acts.excuse(unit, BOOK, 1, "the line was down", "operator:vera"))
    (found,) = office.rows(obligation)
    assert (found.excuse["reason"], found.breached_at) == ("the line was down", msk("2026-09-14 14:00"))
    assert office.rows(alert)[0].withdrawn_at is not None


def test_everything_open_is_handed_over(office: Office) -> None:
    office.touch(message(1, "2026-09-14 10:00"), message(2, "2026-09-14 10:00", client=2, conversation=2))
    by_hand = {"id": 50, "title": "Ring", "owner": "anna", "made_by": "operator:anna"}
    office.do(lambda unit: unit.connection.execute(insert(task).values(made_at=unit.now, **by_hand)))
    assert office.do(lambda unit: acts.hand_over(unit, BOOK, "anna", "boris", "operator:vera")) == [1, 2]
    assert {each.owner for each in office.rows(obligation)} == {"boris"}
    assert {each.owner for each in office.rows(task)} == {"boris"}


def test_what_belongs_to_no_team_can_stay(office: Office) -> None:
    office.touch(message(1, "2026-09-14 10:00"))
    by_hand = {"id": 50, "title": "Ring", "owner": "anna", "made_by": "operator:anna"}
    office.do(lambda unit: unit.connection.execute(insert(task).values(made_at=unit.now, **by_hand)))
    office.do(lambda unit: acts.hand_over(unit, BOOK, "anna", None, "clock", "away", own_too=False))
    assert office.rows(obligation)[0].owner is None
    assert {each.id: each.owner for each in office.rows(task)}[50] == "anna"


def test_note_34_merging_keeps_the_earlier_due_and_undoing_restores_both(office: Office) -> None:
    office.touch(message(1, "2026-09-14 10:00"), message(2, "2026-09-14 11:00", client=2, conversation=2))
    before = {each.id: (each.client_id, each.state, each.due) for each in office.rows(obligation)}
    moved = office.do(lambda unit: acts.merge(unit, BOOK, 1, 2, "operator:vera"))
    assert [(each.client_id, each.state, each.due) for each in office.rows(obligation)] == [
        (1, "running", msk("2026-09-14 14:00")),
        (1, "cancelled", msk("2026-09-14 15:00")),
    ]
    assert [each.state for each in office.rows(task)] == ["open", "cancelled"]
    office.do(lambda unit: acts.undo_merge(unit, BOOK, 1, 2, moved, "operator:vera"))
    assert {each.id: (each.client_id, each.state, each.due) for each in office.rows(obligation)} == before
    assert [each.state for each in office.rows(task)] == ["open", "open"]


def test_after_a_merge_either_conversation_answers(office: Office) -> None:
    office.touch(message(1, "2026-09-14 10:00"), message(2, "2026-09-14 11:00", client=2, conversation=2))
    office.do(lambda unit: acts.merge(unit, BOOK, 1, 2, "operator:vera"))
    office.time("2026-09-14 12:00")
    office.touch(message(3, "2026-09-14 12:00", "outbound", conversation=2))
    assert [each.state for each in office.rows(obligation)] == ["met", "cancelled"]


def test_revising_after_an_edit(office: Office) -> None:
    office.touch(*(message(number, "2026-09-14 10:00", conversation=number) for number in range(1, 6)))
    office.touch(message(9, "2026-09-14 10:30", "outbound", conversation=5))
    newer = definitions(REACTION.replace('other = "4 working', 'other = "2 working'), 2)
    book = RuleBook.build([*definitions(OFFICE + REACTION), *newer])
    last: int | None = 0
    portions = 0
    while (last := office.do(lambda unit, after=last: revise(unit, book, after, 2))) is not None:
        portions += 1
    assert portions == 2
    found = [(each.state, each.version, each.due) for each in office.rows(obligation)]
    assert found == [("running", 2, msk("2026-09-14 12:00"))] * 4 + [("met", 1, msk("2026-09-14 14:00"))]
    assert office.do(lambda unit: revise(unit, book)) is None


def test_new_tables_of_holidays_move_what_is_open(office: Office) -> None:
    """The calendar's version is the same; what a newer table says of the day is not."""
    decreed = OFFICE.replace('holidays = "RU"', 'holidays = "RU"\ndays."2026-09-14" = "closed"')
    newer = book_of(REACTION, decreed)
    assert newer.calendar("office", 1).version == BOOK.calendar("office", 1).version
    office.touch(message(1, "2026-09-14 10:00"), message(2, "2026-09-14 10:00", client=2, conversation=2))
    office.do(lambda unit: acts.pin(unit, BOOK, 2, msk("2026-09-14 17:00"), "operator:vera"))
    assert office.do(lambda unit: refresh(unit, BOOK)) == 2
    assert [each.due for each in office.rows(obligation)] == [msk("2026-09-14 14:00"), msk("2026-09-14 17:00")]
    office.sweep("2026-09-14 14:30")
    assert office.rows(obligation)[0].state == "breached"
    assert office.do(lambda unit: refresh(unit, newer)) == 2
    assert office.do(lambda unit: refresh(unit, newer, 2)) is None
    first, second = office.rows(obligation)
    assert (first.state, first.due, first.calendar_version) == ("running", msk("2026-09-15 13:00"), 1)
    assert second.due == msk("2026-09-14 17:00"), "pinned"
    assert [each.data["cause"] for each in office.rows(clock_event) if each.event == "recomputed"] == ["tables"]
    assert all(each.withdrawn_at for each in office.rows(alert))


def test_a_retired_regulation_lets_go(office: Office) -> None:
    office.touch(message(1, "2026-09-14 10:00"))
    office.do(lambda unit: revise(unit, book_of("")))
    assert [(each.state, each.closed_why) for each in office.rows(obligation)] == [("cancelled", "regulation_retired")]


def test_enrolling_who_is_vip_already(office: Office) -> None:
    book = book_of(
        '[regulation.vip]\ntitle = "VIP"\nkind = "recurring"\nevery = "14 days"\nfor = { category = ["VIP"] }\n'
    )
    assert office.do(lambda unit: enrol(unit, book, 0, 2)) == 2
    assert office.do(lambda unit: enrol(unit, book, 2, 2)) == 3
    assert office.do(lambda unit: enrol(unit, book, 3, 2)) is None
    office.do(lambda unit: enrol(unit, book))
    assert [(each.client_id, each.owner) for each in office.rows(obligation)] == [(3, "anna")]


def test_a_novelty_reaches_everybody_once(office: Office) -> None:
    book = book_of(
        '[regulation.n]\ntitle = "New"\nkind = "broadcast"\nwithin = "5 working days"\ncalendar = "office"\n'
        'after = { event = "product.published" }\n'
    )
    office.do(
        lambda unit: unit.connection.execute(
            update(client).where(client.c.id == 2).values(fields={"opted_out": ["all"]})
        )
    )
    event = EventFacts("p1", "product.published", msk("2026-09-14 09:00"))
    for _ in range(2):
        office.do(lambda unit: announce(unit, book, event))
    assert [each.client_id for each in office.rows(obligation)] == [1, 3]


@pytest.mark.parametrize(("reach", "state"), [("33%", "cancelled"), ("34%", "breached"), ("100%", "breached")])
def test_a_broadcast_is_judged_by_its_coverage(office: Office, reach: str, state: str) -> None:
    book = book_of(
        '[regulation.n]\ntitle = "New"\nkind = "broadcast"\nwithin = "2 working hours"\ncalendar = "office"\n'
        f'after = {{ event = "product.published" }}\nreach = "{reach}"\n'
    )
    office.do(lambda unit: announce(unit, book, EventFacts("p1", "product.published", msk("2026-09-14 10:00"))))
    office.do(lambda unit: announce(unit, book, EventFacts("p2", "product.published", msk("2026-09-14 10:00"))))
    office.touch(message(1, "2026-09-14 11:00", "outbound", fields={"event": "p1"}), book=book)
    office.touch(
        message(2, "2026-09-14 12:01", "outbound", client=2, conversation=2, fields={"event": "p2"}), book=book
    )
    office.at = msk("2026-09-14 12:00:01")
    office.do(lambda unit: sweep(unit, book, book.roster))
    first = [each for each in office.rows(obligation) if each.details["event_id"] == "p1"]
    assert [each.state for each in first] == ["met", state, state]
    if state == "cancelled":
        assert {each.closed_why for each in first[1:]} == {"reached"}
        assert not [each for each in office.rows(alert) if each.obligation_id in {one.id for one in first}]
    late = [each.breached_at for each in office.rows(obligation) if each.details["event_id"] == "p2"]
    assert None not in late, "told late is not told in time"
    (told,) = [
        one
        for one in office.store.read_now(lambda connection: coverage.list_events(connection, ["n"]))
        if one.event == "p1"
    ]
    assert (told.told, told.clients, told.name) == (1, 3, "product.published")


def test_a_task_made_by_hand_closes_itself(office: Office) -> None:
    by_hand = {"id": 50, "title": "Ring", "owner": "anna", "client_id": 1, "made_by": "operator:anna"}
    values = {**by_hand, "met_by": {"any": ["message"], "direction": "outbound"}}
    office.do(lambda unit: unit.connection.execute(insert(task).values(made_at=unit.now, **values)))
    office.time("2026-09-14 11:00")
    office.touch(message(2, "2026-09-14 11:00"))
    assert office.rows(task)[-1].state == "open"
    office.touch(message(3, "2026-09-14 11:30", "outbound"))
    closed = next(each for each in office.rows(task) if each.id == 50)
    assert (closed.state, closed.closed_by) == ("done", "interaction:3")


def test_pushes_wait_for_the_morning_but_the_desk_knows_at_once(office: Office) -> None:
    book = book_of(
        '[regulation.night]\ntitle = "N"\nkind = "respond"\nwithin = "2 hours"\nquiet_hours = ["22:00-08:00"]\n'
    )
    office.time("2026-09-14 21:30")
    office.touch(message(1, "2026-09-14 21:30"), book=book)
    office.time("2026-09-14 23:30:01")
    office.do(lambda unit: sweep(unit, book, book.roster))
    assert office.rows(alert)[0].at == datetime.fromisoformat("2026-09-14T20:30:01+00:00")
    assert office.rows(job)[0].run_at == msk("2026-09-15 08:00")
