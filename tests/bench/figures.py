"""How quick the figures are with a million interactions of a year, and the live board beside them."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from hub import clock
from hub.metrics.live import read_board
from hub.metrics.reading import Part, read_report
from hub.setup.importing import take
from hub.setup.reading import read_setup
from hub.setup.snapshot import load_setup
from storage.repositories.figures import Span
from storage.store import Store
from storage.unit import Unit
from tests.hub.office import SETUP
from tests.peers.postgres import Postgres

INTERACTIONS = 1_000_000
DAYS = 365
SPANS: tuple[tuple[str, int, Part | None], ...] = (
    ("a day by hour", 1, "hour"),
    ("30 days by day", 30, "day"),
    ("30 days by operator", 30, "operator"),
    ("a year by day", DAYS, "day"),
)
_AGAIN = 3
Say = Callable[[str], None]

# Half are calls, a quarter mails, a quarter their answers. Each mail begins a conversation and a promise.
_NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {many})"
_LEGS = '[{"operator":"anna","extension":"101","rang_at":null,"answered_at":null,"ended_at":null,"result":"answered"}]'
_CALL = (
    """'{"outcome":"' || CASE WHEN i % 9 = 0 THEN 'missed","reason":"abandoned' ELSE 'answered' END"""
    """ || '","wait_s":' || (i % 60) || '.123,"talk_s":' || (i % 600) || '.5,"hold_s":3,"wrap_s":20,"""
    f""""queue":"support","legs":{_LEGS},"from":"+442079460101","to":"+442079460999","ended_by":"caller"}}'"""
)
_INTERACTIONS = f"""INSERT INTO interaction (id, kind, channel, line, direction, at, ended_at, client_id,
conversation_id, operator, team, text, fields, field_marks, origin, party, has_files, call) {_NUMBERS}
SELECT i + 1, CASE WHEN i % 4 < 2 THEN 'call' ELSE 'message' END,
CASE WHEN i % 4 < 2 THEN 'asterisk' ELSE 'email' END, CASE WHEN i % 4 < 2 THEN 'pbx' ELSE 'support-mail' END,
CASE WHEN i % 4 = 3 THEN 'outbound' ELSE 'inbound' END,
{{at}}, {{at}}, 1, CASE WHEN i % 4 = 2 THEN i WHEN i % 4 = 3 THEN i - 1 END,
CASE WHEN i % 4 = 2 OR (i % 4 < 2 AND i % 9 = 0) THEN NULL WHEN i % 3 = 0 THEN 'anna' ELSE 'boris' END, 'support',
'Здравствуйте, это вопрос о договоре и о доставке, и ещё несколько слов', {{nothing}}, {{nothing}}, {{nothing}},
{{nobody}}, {{false}}, CASE WHEN i % 4 < 2 THEN {{call}} END FROM n"""
_TALKS = f"""INSERT INTO conversation (id, client_id, state, team, channels, opened_at, last_at, version) {_NUMBERS}
SELECT i, 1, 'solved', 'support', {{nobody}}, {{at}}, {{at}}, 1 FROM n WHERE i % 4 = 2"""
_PROMISES = f"""INSERT INTO obligation (id, regulation, version, start_key, slot, client_id, conversation_id,
started_by, owner, team, state, started, target, calendar, calendar_version, due, pinned, pauses, steps_done,
details, breached_at)
{_NUMBERS} SELECT i, 'reaction', 1, CAST(i AS VARCHAR(20)), 'reaction', 1, i, i + 1, 'anna', 'support',
CASE WHEN i % 5 = 0 THEN 'breached' ELSE 'met' END, {{at}}, '4 hours', 'always', 1, {{at}}, {{false}}, {{nobody}},
{{nobody}}, {{nothing}}, CASE WHEN i % 5 = 0 THEN {{at}} END FROM n WHERE i % 4 = 2"""
# Three hundred thousand pieces of telephones' time: twenty operators, so many of them ready that nobody calls.
_TIME = f"""INSERT INTO phone_time (line, extension, since, operator, kind, seconds) {_NUMBERS}
SELECT 'pbx', CAST(101 + i % 20 AS VARCHAR(9)), {{at}}, 'op' || (i % 20),
CASE WHEN i % 3 = 0 THEN 'talk' WHEN i % 7 = 0 THEN 'wrap_up' ELSE 'ready' END, 60.5 FROM n WHERE i % 3 = 0"""


def run(say: Say) -> list[tuple[str, str]]:
    """On both databases."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        rows += _measure("SQLite", f"sqlite:///{folder}/touchline.db", Path(folder), say)
    with tempfile.TemporaryDirectory() as folder, Postgres() as server:
        rows += _measure("PostgreSQL", server.fresh_database(), Path(folder), say)
    return rows


def _measure(database: str, url: str, folder: Path, say: Say) -> list[tuple[str, str]]:
    store = Store.open(url, folder / "files", clock.now)
    try:
        store.write_now(lambda unit: take(unit, read_setup([("bench.toml", SETUP)]), "bench"))
        say(f"a million rows for {database}")
        store.write_now(_fill)
        with store.engines.writer.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("ANALYZE")
        setup, now = store.read_now(load_setup), store.now()
        rows = []
        for name, days, by in SPANS:
            say(f"{name}, {database}")
            span = Span(now - timedelta(days=days), now)
            took, found = _best(store, lambda c, span=span, by=by: read_report(c, setup, span, by, now))  # type: ignore[misc]
            counted = found.total.touches
            rows.append(
                (f"{name}, {database}", f"{took * 1000:,.0f} ms for {counted.inbound + counted.outbound:,} rows")
            )
        took, _ = _best(store, lambda connection: read_board(connection, setup, now))
        rows.append((f"the board, {database}", f"{took * 1000:,.0f} ms"))
        return rows
    finally:
        store.engines.dispose()


def _best(store: Store, query: Callable[[Connection], Any]) -> tuple[float, Any]:
    times = []
    for _ in range(_AGAIN):
        began = time.perf_counter()
        found = store.read_now(query)
        times.append(time.perf_counter() - began)
    return min(times), found


def _fill(unit: Unit) -> None:
    began: datetime = unit.now - timedelta(days=DAYS)
    second = f"{began.timestamp():.0f} + i * {DAYS * 86400 / INTERACTIONS}"
    if unit.connection.dialect.name == "sqlite":
        at = f"strftime('%Y-%m-%dT%H:%M:%S', {second}, 'unixepoch') || '.000000+00:00'"
        words = {"at": at, "call": _CALL, "nothing": "'{}'", "nobody": "'[]'", "false": "0"}
    else:
        words = {"at": f"to_timestamp({second})", "call": f"CAST({_CALL} AS JSONB)", "false": "false"}
        words |= {"nothing": "'{}'::jsonb", "nobody": "'[]'::jsonb"}
    for statement in (_INTERACTIONS, _TALKS, _PROMISES, _TIME):
        unit.connection.execute(text(statement.format(many=INTERACTIONS, **words).replace(":", r"\:")))
