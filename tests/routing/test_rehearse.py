"""A draft over the past: counts, hours, operators; the past read from the store; histories folded again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from heapq import merge
from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from routing.engine import decide
from routing.facts import EventFacts, Facts
from routing.ledger import Ledger, read_obligation
from routing.past import Past, count_past
from routing.rebuild import compare, copy_into
from routing.rehearse import Happening, Rehearsal
from storage.models import client, interaction, journal, obligation
from storage.store import Store
from storage.unit import Unit

from .world import book_of, call, conversation, message, msk
from .world import client as a_client

DRAFT = book_of(
    """
[regulation.draft]
title = "Answer"
kind = "respond"
within = "4 working hours"
calendar = "office"
warn = ["50%"]
[regulation.materials]
title = "Materials"
kind = "follow_up"
after = { event = "call.ended", field = { materials_requested = true } }
within = "2 hours"
"""
)
ANNA = a_client(responsible="anna")


def heard(touch: Any, **more: Any) -> Happening:
    return Happening(touch.ended_at or touch.at, ANNA, touch, conversation=conversation(), **more)


def test_what_would_have_been() -> None:
    rehearsal = Rehearsal(DRAFT, {"draft"})
    for touch in (
        message(1, "2026-09-14 10:00"),
        message(2, "2026-09-14 11:00", "outbound"),
        message(3, "2026-09-14 12:00"),
        call(
            4,
            "2026-09-15 09:00",
            ended="2026-09-15 09:10",
            outcome="answered",
            talk_s=500,
            fields={"materials_requested": True},
        ),
        message(5, "2026-09-15 15:00"),
        message(6, "2026-09-15 17:55"),
    ):
        rehearsal.see(heard(touch))
    report = rehearsal.finish(msk("2026-09-15 18:00"))
    told = [(each.to, each.step, each.at) for each in rehearsal.told]
    assert told == [
        ("anna", "50% alert owner", msk("2026-09-14 14:00")),
        ("vera", "due alert lead", msk("2026-09-14 16:00") + timedelta(microseconds=1)),
        ("anna", "50% alert owner", msk("2026-09-15 17:00")),
    ]
    assert report.as_json()["total"] == {
        "started": 3,
        "met": 1,
        "breached": 1,
        "cancelled": 0,
        "running": 1,
        "alerts": 3,
        "share": 0.5,
    }
    assert set(report.by_hour) == {10, 12, 15}
    assert report.by_operator["anna"].breached == 1
    assert report.worst[0].met_at == msk("2026-09-15 09:00")


@pytest.fixture
def store(database_url: str, tmp_path: Path) -> Iterator[Store]:
    now = msk("2026-09-16 10:00")
    opened = Store.open(database_url, tmp_path, lambda: now)

    def fill(unit: Unit) -> None:
        unit.connection.execute(insert(client).values(id=1, name="C", responsible="anna", created_at=now))
        base = {"channel": "email", "line": "mail", "client_id": 1, "conversation_id": 1, "team": "support"}
        for number, at, direction in (
            (1, "2026-09-14 10:00", "inbound"),
            (2, "2026-09-14 11:00", "outbound"),
            (3, "2026-09-15 10:00", "inbound"),
            (4, "2026-09-13 10:00", "inbound"),
        ):
            values = {"id": number, "kind": "message", "direction": direction, "at": msk(at), **base}
            unit.connection.execute(insert(interaction).values(**values))
        closed = {"who": "operator:anna", "action": "closed", "subject": "conversation", "subject_id": "1"}
        unit.connection.execute(
            insert(journal).values(at=msk("2026-09-15 12:00"), data={"how": "no_answer_needed"}, **closed)
        )

    opened.write_now(fill)
    yield opened
    opened.engines.dispose()


def test_the_past_comes_from_the_log(store: Store) -> None:
    since = msk("2026-09-14 00:00")

    def rehearse(connection: Any) -> Any:
        assert count_past(connection, since) == 3
        rehearsal = Rehearsal(DRAFT, {"draft"})
        for happening in Past(connection, since).happenings():
            rehearsal.see(happening)
        rehearsal.finish(msk("2026-09-16 10:00"))
        return [(each.state, each.closed_why) for each in rehearsal.obligations]

    assert store.read_now(rehearse) == [("met", None), ("cancelled", "no_answer_needed")]


SILENT = book_of(
    """
