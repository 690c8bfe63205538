"""Two workers sweep one PostgreSQL at once, and one of them is killed: everything fires, nothing fires twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select

from routing.engine import decide
from routing.facts import Facts
from routing.ledger import Ledger
from routing.rebuild import compare
from routing.timers import sweep
from storage.models import alert, client, obligation
from storage.store import Store
from storage.unit import Unit

from .world import book_of, conversation, message, msk
from .world import client as a_client

RULES = """
[regulation.reaction]
title = "Answer"
kind = "respond"
within = "4 working hours"
calendar = "office"
storm = { more_than = 100000, within = "5 min" }
"""
BOOK = book_of(RULES)
COUNT = 300
DOOMED = """
    import sys, time
    from pathlib import Path
    from routing.timers import sweep
    from storage.store import Store
    from tests.routing.test_two_workers import BOOK, LATER
    store = Store.open(sys.argv[1], Path(sys.argv[2]), lambda: LATER)
    def work(unit):
        sweep(unit, BOOK, BOOK.roster, 50)
        print("claimed", flush=True)
        time.sleep(60)
    store.write_now(work)
"""
LATER = msk("2026-09-14 14:00:01")


def _fill(store: Store, now: datetime) -> None:
    def work(unit: Unit) -> None:
        rows = [{"id": number, "name": "", "created_at": now} for number in range(1, COUNT + 1)]
        unit.connection.execute(insert(client), rows)
        ledger = Ledger.load(unit, range(1, COUNT + 1), BOOK)
        for number in range(1, COUNT + 1):
            touch = message(number, "2026-09-14 10:00", client=number, conversation=number)
            talk = conversation(number, client=number)
            facts = Facts(now, now, BOOK, BOOK.roster, touch, client=a_client(number), conversation=talk)
            ledger.apply(decide(facts), facts)
        ledger.flush()

    store.write_now(work)


def test_nothing_fires_twice_and_nothing_is_lost(postgres_url: str, tmp_path: Path) -> None:
    store = Store.open(postgres_url, tmp_path, lambda: LATER)
    _fill(store, msk("2026-09-14 10:00"))
    doomed = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(DOOMED), postgres_url, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert doomed.stdout is not None
    assert doomed.stdout.readline() == "claimed\n"

    def work(_: int) -> int:
        done = 0
        while found := store.write_now(lambda unit: sweep(unit, BOOK, BOOK.roster, 20)):
            done += found
        return done

    with ThreadPoolExecutor(2) as pool:
        meanwhile = sum(pool.map(work, range(2)))
    assert meanwhile == COUNT - 50, "what the other one has claimed is passed by"
    doomed.send_signal(signal.SIGKILL)
    doomed.wait()
    doomed.stdout.close()
    left = _until_free(work)
    assert left == 50
    assert not store.read_now(lambda connection: list(compare(connection)))

    def fired(connection: Any) -> Counter[Any]:
        rows = connection.execute(select(alert.c.obligation_id, alert.c.step, alert.c.to))
        return Counter(tuple(row) for row in rows)

    counts = store.read_now(fired)
    assert len(counts) == COUNT
    assert set(counts.values()) == {1}
    states = store.read_now(lambda connection: set(connection.execute(select(obligation.c.state)).scalars()))
    assert states == {"breached"}
    store.engines.dispose()


def _until_free(work: Any) -> int:
    """The server notices a killed client within a moment."""
    done = 0
    for _ in range(200):
        done += work(0)
        if done:
            return done
        signal.sigtimedwait([], 0.05)
    return done
