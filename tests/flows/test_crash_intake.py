"""SIGKILL between any two steps of intake: nothing acknowledged is lost, nothing is in the log twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select

from hub import clock
from storage import models
from storage.search import hits
from storage.store import Store
from tests.flows.house import OFFICE, bring, settings_at
from tests.flows.processes import run_child

KEYS = ("lead", "again", "mail", "ring", "end")


both = pytest.mark.parametrize("durable_url", ["sqlite", "postgresql"], indirect=True)


@both
@pytest.mark.timeout(400)
async def test_killed_between_any_two_steps(durable_url: str, tmp_path: Path) -> None:
    settings = settings_at(tmp_path, durable_url)
    await asyncio.to_thread(bring, settings, OFFICE)
    done = await asyncio.to_thread(run_child, "intake", tmp_path, durable_url)
    assert done.returncode == 0, f"{done.stdout[-500:]}\n{done.stderr[-4000:]}"
    runs = [line.split() for line in done.stdout.splitlines()]
    assert len(runs) > 40, "the steps were not counted"
    assert runs[-1][2] == "survived"
    acknowledged = Counter(int(before) for _, before, _ in runs[:-1])
    assert acknowledged[0] > 20
    assert any(0 < count < len(KEYS) for count in acknowledged), "nobody died between two acknowledgements"
    store = Store.open(durable_url, settings.files, clock.now)
    try:
        store.read_now(lambda connection: check(connection, store, len(runs)))
    finally:
        store.engines.dispose()


def check(connection: Connection, store: Store, runs: int) -> None:
    """Every touch once, and all that belongs to it."""
    seen = Counter(row["event_key"] for row in _all(connection, models.touch))
    assert seen == Counter({f"{number} {key}": 1 for number in range(1, runs + 1) for key in KEYS})
    interactions = {row["id"]: row for row in _all(connection, models.interaction)}
    assert len(interactions) == 4 * runs, "a lead, its repeat, a mail and a call each"
    assert _all(connection, models.set_aside) == []
    _check_touches(connection, store, interactions)
    _check_clients(connection, interactions, runs)
    _check_promises(connection, interactions, runs)
    _check_words(connection, store.dialect, interactions, runs)


def _check_touches(connection: Connection, store: Store, interactions: dict[int, Any]) -> None:
    raws = {row["id"]: row for row in _all(connection, models.raw)}
    touches = _all(connection, models.touch)
    assert {row["interaction_id"] for row in touches} == set(interactions)
    used = [row["raw_id"] for row in touches if row["raw_id"] is not None]
    assert len(used) == len(set(used)) == len(raws)
    for raw in raws.values():
        assert (raw["data"] is None) != (raw["path"] is None)
        if raw["path"]:
            assert store.files.read(raw["path"])
    files = _all(connection, models.attachment)
    assert all(store.files.read(one["path"]).startswith(b"plan") for one in files)
    assert Counter(one["interaction_id"] for one in files) == Counter(
        row["interaction_id"] for row in touches if row["event_key"].endswith(" lead")
    )


def _check_clients(connection: Connection, interactions: dict[int, Any], runs: int) -> None:
    clients = {row["id"] for row in _all(connection, models.client)}
    assert len(clients) == 2 * runs
    assert {row["client_id"] for row in interactions.values()} == clients
    identities = Counter((row["scheme"], row["value"]) for row in _all(connection, models.identity))
    assert set(identities.values()) == {1}
    assert len(identities) == 3 * runs
    talks = {row["id"]: row for row in _all(connection, models.conversation)}
    assert {row["conversation_id"] for row in interactions.values()} == set(talks)
    assert all(interactions[row["last_inbound_id"]]["conversation_id"] == row["id"] for row in talks.values())


def _check_promises(connection: Connection, interactions: dict[int, Any], runs: int) -> None:
    promises = _all(connection, models.obligation)
    started = Counter(row["started_by"] for row in promises)
    assert set(started.values()) == {1}
    assert set(started) <= set(interactions)
    forms = {row["id"] for row in interactions.values() if row["kind"] == "form" and row["again_of"] is None}
    assert len(forms) == runs, "a repeated lead is told so, whichever process it meets"
    assert forms <= set(started)
    begun = Counter(row["obligation_id"] for row in _all(connection, models.clock_event) if row["event"] == "applied")
    assert begun == Counter(row["id"] for row in promises)
    assert {row["obligation_id"] for row in _all(connection, models.task)} <= {row["id"] for row in promises}


def _check_words(connection: Connection, dialect: str, interactions: dict[int, Any], runs: int) -> None:
    for number in (1, runs // 2, runs):
        query = hits(dialect, "interaction", f"заявка {number}", 50)
        assert query is not None
        found = connection.execute(query).scalars().all()
        exact = [one for one in found if interactions[one]["text"] == f"Позвоните мне, заявка {number}"]
        assert len(exact) == 1


def _all(connection: Connection, table: Any) -> list[Any]:
    return [dict(row) for row in connection.execute(select(table)).mappings()]
