"""A database that is locked, full or away: nothing is acknowledged, nothing set aside, and coming again is enough."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

from storage import models
from storage.unit import Unit
from tests.flows.house import House, open_house
from tests.peers.postgres import Postgres

LEAD = {"name": "Иван", "email": "ivan@client.example", "message": "Позвоните мне"}


async def post(house: House, key: str, message: str = "Позвоните мне") -> int:
    """The status that a site engine sees."""
    fields, headers = {**LEAD, "message": message}, {"Idempotency-Key": key}
    async with house.http.post(f"{house.address}/forms/contact", data=fields, headers=headers) as answer:
        await answer.read()
        return answer.status


async def is_in_the_log_once(house: House, key: str) -> None:
    await house.row(models.touch, event_key=f"key:{key}")
    assert await house.rows(models.set_aside) == []


async def test_a_locked_database_refuses_and_takes_it_later(tmp_path: Path) -> None:
    database = tmp_path / "touchline.db"
    async with open_house(tmp_path, f"sqlite:///{database}", roles=("web",)) as house:
        await house.store.write(lambda unit: _pragma(unit, "busy_timeout = 200"))
        other = sqlite3.connect(database, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        assert await post(house, "locked") >= 500
        other.execute("ROLLBACK")
        other.close()
        assert await post(house, "locked") == 201
        await is_in_the_log_once(house, "locked")


async def test_a_full_disk_refuses_and_takes_it_later(tmp_path: Path) -> None:
    async with open_house(tmp_path, f"sqlite:///{tmp_path / 'touchline.db'}", roles=("web",)) as house:
        await house.store.write(lambda unit: _pragma(unit, "max_page_count = 1"))  # as many as it has
        long = "много слов " * 5_000
        assert await post(house, "full", long) >= 500
        assert await house.rows(models.interaction) == []
        await house.store.write(lambda unit: _pragma(unit, "max_page_count = 1000000"))
        assert await post(house, "full", long) == 201
        await is_in_the_log_once(house, "full")


async def test_a_database_server_that_dies_and_comes_back(tmp_path: Path, own_postgres: Postgres) -> None:
    async with open_house(tmp_path, own_postgres.fresh_database()) as house:
        assert await post(house, "before") == 201
        await asyncio.to_thread(own_postgres.kill)
        assert await post(house, "during") >= 500
        await asyncio.to_thread(own_postgres.start)

        async def accepted() -> bool:
            return await post(house, "during") == 201

        await house.wait_until("forms are taken again", accepted, 20)
        for key in ("before", "during"):
            await is_in_the_log_once(house, key)
        assert len(await house.rows(models.obligation)) == 1, "the second one repeats the first"


def _pragma(unit: Unit, text: str) -> None:
    unit.connection.exec_driver_sql(f"PRAGMA {text}")