[regulation.vip]
title = "VIP"
kind = "recurring"
for = { category = ["VIP"] }
every = "14 days"
[regulation.birthday]
title = "Birthday"
kind = "recurring"
on_dates = ["birthday"]
calendar = "office"
"""
)


def test_who_was_never_touched_is_rehearsed_too(store: Store) -> None:
    """A VIP of whom nothing was heard is the very one that a manager looks for; a birthday comes near day by day."""
    rows = (
        {"id": 2, "name": "Old", "category": "VIP", "created_at": msk("2026-01-01 10:00")},
        {"id": 3, "name": "New", "category": "VIP", "created_at": msk("2026-09-03 10:00")},
        {
            "id": 4,
            "name": "Born",
            "created_at": msk("2026-01-01 10:00"),
            "fields": {"dates": {"birthday": "1980-09-20"}},
        },
    )
    store.write_now(lambda unit: [unit.connection.execute(insert(client).values(**row)) for row in rows] and None)

    def rehearse(connection: Any) -> Any:
        rehearsal = Rehearsal(SILENT)
        past = Past(connection, msk("2026-09-01 00:00"))
        for happening in past.enrolments(SILENT, msk("2026-09-25 00:00")):
            rehearsal.see(happening)
        rehearsal.finish(msk("2026-09-25 00:00"))
        found = sorted(rehearsal.obligations, key=lambda each: each.client)
        return [(each.regulation, each.client, each.started, each.state) for each in found]

    assert store.read_now(rehearse) == [
        ("vip", 2, msk("2026-09-01 00:00"), "breached"),
        ("vip", 3, msk("2026-09-04 00:00"), "breached"),
        ("birthday", 4, msk("2026-09-20 00:00"), "breached"),
    ]


BY_CATEGORY = book_of(
    """
[regulation.answer]
title = "Answer"
kind = "respond"
within = { VIP = "1 working hours", other = "4 working hours" }
calendar = "office"
[regulation.vip]
title = "VIP"
kind = "recurring"
for = { category = ["VIP"] }
every = "14 days"
"""
)


def test_clients_are_taken_as_they_were(store: Store) -> None:
    """He became a VIP, and Anna's, only on Tuesday: what was promised on Monday was promised to anybody, by Boris."""

    def grow(unit: Unit) -> None:
        unit.connection.execute(update(client).values(category="VIP", fields={"dates": {"birthday": "09-16"}}))
        was = {
            "category": ["C", "VIP"],
            "responsible": ["boris", "anna"],
            "fields": [{}, {"dates": {}}],
            "notes": ["", "x"],
        }
        line = {"who": "operator:vera", "action": "amended", "subject": "client", "subject_id": "1"}
        unit.connection.execute(insert(journal).values(at=msk("2026-09-15 11:30"), data=was, **line))

    store.write_now(grow)

    def rehearse(connection: Any) -> Any:
        rehearsal, past = Rehearsal(BY_CATEGORY), Past(connection, msk("2026-09-14 00:00"))
        looks = past.enrolments(BY_CATEGORY, msk("2026-09-15 00:00"))
        for happening in merge(past.happenings(), looks, key=attrgetter("at")):
            rehearsal.see(happening)
        rehearsal.finish(msk("2026-09-16 10:00"))
        found = sorted(rehearsal.obligations, key=lambda each: (each.regulation, each.started))
        return [(each.regulation, each.started, each.target, each.owner, each.due) for each in found]

    monday, tuesday, became = msk("2026-09-14 10:00"), msk("2026-09-15 10:00"), msk("2026-09-15 11:30")
    assert store.read_now(rehearse) == [
        ("answer", monday, "4 working hours", "boris", msk("2026-09-14 14:00")),
        ("answer", tuesday, "1 working hour", "anna", msk("2026-09-15 11:00")),
        ("vip", became, "14 days", "anna", msk("2026-09-29 11:30")),
    ]


