"""The store of one process: its engines, its write lane, its reads in threads and its files."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection

from storage.checkpoints import Checkpoints
from storage.engine import Engines, open_engines
from storage.events import Event
from storage.files import FileStore
from storage.lane import Lane
from storage.schema import prepare
from storage.unit import Unit, open_unit

T = TypeVar("T")


class Store:
    """Open it with `Store.open`; it brings an empty database up to date by itself."""

    def __init__(
        self,
        engines: Engines,
        files: FileStore,
        now: Callable[[], datetime],
        *,
        told: Callable[[tuple[Event, ...]], None] = lambda events: None,
        before_commit: Callable[[Unit], None] | None = None,
    ) -> None:
        self.engines = engines
        self.files = files
        self.now = now
        self.checkpoints = Checkpoints(engines.reader) if engines.dialect == "sqlite" else None
        committed = self.checkpoints.note if self.checkpoints else None
        self.lane = Lane(engines, now, told=told, before_commit=before_commit, committed=committed)
        self._readers = ThreadPoolExecutor(max_workers=4, thread_name_prefix="reader")
        self._quick_readers = ThreadPoolExecutor(max_workers=2, thread_name_prefix="quick-reader")

    @classmethod
    def open(
        cls,
        url: str,
        files: Path,
        now: Callable[[], datetime],
        *,
        told: Callable[[tuple[Event, ...]], None] = lambda events: None,
        before_commit: Callable[[Unit], None] | None = None,
    ) -> Store:
        """Connect and migrate. Blocks; raises what the database raises."""
        engines = open_engines(url)
        prepare(engines)
        return cls(engines, FileStore(files), now, told=told, before_commit=before_commit)

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self.engines.dialect

    def read_now(self, query: Callable[[Connection], T]) -> T:
        """Read in the calling thread, for commands and tests."""
        with self.engines.reader.connect() as connection:
            return query(connection)

    def write_now(self, work: Callable[[Unit], T]) -> T:
        """Write in the calling thread without the lane, for commands and tests."""
        with open_unit(self.engines, self.now()) as unit:
            return work(unit)

    async def read(self, query: Callable[[Connection], T]) -> T:
        """Read in a thread; reads never wait for the lane."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self.read_now, query)

    async def read_at_once(self, query: Callable[[Connection], T]) -> T:
        """Read in a thread that no long question keeps: for small questions whose answer somebody waits for."""
        return await asyncio.get_running_loop().run_in_executor(self._quick_readers, self.read_plainly, query)

    def read_plainly(self, query: Callable[[Connection], T]) -> T:
        """Read in the calling thread. On PostgreSQL each statement is a transaction of its own, which saves the trips
        that open and close one."""
        if self.dialect != "postgresql":
            return self.read_now(query)
        with self.engines.reader.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            return query(connection)

    async def write(self, work: Callable[[Unit], T]) -> T:
        """Write through the lane; returns after the commit."""
        return await self.lane.write(work)

    async def close(self) -> None:
        """Finish what is queued and let go of the database."""
        await asyncio.to_thread(self.lane.close)
        if self.checkpoints is not None:
            await asyncio.to_thread(self.checkpoints.close)
        self._readers.shutdown(wait=True)
        self._quick_readers.shutdown(wait=True)
        self.engines.dispose()
