"""The unit of work: one open transaction. Nobody else commits."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache

from sqlalchemy import Connection, MetaData, Table

from storage.driver import ask
from storage.engine import Engines
from storage.events import Event
from storage.trailing import settled

_AT_A_TIME = 16


class Unit:
    """One transaction on the write side. `now` is the instant at which it was opened.

    Work inside is plain synchronous code. Events given to `emit` go out after the commit, never before; when the
    transaction (or the savepoint around one piece of work) is rolled back, they are forgotten with it.
    """

    __slots__ = ("_at_a_time", "_events", "_ids", "_spare", "connection", "dialect", "now")

    def __init__(self, connection: Connection, now: datetime) -> None:
        self.connection = connection
        self.now = now
        self.dialect = connection.dialect.name
        self._events: list[Event] = []
        self._ids: dict[str, int] = {}
        self._spare: dict[str, deque[int]] = {}
        self._at_a_time = _AT_A_TIME

    def take_ids(self, table: Table, count: int) -> list[int]:
        """Fresh row numbers, ascending. SQLite's write lock makes the highest number ours; PostgreSQL has sequences."""
        if count == 0:
            return []
        if self.dialect == "postgresql":
            return self._take_from_sequences(table, count)
        if not self._ids:
            self._ids = dict(ask(self.connection, _highest_numbers(table.metadata)))
        last = self._ids[table.name]
        self._ids[table.name] = last + count
        return list(range(last + 1, last + count + 1))

    def _take_from_sequences(self, table: Table, count: int) -> list[int]:
        """Fetched some at a time, and for a batch those of all tables: a gap costs nothing, a round trip does."""
        if len(self._spare.get(table.name, ())) < count:
            self._at_a_time = max(count, self._at_a_time)
            self._fetch(_numbered(table.metadata) if count > 1 and not self._spare else (table.name,))
        spare = self._spare[table.name]
        return [spare.popleft() for _ in range(count)]

    def _fetch(self, names: tuple[str, ...]) -> None:
        columns = ", ".join(f"nextval('{name}_ids')" for name in names)
        query = f"SELECT {columns} FROM generate_series(1, %s)"  # noqa: S608
        found = ask(self.connection, query, (self._at_a_time,))
        for name, numbers in zip(names, zip(*found, strict=True), strict=True):
            self._spare.setdefault(name, deque()).extend(numbers)

    def emit(self, event: Event) -> None:
        """Tell open desks after the commit."""
        self._events.append(event)

    @property
    def events(self) -> tuple[Event, ...]:
        """What will be told."""
        return tuple(self._events)

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Work inside is undone alone when it raises."""
        told = len(self._events)
        try:
            with self.connection.begin_nested(), settled(self.connection):
                yield
        except BaseException:
            del self._events[told:]
            raise


@cache
def _numbered(metadata: MetaData) -> tuple[str, ...]:
    """The tables whose rows we number ourselves."""
    return tuple(
        table.name
        for table in metadata.sorted_tables
        if not table.info.get("fts") and "id" in table.c and table.c.id.autoincrement is False
    )


@cache
def _highest_numbers(metadata: MetaData) -> str:
    """One question for all of them: a transaction of intake needs nine."""
    return " UNION ALL ".join(
        f"SELECT '{name}', coalesce(max(id), 0) FROM {name}"  # noqa: S608
        for name in _numbered(metadata)
    )


@contextmanager
def open_unit(engines: Engines, now: datetime, before_commit: Callable[[Unit], None] | None = None) -> Iterator[Unit]:
    """One transaction: commits at the end, rolls back when anything raises."""
    with engines.writer.begin() as connection:
        unit = Unit(connection, now)
        with settled(connection):
            yield unit
            if before_commit is not None:
                before_commit(unit)
