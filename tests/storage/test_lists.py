"""Lists by cursor: every row once, newest first, whatever the filters; a cursor of somebody else's is refused."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, insert

from storage import models
from storage.repositories import alerts, clients, conversations, deliveries, interactions, journal, obligations, tasks
from storage.repositories.paging import BadCursor, Page
from storage.search import index_interactions, words_of
from storage.store import Store
from storage.unit import Unit
from tests.storage.conftest import NOW, empty

Row = dict[str, Any]


def log_row(number: int, at: datetime, **more: Any) -> Row:
    return {
        "id": number,
        "kind": "message",
        "channel": "email",
        "line": "mail",
        "direction": "inbound",
        "at": at,
        "text": f"слово всем {number}",
        "client_id": number % 3 + 1,
        "conversation_id": number % 5 + 1,
        **more,
    }


def write_log(store: Store, rows: list[Row]) -> None:
    def work(unit: Unit) -> None:
        if rows:
            for row in rows:
                unit.connection.execute(insert(models.interaction).values(**row))
            index_interactions(unit, [(row["id"], words_of(row["text"])) for row in rows])

    store.write_now(work)


def walk(store: Store, wanted: interactions.Filter, limit: int) -> list[int]:
    """All pages, one after the other."""
    seen: list[int] = []
    cursor: str | None = None
    while True:

        def read(connection: Any, cursor: str | None = cursor) -> Page[interactions.Interaction]:
            return interactions.list_page(connection, wanted, limit=limit, cursor=cursor)

        page = store.read_now(read)
        assert len(page.items) <= limit
        seen += [one.id for one in page.items]
        cursor = page.next
        if cursor is None:
            return seen


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(minutes=st.lists(st.integers(0, 5), max_size=25), limit=st.integers(1, 7))
def test_every_row_comes_once_and_the_newest_first(store: Store, minutes: list[int], limit: int) -> None:
    store.write_now(empty)
    rows = [log_row(number, NOW + timedelta(minutes=minute)) for number, minute in enumerate(minutes, 1)]
    write_log(store, rows)
    order = [row["id"] for row in sorted(rows, key=lambda row: (row["at"], row["id"]), reverse=True)]
    assert walk(store, interactions.Filter(), limit) == order
    assert walk(store, interactions.Filter(q="слово"), limit) == order
    mine = [number for number in order if number % 3 + 1 == 2]
    assert walk(store, interactions.Filter(client=2), limit) == mine
    assert walk(store, interactions.Filter(client=2, q="сло"), limit) == mine
    late = [row["id"] for row in rows if row["at"] >= NOW + timedelta(minutes=2)]
    found = walk(store, interactions.Filter(since=NOW + timedelta(minutes=2)), limit)
    assert sorted(found) == late


def test_what_comes_in_between_two_pages_shifts_nothing(store: Store) -> None:
    write_log(store, [log_row(number, NOW + timedelta(minutes=number)) for number in range(1, 7)])
    first = store.read_now(lambda c: interactions.list_page(c, interactions.Filter(), limit=3))
    write_log(store, [log_row(7, NOW + timedelta(minutes=30))])
    second = store.read_now(lambda c: interactions.list_page(c, interactions.Filter(), limit=3, cursor=first.next))
    assert [one.id for one in (*first.items, *second.items)] == [6, 5, 4, 3, 2, 1]


def test_common_and_rare_words_are_found_alike(store: Store) -> None:
    rows = [
        log_row(number, NOW + timedelta(minutes=number), text="всем " + ("редкое" if number % 50 == 7 else "иное"))
        for number in range(1, 121)
    ]
    write_log(store, rows)
    assert walk(store, interactions.Filter(q="всем"), 50) == list(range(120, 0, -1))
    assert walk(store, interactions.Filter(q="редкое"), 50) == [107, 57, 7]
    assert walk(store, interactions.Filter(q="всем ред", since=NOW + timedelta(minutes=50)), 50) == [107, 57]


def test_states_of_the_log(store: Store) -> None:
    def work(unit: Unit) -> None:
        values = {"client_id": 1, "opened_at": NOW, "last_at": NOW, "channels": []}
        unit.connection.execute(insert(models.conversation).values(id=1, state="open", **values))
        unit.connection.execute(insert(models.conversation).values(id=2, state="junk", **values))

    store.write_now(work)
    call = {"kind": "call", "conversation_id": None}
    write_log(
        store,
        [
            log_row(1, NOW, conversation_id=1),
            log_row(2, NOW, conversation_id=2),
            log_row(3, NOW, conversation_id=None, quarantined_at=NOW),
            log_row(4, NOW, **call, call={"outcome": "missed"}),
            log_row(5, NOW, **call, call={"outcome": "answered"}),
        ],
    )
    for state, wanted in (
        ("open", [1]),
        ("junk", [2]),
        ("quarantined", [3]),
        ("logged", [5, 4, 2, 1]),
        ("missed", [4]),
        ("answered", [5]),
    ):
        assert walk(store, interactions.Filter(state=state), 2) == wanted, state


def test_conversations_by_state_come_by_their_latest_touch(store: Store) -> None:
    def work(unit: Unit) -> None:
        for number, minute in ((1, 9), (2, 1), (3, 5)):
            last = NOW + timedelta(minutes=minute)
            values = {"client_id": 1, "opened_at": NOW, "last_at": last, "channels": []}
            unit.connection.execute(insert(models.conversation).values(id=number, state="open", **values))

    store.write_now(work)
    everything = store.read_now(lambda c: conversations.list_page(c, conversations.Filter(), limit=2))
    assert [one.id for one in everything.items] == [3, 2]
    opened = conversations.Filter(states=("open",))
    first = store.read_now(lambda c: conversations.list_page(c, opened, limit=2))
    second = store.read_now(lambda c: conversations.list_page(c, opened, limit=2, cursor=first.next))
    assert [one.id for one in (*first.items, *second.items)] == [1, 3, 2]


@pytest.mark.parametrize("cursor", ["x", "", "!!!!", "e30", "WzFd", "WzEsInkiXQ", "W251bGwsbnVsbF0", "9" * 300, "é"])
def test_a_cursor_that_is_none_of_ours_is_refused(store: Store, cursor: str) -> None:
    if not cursor:
        return
    for lister in (
        lambda c: interactions.list_page(c, interactions.Filter(), cursor=cursor),
        lambda c: tasks.list_page(c, tasks.Filter(), cursor=cursor),
    ):
        with pytest.raises(BadCursor):
            store.read_now(lister)


def test_empty_lists_have_no_next(store: Store) -> None:
    pages = (
        store.read_now(lambda c: clients.list_page(c, clients.Filter())),
        store.read_now(lambda c: conversations.list_page(c, conversations.Filter())),
        store.read_now(lambda c: obligations.list_page(c, obligations.Filter(states=obligations.OPEN))),
        store.read_now(lambda c: tasks.list_page(c, tasks.Filter(state="open"))),
        store.read_now(lambda c: alerts.list_page(c, alerts.Filter(to="vera", state="open"))),
        store.read_now(lambda c: deliveries.list_page(c, deliveries.Filter(state="pending"))),
        store.read_now(lambda c: journal.list_page(c, journal.Filter())),
    )
    assert all(page == Page((), None) for page in pages)


def test_the_limit_is_kept_within_bounds(store: Store) -> None:
    write_log(store, [log_row(number, NOW) for number in range(1, 4)])
    assert len(store.read_now(lambda c: interactions.list_page(c, interactions.Filter(), limit=0)).items) == 1
    assert len(store.read_now(lambda c: interactions.list_page(c, interactions.Filter(), limit=10**6)).items) == 3


PLANS = {
    "plain": interactions.Filter(),
    "client": interactions.Filter(client=1),
    "conversation": interactions.Filter(conversation=1),
    "since": interactions.Filter(since=NOW),
}


@pytest.mark.parametrize("opened", ["sqlite"], indirect=True)
@pytest.mark.parametrize("name", PLANS)
def test_sqlite_finds_the_page_by_an_index_without_sorting(opened: Store, name: str) -> None:
    """Sorting means that the whole log is read for one page. (PostgreSQL plans by what a table holds.)"""
    seen: list[str] = []

    def look(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
        seen.extend(row[3] for row in cursor.fetchall())

    event.listen(opened.engines.reader, "before_cursor_execute", look)
    try:
        opened.read_now(lambda c: interactions.list_page(c, PLANS[name]))
    finally:
        event.remove(opened.engines.reader, "before_cursor_execute", look)
    inner = seen[seen.index(next(one for one in seen if "SUBQUERY" in one)) + 1 :]
    assert any("USING" in one and "INDEX" in one for one in inner), seen
    assert not any(one.startswith("SCAN") and "INDEX" not in one for one in inner), seen
