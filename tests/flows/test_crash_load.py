"""SIGKILL of a whole running hub at random moments, under a load of form posts whose sender repeats what failed."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from pathlib import Path

import pytest
from aiohttp import ClientError, ClientSession, ClientTimeout
from sqlalchemy import Connection, select

from hub import clock
from storage import models
from storage.store import Store
from tests.flows.house import OFFICE, bring, settings_at
from tests.flows.processes import HubProcess

LEADS = 300
KILLS = 3
CALLERS = 12


class Source:
    """A site engine: every lead has its key, and is sent until it is acknowledged."""

    def __init__(self, address: str) -> None:
        self._address = address
        self.waiting = list(range(LEADS))
        self.acknowledged: dict[int, int] = {}
        self.again = 0
        self._closing = False

    async def send_all(self) -> None:
        async with ClientSession(timeout=ClientTimeout(20)) as http:
            await asyncio.gather(*(self._call(http) for _ in range(CALLERS)))

    async def _call(self, http: ClientSession) -> None:
        while self.waiting:
            lead = self.waiting.pop(0)
            try:
                await self._send(http, lead)
            except (ClientError, OSError, TimeoutError):
                self.waiting.append(lead)
                await asyncio.sleep(0.05)

    async def _send(self, http: ClientSession, lead: int) -> None:
        fields = {"name": f"Visitor {lead}", "phone": f"+7916{lead:07d}", "message": f"lead number {lead}"}
        headers = {"Idempotency-Key": f"lead-{lead}"}
        async with http.post(f"{self._address}/forms/contact", data=fields, headers=headers) as answer:
            told = await answer.json()
            assert answer.status == 201, told
            assert lead not in self.acknowledged
            self.acknowledged[lead] = told["interaction"]
            self.again += told["again"]
        if len(self.acknowledged) % 10 == 0:
            await asyncio.sleep(0.03)


@pytest.mark.parametrize("durable_url", ["sqlite", "postgresql"], indirect=True)
@pytest.mark.timeout(400)
async def test_killed_at_random_moments_under_load(durable_url: str, tmp_path: Path) -> None:
    settings = settings_at(tmp_path, durable_url)
    await asyncio.to_thread(bring, settings, OFFICE)
    hub = HubProcess("run", tmp_path, database_url=durable_url)
    await asyncio.to_thread(hub.start)
    source = Source(hub.address)
    sending = asyncio.create_task(source.send_all())
    moments = random.Random()
    died_at = []
    try:
        for _ in range(KILLS):
            goal = len(source.acknowledged) + moments.randrange(5, LEADS // (KILLS + 1))
            while len(source.acknowledged) < goal and not sending.done():
                await asyncio.sleep(0.002)
            await asyncio.sleep(moments.uniform(0, 0.02))
            died_at.append(len(source.acknowledged))
            await asyncio.to_thread(hub.kill)
            await asyncio.to_thread(hub.start)
        await asyncio.wait_for(sending, 60)
    finally:
        sending.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await sending
        await asyncio.to_thread(hub.stop)
    assert len(source.acknowledged) == LEADS, died_at
    store = Store.open(durable_url, settings.files, clock.now)
    try:
        store.read_now(lambda connection: _check(connection, source))
    finally:
        store.engines.dispose()


def _check(connection: Connection, source: Source) -> None:
    touches = {row.event_key: row.interaction_id for row in connection.execute(select(models.touch))}
    assert touches == {f"key:lead-{lead}": interaction for lead, interaction in source.acknowledged.items()}
    interactions = connection.execute(select(models.interaction)).all()
    assert len(interactions) == LEADS
    assert len({row.client_id for row in interactions}) == LEADS
    promises = Counter(row.started_by for row in connection.execute(select(models.obligation)))
    assert promises == Counter(source.acknowledged.values())
    for table in (models.client, models.identity, models.conversation, models.raw, models.task):
        assert len(connection.execute(select(table.c.id)).all()) == LEADS, table.name
