"""A million open promises: how soon a thousand that are due at one second fire, and what an idle look costs.

`python -m tests.bench.clock [postgresql://…]`; without an address a SQLite file in a temporary folder.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from time import perf_counter

from sqlalchemy import func, select, text

from hub import clock
from hub.clockwork import Clockwork
from hub.setup.importing import take
from hub.setup.live import LiveSetUp
from hub.setup.reading import read_setup
from routing.timers import next_wake, sweep
from storage.models import clock_event
from storage.models.types import Instant
from storage.store import Store
from storage.unit import Unit
from tests.calendars import ALWAYS
from tests.peers.postgres import Postgres

MANY, FEW, AT_ONCE = 1_000_000, 1_000, 1_000
SETUP = (
    ALWAYS
    + """
[team.support]
title = "Support"
calendar = "always"
lead = "vera"

[operator.vera]
name = "Vera"
role = "supervisor"
teams = ["support"]

[operator.anna]
name = "Anna"
teams = ["support"]

[regulation.reaction]
title = "Four working hours"
kind = "respond"
within = "4 working hours"
calendar = "always"
warn = ["50%"]
"""
)
_NUMBERS = {
    "sqlite": "(WITH RECURSIVE n(i) AS (SELECT :first UNION ALL SELECT i + 1 FROM n WHERE i < :last) SELECT i FROM n)",
    "postgresql": "(SELECT generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) AS i)",
}
_INSERT = """
INSERT INTO obligation (id, regulation, version, start_key, slot, client_id, conversation_id, owner, team, state,
  started, target, calendar, calendar_version, due, pinned, pauses, steps_done, next_at, details)
SELECT i, 'reaction', 1, 'i' || i, 'reaction', i, i, 'anna', 'support', 'running', {started}, '4 working hours',
  'always', 1, {due}, :no, {none}, {done}, {look}, {nothing} FROM {numbers} AS numbers
"""
_KINDS = {"started": "timestamptz", "due": "timestamptz", "look": "timestamptz", "none": "jsonb", "done": "jsonb"}


def fill(store: Store, first: int, last: int, due: datetime) -> None:
    """Open promises by their numbers, all due at one instant; the warning at half time was given."""
    dialect = store.engines.writer.dialect
    write = Instant().bind_processor(dialect)
    values = {
        "first": first,
        "last": last,
        "started": write(due - timedelta(hours=4)),
        "due": write(due),
        "look": write(due + timedelta(microseconds=1)),
        "done": f'["50% alert owner@{due.isoformat()}"]',
        "none": "[]",
        "nothing": "{}",
        "no": False,
    }
    typed = store.dialect == "postgresql"
    kinds = {**_KINDS, "nothing": "jsonb"}
    places = {name: f"CAST(:{name} AS {kind})" if typed else f":{name}" for name, kind in kinds.items()}
    statement = text(_INSERT.format(numbers=_NUMBERS[store.dialect], **places))
    store.write_now(lambda unit: unit.connection.execute(statement, values))


@contextmanager
def opened(url: str | None) -> Iterator[Store]:
    """A store of its own, with the set-up."""
    with tempfile.TemporaryDirectory(prefix="touchline-clock-") as folder:
        store = Store.open(url or f"sqlite:///{Path(folder) / 'clock.db'}", Path(folder), clock.now)
        try:
            store.write_now(lambda unit: take(unit, read_setup([("bench.toml", SETUP)]), "bench"))
            yield store
        finally:
            store.engines.dispose()


async def fire(store: Store, due: datetime) -> float:
    """Let the clockwork run past the instant; answers how many seconds after it the last one was written."""
    store.lane.start()
    clockwork = asyncio.create_task(Clockwork(store, LiveSetUp.open(store)).run())
    began = perf_counter() + (due - clock.now()).total_seconds()
    try:
        while await store.read(_fired) < AT_ONCE:
            await asyncio.sleep(0.01)
            if perf_counter() - began > 60:
                raise RuntimeError("they did not fire")
        return perf_counter() - began
    finally:
        clockwork.cancel()
        await asyncio.gather(clockwork, return_exceptions=True)
        store.lane.close()


def _fired(connection: object) -> int:
    query = select(func.count()).select_from(clock_event).where(clock_event.c.event == "breached")
    return int(connection.execute(query).scalar_one())  # type: ignore[attr-defined]


def idle(store: Store, times: int = 300) -> float:
    """Seconds for one look of a clock that has nothing to do: the wake-up time, and a sweep."""
    setup = LiveSetUp.open(store).current

    def look(unit: Unit) -> float:
        began = perf_counter()
        for _ in range(times):
            next_wake(unit.connection)
            assert sweep(unit, setup.book, setup.book.roster) == 0
        return (perf_counter() - began) / times

    return min(store.write_now(look) for _ in range(5))


def run(say: Callable[[str], None] = lambda _: None) -> list[tuple[str, str]]:
    """Rows of the report: on SQLite, then on PostgreSQL."""
    say("SQLite")
    rows = [(f"SQLite: {name}", figure) for name, figure in measure()]
    say("PostgreSQL")
    with Postgres(durable=True) as postgres:
        rows += [(f"PostgreSQL: {name}", figure) for name, figure in measure(postgres.fresh_database())]
    return rows


def measure(url: str | None = None, many: int = MANY) -> list[tuple[str, str]]:
    """On one database."""
    later = clock.now().replace(microsecond=0) + timedelta(days=30)
    with opened(url) as store:
        fill(store, 1, FEW, later)
        few = idle(store)
        began = perf_counter()
        fill(store, FEW + 1, many, later)
        filled = perf_counter() - began
        store.write_now(lambda unit: unit.connection.execute(text("ANALYZE")))
        lots = idle(store)
        due = clock.now().replace(microsecond=0) + timedelta(seconds=4)
        fill(store, many + 1, many + AT_ONCE, due)
        after = asyncio.run(fire(store, due))
        twice = [number for number, count in store.read_now(_breaches).items() if count > 1]
    return [
        (f"open promises (written in {filled:.0f} s)", f"{many:,}"),
        (f"{AT_ONCE:,} due at one second: all fired after", f"{after:.2f} s"),
        ("fired twice", str(len(twice))),
        (f"an idle look with {FEW:,}", f"{few * 1e6:.0f} µs"),
        (f"an idle look with {many:,}", f"{lots * 1e6:.0f} µs"),
        ("ratio", f"{lots / few:.2f}"),
    ]


def _breaches(connection: object) -> Counter[int]:
    query = select(clock_event.c.obligation_id).where(clock_event.c.event == "breached")
    return Counter(connection.execute(query).scalars())  # type: ignore[attr-defined]


if __name__ == "__main__":
    for name, figure in measure(sys.argv[1] if len(sys.argv) > 1 else None):
        print(f"{name:55} {figure:>12}")
