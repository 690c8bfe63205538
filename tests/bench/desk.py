"""How quick the screens of the desk are with fifty thousand clients, measured at the server's door."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from storage import models
from storage.search import index_clients, index_interactions, words_of
from tests.hub.desk.office import open_office, seed
from tests.hub.desk.visits import Visit, visit
from tests.peers.postgres import Postgres

CLIENTS = 50_000
OPEN = 1_500
_PATHS = (
    "/desk?tab=all&part=list&show=50",
    "/desk?tab=all",
    "/desk?tab=unassigned",
    "/desk?tab=all&category=A&channel=email",
    "/desk/clients",
    "/desk/clients?q=Петренко",
    "/desk/clients/2",
    "/desk/search?q=договор",
    "/desk/search?q=0004711",
    "/desk/tasks",
    "/desk/alerts",
    "/desk/frame?part=bell",
)
_NAMES = ("Иванов", "Петренко", "Kowalski", "Smith", "Сидорова", "Шевченко", "Nowak", "Jones")


def _fill(unit: Any) -> None:
    now = unit.now
    first = unit.take_ids(models.client, CLIENTS)[0]
    talk = unit.take_ids(models.conversation, CLIENTS)[0]
    said = unit.take_ids(models.interaction, CLIENTS)[0]
    promise = unit.take_ids(models.obligation, OPEN)[0]
    numbers = range(CLIENTS)
    names = [f"{_NAMES[n % 8]} {n}" for n in numbers]
    rows = [
        {"id": first + n, "name": names[n], "created_at": now, "category": "ABC"[n % 3], "lifecycle": "current"}
        for n in numbers
    ]
    unit.connection.execute(insert(models.client), rows)
    at = [now - timedelta(minutes=n) for n in numbers]
    unit.connection.execute(
        insert(models.identity),
        [
            {"id": 10_000 + n, "client_id": first + n, "scheme": "phone", "value": f"+7916{n:07}", "added_at": now}
            for n in numbers
        ],
    )
    unit.connection.execute(
        insert(models.conversation),
        [
            {
                "id": talk + n,
                "client_id": first + n,
                "state": "open" if n < OPEN else "solved",
                "subject": f"Вопрос {n}",
                "owner": "anna" if n % 3 == 0 else None,
                "team": "support",
                "channels": ["email"],
                "opened_at": at[n],
                "last_at": at[n],
                "last_inbound_id": said + n,
                "waiting_since": at[n] if n < OPEN else None,
            }
            for n in numbers
        ],
    )
    unit.connection.execute(
        insert(models.interaction),
        [
            {
                "id": said + n,
                "kind": "message",
                "channel": "email",
                "line": "support-mail",
                "direction": "inbound",
                "at": at[n],
                "client_id": first + n,
                "conversation_id": talk + n,
                "text": f"Здравствуйте, это вопрос номер {n} о договоре и доставке",
            }
            for n in numbers
        ],
    )
    unit.connection.execute(
        insert(models.obligation),
        [
            {
                "id": promise + n,
                "regulation": "reaction",
                "version": 1,
                "start_key": f"speed:{n}",
                "slot": "reaction",
                "client_id": first + n,
                "conversation_id": talk + n,
                "state": "running",
                "started": at[n],
                "target": "4 hours",
                "calendar": "always",
                "calendar_version": 1,
                "due": at[n] + timedelta(hours=4),
            }
            for n in range(OPEN)
        ],
    )
    index_clients(unit, [(first + n, words_of(names[n], phones=[f"+7916{n:07}"])) for n in numbers], fresh=True)
    index_interactions(unit, [(said + n, words_of(f"вопрос номер {n} договор доставка")) for n in numbers], fresh=True)


_ROUNDS = 20


def run() -> list[tuple[str, str]]:
    """Best and median time of every screen, on SQLite and on PostgreSQL."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        rows += asyncio.run(_measure(Path(folder) / "home", f"sqlite:///{folder}/desk.db", "SQLite"))
        with Postgres() as postgres:
            rows += asyncio.run(_measure(Path(folder) / "other", postgres.fresh_database(), "PostgreSQL"))
    return rows


async def _measure(home: Path, url: str, name: str) -> list[tuple[str, str]]:
    home.mkdir()
    async with open_office(home, url) as office:
        found = await seed(office)
        await office.store.write(_fill)
        if office.store.dialect == "postgresql":
            await office.store.write(lambda unit: unit.connection.exec_driver_sql("ANALYZE").rowcount)
        async with visit(office, "vera") as visitor:
            paths = (*_PATHS, f"/desk/conversations/{found['vip']}")
            return [(f"{path}, {name}", await _time(visitor, path)) for path in paths]


async def _time(visitor: Visit, path: str) -> str:
    times = []
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        answer = await visitor.get(path)
        times.append((time.perf_counter() - began) * 1000)
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status}")
    return f"{min(times):.0f} ms, median {statistics.median(times):.0f} ms"
