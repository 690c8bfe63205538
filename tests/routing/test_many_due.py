"""A thousand promises due at one second, among many that are not: each fires once, in as many looks as it takes."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from sqlalchemy import func, insert, select

from routing.timers import next_wake, sweep
from storage.models import alert, obligation
from storage.store import Store
from storage.unit import Unit

from .world import book_of, msk

BOOK = book_of('[regulation.r]\ntitle = "R"\nkind = "respond"\nwithin = "4 working hours"\ncalendar = "office"\n')
DUE = msk("2026-09-14 14:00")


def _fill(unit: Unit) -> None:
    def row(number: int) -> dict[str, object]:
        due = DUE if number <= 1000 else DUE + timedelta(days=3, seconds=number)
        return {
            "id": number,
            "regulation": "r",
            "version": 1,
            "start_key": f"i{number}",
            "slot": "reaction",
            "client_id": number,
            "state": "running",
            "started": DUE - timedelta(hours=4),
            "target": "4 working hours",
            "calendar": "office",
            "calendar_version": 1,
            "due": due,
            "next_at": due + timedelta(microseconds=1),
        }

    unit.connection.execute(insert(obligation), [row(number) for number in range(1, 5001)])


def test_a_thousand_due_at_once_each_fire_once(database_url: str, tmp_path: Path) -> None:
    now = [DUE]
    store = Store.open(database_url, tmp_path, lambda: now[0])
    store.write_now(_fill)
    assert store.write_now(lambda unit: sweep(unit, BOOK, BOOK.roster, 500)) == 0
    now[0] = DUE + timedelta(seconds=1)
    done = []
    while found := store.write_now(lambda unit: sweep(unit, BOOK, BOOK.roster, 500)):
        done.append(found)
    assert done == [500, 500]
    wake = store.read_now(next_wake)
    assert wake is not None
    assert wake > now[0]
    count = select(func.count()).where(alert.c.step != "digest")
    assert store.read_now(lambda connection: connection.execute(count).scalar()) == 1000
    store.engines.dispose()
