"""Quick with fifty thousand clients: every screen within its time, measured at the server's door."""

from __future__ import annotations

import statistics
import time
from datetime import timedelta
from typing import Any

from sqlalchemy import insert

from storage import models
from storage.search import index_clients, index_interactions, words_of
from tests.hub.desk.office import Office, seed
from tests.hub.desk.visits import visit

CLIENTS = 50_000
OPEN = 1_500
LIMIT_MS = 50
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


async def test_every_screen_is_quick(any_office: Office) -> None:
    found = await seed(any_office)
    await any_office.store.write(_fill)
    if any_office.store.dialect == "postgresql":
        await any_office.store.write(lambda unit: unit.connection.exec_driver_sql("ANALYZE").rowcount)
    slow: dict[str, float] = {}
    async with visit(any_office, "vera") as visitor:
        for path in (
            "/desk?tab=all&part=list&show=50",
            "/desk?tab=all",
            "/desk?tab=unassigned",
            "/desk?tab=all&category=A&channel=email",
            f"/desk/conversations/{found['vip']}",
            "/desk/clients",
            "/desk/clients?q=Петренко",
            "/desk/clients/2",
            "/desk/search?q=договор",
            "/desk/search?q=0004711",
            "/desk/tasks",
            "/desk/alerts",
            "/desk/frame?part=bell",
        ):
            await visitor.get(path)
            times = []
            while len(times) < 60 and sum(took <= LIMIT_MS for took in times) < 3:  # others share this machine
                began = time.perf_counter()
                answer = await visitor.get(path)
                times.append((time.perf_counter() - began) * 1000)
                assert answer.status == 200
            print(f"{min(times):7.1f} {statistics.median(times):7.1f} ms  {path}")
            if sum(took <= LIMIT_MS for took in times) < 3:
                slow[path] = min(times)
    assert slow == {}
