"""Decisions become rows: on both databases, once per transaction, and the history folds back to what is stored."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from routing.book import RuleBook
from routing.engine import decide
from routing.facts import ConversationFacts, Facts, InteractionFacts
from routing.fold import fold_history
from routing.ledger import Ledger, read_obligation
from routing.timers import next_wake, sweep
from storage.models import alert, client, clock_event, conversation, job, obligation, task
from storage.store import Store
from storage.unit import Unit

from .world import book_of, facts_of, message, msk
from .world import client as a_client
from .world import conversation as a_conversation

BOOK = book_of(
    """
[regulation.reaction]
title = { en = "Answer in four working hours", ru = "Ответ за четыре часа" }
kind = "respond"
within = "4 working hours"
calendar = "office"
pause_while = ["waiting_client", "postponed"]
warn = ["50%"]
escalate = [{ when = "due", to = "lead" }, { when = "+1 working hours", to = "director" }]
"""
)


class Watch:
    """A clock that tests set."""

    def __init__(self) -> None:
        self.at = msk("2026-09-14 10:00")

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def store(database_url: str, tmp_path: Path, watch: Watch) -> Iterator[Store]:
    opened = Store.open(database_url, tmp_path / "files", watch)
    opened.write_now(_people)
    yield opened
    opened.engines.dispose()


def _people(unit: Unit) -> None:
    for number in (1, 2):
        unit.connection.execute(insert(client).values(id=number, name=f"Client {number}", created_at=unit.now))


def touch_in(store: Store, watch: Watch, *touches: InteractionFacts, book: RuleBook = BOOK, **more: Any) -> None:
    """One batch of touches."""

    def work(unit: Unit) -> None:
        ledger = Ledger.load(unit, {each.client or 0 for each in touches}, book)
        for each in touches:
            owner = a_client(each.client or 0, **more)
            facts = facts_of(book, "2026-09-14 10:00", interaction=each, client=owner)
            facts = Facts(
                watch.at,
                each.at,
                book,
                book.roster,
                each,
                client=facts.client,
                conversation=a_conversation(each.conversation or 0, client=each.client),
                obligations=ledger.obligations_of(each.client or 0),
            )
            assert ledger.apply(decide(facts), facts) == ()
        ledger.flush()

    store.write_now(work)


def change(store: Store, watch: Watch, after: ConversationFacts, before: ConversationFacts) -> None:
    """A person changes a conversation."""

    def work(unit: Unit) -> None:
        ledger = Ledger.load(unit, [after.client], BOOK)
        facts = Facts(
            watch.at,
            watch.at,
            BOOK,
            BOOK.roster,
            client=a_client(after.client),
            conversation=after,
            conversation_before=before,
            obligations=ledger.obligations_of(after.client),
            actor="operator:anna",
        )
        ledger.apply(decide(facts), facts)
        ledger.flush()

    store.write_now(work)


def rows(store: Store, table: Any) -> list[Any]:
    return store.read_now(lambda connection: list(connection.execute(select(table).order_by(table.c.id))))


def history(store: Store, number: int = 1) -> list[str]:
    return [each.event for each in rows(store, clock_event) if each.obligation_id == number]


def assert_folds(store: Store) -> None:
    """What is stored is what the history adds up to."""
    entries = rows(store, clock_event)
    for row in rows(store, obligation):
        stored = read_obligation(row)
        mine = [(each.event, each.data) for each in entries if each.obligation_id == row.id]
        assert fold_history(row.id, mine) == stored


def advance(store: Store, watch: Watch, text: str) -> int:
    watch.at = msk(text)
    done = store.write_now(lambda unit: sweep(unit, BOOK, BOOK.roster, 100))
    assert_folds(store)
    return done


def test_a_touch_starts_a_promise_with_its_task(store: Store, watch: Watch) -> None:
    touch_in(store, watch, message(1, "2026-09-14 10:00"), responsible="anna")
    (found,) = rows(store, obligation)
    assert (found.state, found.due, found.owner) == ("running", msk("2026-09-14 14:00"), "anna")
    (made,) = rows(store, task)
    assert (made.title, made.owner, made.obligation_id) == ("Ответить клиенту: Ответ за четыре часа", "anna", found.id)
    assert store.read_now(next_wake) == msk("2026-09-14 12:00")
    assert_folds(store)


def test_the_second_touch_of_a_batch_sees_the_first(store: Store, watch: Watch) -> None:
    question, again = message(1, "2026-09-14 10:00"), message(2, "2026-09-14 10:20")
    answer, next_one = message(3, "2026-09-14 11:00", "outbound"), message(4, "2026-09-14 12:00")
    touch_in(store, watch, question, again, answer, next_one, message(5, "2026-09-14 12:00", client=2, conversation=2))
    found = [(each.client_id, each.state, each.started_by) for each in rows(store, obligation)]
    assert found == [(1, "met", 1), (1, "running", 4), (2, "running", 5)]
    assert [each.state for each in rows(store, task)] == ["done", "open", "open"]
    assert_folds(store)


def test_the_ladder_climbs_until_somebody_acknowledges(store: Store, watch: Watch) -> None:
    touch_in(store, watch, message(1, "2026-09-14 10:00"), responsible="anna")
    assert advance(store, watch, "2026-09-14 11:59:59") == 0
    assert advance(store, watch, "2026-09-14 12:00") == 1
    assert [(each.to, each.step) for each in rows(store, alert)] == [("anna", "50% alert owner")]
    assert advance(store, watch, "2026-09-14 14:00") == 0, "at the very second it is not late yet"
    assert advance(store, watch, "2026-09-14 14:00:01") == 1
    assert [(each.to, each.data["what"]) for each in rows(store, alert)][1:] == [("vera", "breach")]
    assert advance(store, watch, "2026-09-14 15:00:01") == 1
    assert [(each.to, each.data["what"]) for each in rows(store, alert)][2:] == [("pavlo", "climb")]
    assert store.read_now(next_wake) is None
    assert history(store) == ["applied", "warned", "breached", "warned", "warned"]
    mails = [each.body for each in rows(store, job)]
    assert [each["operator"] for each in mails] == ["anna", "vera", "pavlo"]
    assert mails[1]["subject"] == "Строк порушено: Answer in four working hours"
    assert "Client 1" in mails[1]["text"]


def test_an_answer_closes_the_task_and_stops_the_clock(store: Store, watch: Watch) -> None:
    touch_in(store, watch, message(1, "2026-09-14 10:00"))
    watch.at = msk("2026-09-14 11:00")
    touch_in(store, watch, message(2, "2026-09-14 11:00", "outbound"))
    (found,) = rows(store, obligation)
    assert (found.state, found.met_by, found.met_at, found.next_at) == ("met", 2, msk("2026-09-14 11:00"), None)
    (made,) = rows(store, task)
    assert (made.state, made.closed_by) == ("done", "interaction:2")
    assert advance(store, watch, "2026-09-15 10:00") == 0


def test_after_two_hours_down_every_overdue_step_fires_once_and_says_how_late(store: Store, watch: Watch) -> None:
    touch_in(store, watch, message(1, "2026-09-14 10:00"), responsible="anna")
    assert advance(store, watch, "2026-09-14 16:00") == 1
    assert advance(store, watch, "2026-09-14 16:01") == 0
    told = [(each.to, each.data["late_by"]) for each in rows(store, alert)]
    assert told == [("anna", 4 * 3600), ("vera", 7199), ("pavlo", 3600)]
    (found,) = rows(store, obligation)
    assert found.breached_at == msk("2026-09-14 14:00")


def test_a_late_answer_withdraws_the_breach_and_corrects_the_alert(store: Store, watch: Watch) -> None:
    touch_in(store, watch, message(1, "2026-09-14 10:00"))
    advance(store, watch, "2026-09-14 14:30")
    before = len(rows(store, job))
    watch.at = msk("2026-09-14 16:00")
    touch_in(store, watch, message(2, "2026-09-14 13:05", "outbound"))
    (found,) = rows(store, obligation)
    assert (found.state, found.breached_at, found.met_at) == ("met", None, msk("2026-09-14 13:05"))
    assert all(each.withdrawn_at == watch.at for each in rows(store, alert))
    corrections = [each.body["subject"] for each in rows(store, job)][before:]
    assert corrections == ["Виправлення: порушення не було: Answer in four working hours"]
    assert_folds(store)


def test_pausing_and_resuming_move_the_due(store: Store, watch: Watch) -> None:
    touch_in(store, watch, message(1, "2026-09-14 10:00"))
    watch.at = msk("2026-09-14 11:00")
    change(store, watch, a_conversation(state="waiting_client"), a_conversation())
    (found,) = rows(store, obligation)
    assert (found.state, found.due, found.next_at) == ("paused", None, None)
    assert advance(store, watch, "2026-09-15 12:00") == 0
    watch.at = msk("2026-09-15 12:00")
    touch_in(store, watch, message(2, "2026-09-15 12:00"))
    (found,) = rows(store, obligation)
    assert (found.state, found.due) == ("running", msk("2026-09-15 15:00"))
    (made,) = rows(store, task)
    assert made.due == found.due
    assert_folds(store)


def test_a_postponed_conversation_comes_back_and_its_clock_runs_again(store: Store, watch: Watch) -> None:
    touch_in(store, watch, message(1, "2026-09-14 10:00"))
    until = msk("2026-09-14 15:00")
    store.write_now(
        lambda unit: unit.connection.execute(
            insert(conversation).values(
                id=1, client_id=1, state="postponed", opened_at=unit.now, last_at=unit.now, postponed_until=until
            )
        )
    )
    watch.at = msk("2026-09-14 11:00")
    change(store, watch, a_conversation(state="postponed"), a_conversation())
    assert store.read_now(next_wake) == until
    assert advance(store, watch, "2026-09-14 15:00:30") == 1
    (talk,) = rows(store, conversation)
    assert (talk.state, talk.postponed_until) == ("open", None)
    (found,) = rows(store, obligation)
    assert (found.state, found.due) == ("running", msk("2026-09-14 18:00"))


def test_a_storm_becomes_one_digest(store: Store, watch: Watch) -> None:
    touch_in(store, watch, *(message(number, "2026-09-14 10:00", conversation=number) for number in range(1, 41)))
    advance(store, watch, "2026-09-14 12:00")
    advance(store, watch, "2026-09-14 14:00:01")
    told = [each for each in rows(store, alert) if each.digest_id is None]
    assert [(each.to, each.step, each.data["count"]) for each in told] == [("vera", "digest", 40)] * 2
    assert len(rows(store, alert)) == 82
    assert len(rows(store, job)) == 2
    assert rows(store, job)[1].body["subject"].startswith("40 спрацювань")


def test_a_storm_that_grows_says_by_how_many(store: Store, watch: Watch) -> None:
    touch_in(store, watch, *(message(number, "2026-09-14 10:00", conversation=number) for number in range(1, 31)))
    watch.at = msk("2026-09-14 14:00") + timedelta(seconds=1)
    for _ in range(3):
        store.write_now(lambda unit: sweep(unit, BOOK, BOOK.roster, 12))
    found = [(each.data["count"], each.title.split()[0]) for each in rows(store, alert) if each.step == "digest"]
    assert found and set(found) == {(30, "30")}


def test_a_reminder_is_given_once(store: Store, watch: Watch) -> None:
    when = msk("2026-09-14 12:00")
    store.write_now(
        lambda unit: unit.connection.execute(
            insert(task).values(
                id=1, title="Call back", owner="anna", remind_at=when, made_at=unit.now, made_by="operator:anna"
            )
        )
    )
    assert advance(store, watch, "2026-09-14 12:00") == 1
    assert advance(store, watch, "2026-09-14 12:01") == 0
    assert [each.body["subject"] for each in rows(store, job)] == ["Напоминание: Call back"]


def test_many_due_at_once_are_taken_in_portions(store: Store, watch: Watch) -> None:
    touch_in(store, watch, *(message(number, "2026-09-14 10:00", conversation=number) for number in range(1, 31)))
    watch.at = msk("2026-09-14 14:00") + timedelta(seconds=1)
    done = [store.write_now(lambda unit: sweep(unit, BOOK, BOOK.roster, 12)) for _ in range(4)]
    assert done == [12, 12, 6, 0]
    assert {each.state for each in rows(store, obligation)} == {"breached"}
