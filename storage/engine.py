"""Opens the database that an URL names: SQLite (WAL, fsync at every commit) or PostgreSQL through psycopg."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.pool import QueuePool

from storage.checkpoints import AT_MOST
from storage.driver import begin
from storage.trailing import watch


class BadDatabaseUrl(ValueError):
    """The database URL names something that Touchline does not run on."""


@dataclass(frozen=True, slots=True)
class Engines:
    """`writer` is for the lane alone on SQLite; `reader` serves all reads. On PostgreSQL they share one pool."""

    writer: Engine
    reader: Engine
    dialect: str

    def dispose(self) -> None:
        """Close all connections."""
        self.writer.dispose()
        self.reader.dispose()


def read_url(text: str) -> URL:
    """`sqlite:///PATH` or `postgresql://…`; any PostgreSQL spelling becomes psycopg's. Raises `BadDatabaseUrl`."""
    try:
        url = make_url(text)
    except Exception as error:
        raise BadDatabaseUrl(f"{text!r} is no database URL; write sqlite:///PATH or postgresql://…") from error
    if url.drivername in {"postgres", "postgresql", "postgresql+psycopg"}:
        return url.set(drivername="postgresql+psycopg")
    if url.drivername in {"sqlite", "sqlite+pysqlite"}:
        return url
    raise BadDatabaseUrl(f"Touchline runs on SQLite and PostgreSQL, not on {url.drivername!r}")


def _dump(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()


_JSON: dict[str, Any] = {"json_serializer": _dump, "json_deserializer": orjson.loads}


def open_engines(url_text: str, *, readers: int = 4) -> Engines:
    """Open both engines. SQLite's folder is created when missing."""
    url = read_url(url_text)
    if url.get_backend_name() == "sqlite":
        return _open_sqlite(url, readers)
    engine = create_engine(
        url,
        json_serializer=_dump,
        json_deserializer=orjson.loads,
        pool_size=readers + 2,
        max_overflow=4,
        pool_pre_ping=True,
    )
    watch(engine)
    return Engines(engine, engine, "postgresql")


def _open_sqlite(url: URL, readers: int) -> Engines:
    if not url.database or url.database == ":memory:":
        raise BadDatabaseUrl("an in-memory SQLite would forget everything; name a file")
    Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    arguments = {"check_same_thread": False, "timeout": 30.0, "cached_statements": 256}
    writer = create_engine(
        url,
        json_serializer=_dump,
        json_deserializer=orjson.loads,
        connect_args=arguments,
        poolclass=QueuePool,
        pool_size=1,
        max_overflow=2,
    )
    reader = create_engine(
        url,
        json_serializer=_dump,
        json_deserializer=orjson.loads,
        connect_args=arguments,
        poolclass=QueuePool,
        pool_size=readers,
        max_overflow=4,
    )
    event.listen(writer, "connect", _prepare_sqlite)
    event.listen(reader, "connect", _prepare_sqlite)
    event.listen(writer, "begin", lambda connection: begin(connection, "BEGIN IMMEDIATE"))
    event.listen(reader, "begin", lambda connection: begin(connection, "BEGIN"))
    return Engines(writer, reader, "sqlite")


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    """Explicit transactions; a power cut loses no commit (synchronous=FULL)."""
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "busy_timeout=30000",
        "temp_store=MEMORY",
        f"wal_autocheckpoint={AT_MOST}",
        "cache_size=-8000",  # KB for each connection; what lies beyond is in the system's own cache
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
