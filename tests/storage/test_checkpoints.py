"""SQLite's log is brought home beside the lane, and begins anew when it has grown long."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import text

from storage.checkpoints import AT_MOST, Checkpoints
from storage.store import Store
from storage.unit import Unit

PATIENCE = 3000


def open_store(folder: Path) -> Store:
    return Store.open(f"sqlite:///{folder / 'touchline.db'}", folder / "files", lambda: datetime.now(UTC))


def fill(unit: Unit, size: int = 4000) -> None:
    unit.connection.execute(text("INSERT INTO raw (media_type, size, data) VALUES ('x', 1, zeroblob(:n))"), {"n": size})


async def test_what_was_committed_comes_home_without_a_commit_that_does_it(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.lane.start()
    try:
        database = tmp_path / "touchline.db"
        before = database.stat().st_size
        for _ in range(4):
            await asyncio.gather(*(store.write(fill) for _ in range(64)))
        for _ in range(PATIENCE):
            if database.stat().st_size > before + 200 * 4000:
                break
            await asyncio.sleep(0.01)
        assert database.stat().st_size > before + 200 * 4000
    finally:
        await store.close()


async def test_a_log_that_has_grown_long_begins_anew(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.lane.start()
    try:
        size = AT_MOST // 8 * 4096
        await store.write(lambda unit: None)
        for _ in range(24):  # with nobody to bring it home beside the lane: three times what the log may hold
            await store.write(lambda unit: fill(unit, size))
        assert (tmp_path / "touchline.db-wal").stat().st_size < 2 * AT_MOST * 4096
    finally:
        await store.close()


def test_what_others_read_stays_in_the_log_until_they_have_done(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    checkpoints = Checkpoints(store.engines.reader)
    checkpoints.bring_home()
    with store.engines.reader.connect() as reader:
        reader.execute(text("SELECT count(*) FROM raw")).scalar_one()
        store.write_now(fill)
        pages, home = checkpoints.bring_home()
        assert home < pages
    pages, home = checkpoints.bring_home()
    assert home == pages > 0
    store.engines.dispose()
