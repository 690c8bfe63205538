"""SIGKILL of a hub while messengers call its webhooks: nothing acknowledged is lost, nothing is in the log twice."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import Connection, select

from hub import clock
from storage import models
from storage.store import Store
from tests.flows.crash_webhooks import POINTS, messengers, texts_of
from tests.flows.house import settings_at
from tests.flows.processes import ROOT
from tests.peers.workshop import free_port

DEATHS = [(line, point) for line in messengers() for point in POINTS]
EVERY_TEXT = [text for line, point in DEATHS for text in texts_of(line, point)]


def play(home: Path, url: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.flows.crash_webhooks", str(home), url, str(free_port())]
    return subprocess.run(command, capture_output=True, text=True, timeout=200, cwd=ROOT, check=False)


@pytest.mark.parametrize("durable_url", ["sqlite", "postgresql"], indirect=True)
@pytest.mark.timeout(240)
async def test_killed_before_and_after_the_commit(durable_url: str, tmp_path: Path) -> None:
    done = await asyncio.to_thread(play, tmp_path, durable_url)
    assert done.returncode == 0, f"{done.stdout[-500:]}\n{done.stderr[-4000:]}"
    said = [line.split() for line in done.stdout.splitlines() if line.startswith(("died", "acknowledged"))]
    assert said == [*(["died", *death] for death in DEATHS), ["acknowledged", str(len(DEATHS))]]
    store = Store.open(durable_url, settings_at(tmp_path, durable_url).files, clock.now)
    try:
        store.read_now(_check)
    finally:
        store.engines.dispose()


def _check(connection: Connection) -> None:
    """Every message once, with its raw bytes; each writer one client with one promise; nothing set aside."""
    rows = connection.execute(select(models.interaction).where(models.interaction.c.direction == "inbound")).all()
    assert Counter(row.text for row in rows) == Counter(EVERY_TEXT)
    touches = connection.execute(select(models.touch)).all()
    assert Counter(row.interaction_id for row in touches) == Counter(row.id for row in rows)
    raws = connection.execute(select(models.raw.c.id)).scalars().all()
    assert sorted(raws) == sorted(row.raw_id for row in touches)
    assert len({row.client_id for row in rows}) == len(messengers())
    promises = Counter(row.client_id for row in connection.execute(select(models.obligation)))
    assert promises == Counter({row.client_id: 1 for row in rows})
    assert connection.execute(select(models.set_aside)).all() == []