def test_what_was_reported_late_is_rehearsed_from_when_it_happened(store: Store) -> None:
    book = book_of(
        '[regulation.sheet]\ntitle = "Sheet"\nkind = "follow_up"\nwithin = "1 day"\ncalendar = "office"\n'
        'after = { event = "contract.closed" }\n'
    )

    def hear(unit: Unit) -> None:
        told = {"event": "contract.closed", "client": 1, "at": msk("2026-09-14 10:30").isoformat(), "fields": {}}
        line = {"who": "token:crm", "action": "reported", "subject": "event", "subject_id": "e1"}
        unit.connection.execute(insert(journal).values(at=msk("2026-09-16 09:00"), data=told, **line))

    store.write_now(hear)

    def rehearse(connection: Any) -> Any:
        rehearsal = Rehearsal(book)
        for happening in Past(connection, msk("2026-09-14 00:00")).happenings():
            rehearsal.see(happening)
        return [(each.state, each.started, each.met_by) for each in rehearsal.obligations]

    assert store.read_now(rehearse) == [("met", msk("2026-09-14 10:30"), 2)]


def test_histories_fold_into_an_empty_database(store: Store, tmp_path: Path) -> None:
    def live(unit: Unit) -> None:
        ledger = Ledger.load(unit, [1], DRAFT)
        for touch in (
            message(1, "2026-09-14 10:00"),
            message(2, "2026-09-14 11:00", "outbound"),
            message(3, "2026-09-15 10:00"),
        ):
            facts = Facts(
                unit.now,
                touch.at,
                DRAFT,
                DRAFT.roster,
                touch,
                client=ANNA,
                conversation=conversation(),
                obligations=ledger.obligations_of(1),
            )
            ledger.apply(decide(facts), facts)
        ledger.flush()

    store.write_now(live)
    assert store.read_now(lambda connection: list(compare(connection))) == []
    empty = Store.open(f"sqlite:///{tmp_path}/empty.db", tmp_path, store.now)
    with store.engines.reader.connect() as connection:
        assert empty.write_now(lambda unit: copy_into(unit, connection)) == 2
        with empty.engines.reader.connect() as other:
            assert list(compare(other, connection)) == []
            both = [[read_obligation(row) for row in each.execute(select(obligation))] for each in (connection, other)]
    assert both[0] == both[1]
    empty.engines.dispose()
    store.write_now(
        lambda unit: unit.connection.execute(update(obligation).where(obligation.c.id == 2).values(owner="x"))
    )
    (found,) = store.read_now(lambda connection: list(compare(connection)))
    assert (found.obligation, found.column, found.stored, found.folded) == (2, "owner", "x", "anna")


@pytest.mark.parametrize(("reach", "found"), [("50%", (1, 0, 1)), ("51%", (1, 1, 0))])
def test_a_broadcast_is_rehearsed_by_its_coverage(reach: str, found: tuple[int, int, int]) -> None:
    book = book_of(
        '[regulation.news]\ntitle = "News"\nkind = "broadcast"\nwithin = "2 hours"\n'
        f'after = {{ event = "product.published" }}\nreach = "{reach}"\n'
    )
    rehearsal = Rehearsal(book, {"news"})
    published = EventFacts("p1", "product.published", msk("2026-09-14 10:00"))
    for number in (1, 2):
        rehearsal.see(Happening(published.at, a_client(number), event=published))
    told = message(1, "2026-09-14 11:00", "outbound", fields={"event": "p1"})
    rehearsal.see(Happening(told.at, a_client(1), told, conversation=conversation()))
    total = rehearsal.finish(msk("2026-09-15 10:00")).total
    assert (total.met, total.breached, total.cancelled) == found
