"""The PBX's own records in a database: PostgreSQL, MySQL or MariaDB, SQLite. Only ever read.

An address is `postgresql://user:password@host/database`, `mysql://…` or `sqlite:///path`; `?table=name` where the
table is not called as the kind of record is. Columns are called as Asterisk's modules write them (cdr_adaptive_odbc,
cdr_pgsql, cdr_mysql, cdr_sqlite3_custom, cel_odbc, cel_pgsql, and the realtime table queue_log).
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol
from urllib.parse import SplitResult, parse_qs, quote, unquote, urlsplit, urlunsplit

import psycopg
import pymysql

SCHEMES = ("postgresql", "postgres", "mysql", "mariadb", "sqlite")

_TIMES = {"cdr": ("calldate", "start"), "cel": ("eventtime",), "queue_log": ("time",)}
_EARLIER = timedelta(hours=14 + 24)
"""Times are the PBX's own, whatever its zone; and a row bears the beginning of its call, which may last a day."""
_MOST = 500_000
_CONNECT_S, _READ_S = 5, 30
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*(\.[A-Za-z_][A-Za-z0-9_$]*)?", re.ASCII)


class Away(Exception):
    """The records cannot be read now; the text says why, without any password."""


class _Cursor(Protocol):
    @property
    def description(self) -> Any: ...

    def execute(self, query: Any, values: Any = ..., /) -> Any: ...

    def fetchall(self) -> Any: ...


@dataclass(frozen=True, slots=True)
class Table:
    """One table of records. `kind` is cdr, cel or queue_log."""

    address: str
    kind: str

    @property
    def parts(self) -> SplitResult:
        """The address, taken apart."""
        return urlsplit(self.address)

    @property
    def name(self) -> str:
        """The table's name. Raises `Away` for one that cannot be one."""
        name = parse_qs(self.parts.query).get("table", [self.kind])[0]
        if not _NAME.fullmatch(name):
            raise Away(f"{name!r} is no name of a table")
        return name

    def read(self, since: datetime) -> list[dict[str, Any]]:
        """Rows that may tell of something at `since` or later, oldest first, by lower-case column. Raises `Away`."""
        try:
            with self._cursor() as cursor:
                column, bound = self._bound(cursor, since - _EARLIER)
                mark = "?" if self.parts.scheme == "sqlite" else "%s"
                query = f"SELECT * FROM {self.name} WHERE {column} >= {mark} ORDER BY {column} DESC LIMIT {_MOST}"  # noqa: S608 (checked names)
                cursor.execute(query, (bound,))
                names = [str(one[0]).lower() for one in cursor.description]
                return [dict(zip(names, row, strict=True)) for row in reversed(cursor.fetchall())]
        except (psycopg.Error, pymysql.MySQLError, sqlite3.Error, OSError, ValueError) as error:
            raise Away(_say(error)) from None

    def columns(self) -> list[str]:
        """What its columns are called, in lower case. Raises `Away`."""
        try:
            with self._cursor() as cursor:
                return _columns(cursor, self.name)
        except (psycopg.Error, pymysql.MySQLError, sqlite3.Error, OSError, ValueError) as error:
            raise Away(_say(error)) from None

    def _bound(self, cursor: _Cursor, earliest: datetime) -> tuple[str, str]:
        """By which column, and from which value on."""
        known = _columns(cursor, self.name)
        column = next((one for one in _TIMES[self.kind] if one in known), None)
        if column is None:
            raise Away(f"the table {self.name} has no column {' or '.join(_TIMES[self.kind])}")
        quoted = f"`{column}`" if self.parts.scheme in ("mysql", "mariadb") else f'"{column}"'
        cursor.execute(f"SELECT MAX({quoted}) FROM {self.name}")  # noqa: S608 (checked names)
        ((last,),) = cursor.fetchall()
        if re.match(r"\d+(\.\d+)?$", str(last)):  # seconds of the epoch, as older versions write them
            return quoted, str(int(earliest.timestamp()))
        return quoted, earliest.strftime("%Y-%m-%d %H:%M:%S")

    @contextmanager
    def _cursor(self) -> Iterator[_Cursor]:
        scheme = self.parts.scheme
        if scheme == "sqlite":
            path = f"/{unquote(self.parts.path).lstrip('/')}"
            with closing(sqlite3.connect(f"file:{quote(path)}?mode=ro", uri=True, timeout=_CONNECT_S)) as lite:
                yield lite.cursor()
        elif scheme in ("mysql", "mariadb"):
            with closing(_connect_mysql(self.parts)) as mysql, mysql.cursor() as cursor:
                yield cursor
        else:
            with closing(_connect_postgres(self.parts)) as postgres, postgres.cursor() as cursor:
                yield cursor


def _columns(cursor: _Cursor, table: str) -> list[str]:
    cursor.execute(f"SELECT * FROM {table} WHERE 1 = 0")  # noqa: S608 (checked name)
    return [str(one[0]).lower() for one in cursor.description]


def _connect_postgres(parts: SplitResult) -> psycopg.Connection[Any]:
    plain = urlunsplit(("postgresql", parts.netloc, parts.path, "", ""))
    options = f"-c timezone=UTC -c default_transaction_read_only=on -c statement_timeout={_READ_S}s"
    return psycopg.connect(plain, connect_timeout=_CONNECT_S, options=options, autocommit=True)


def _connect_mysql(parts: SplitResult) -> pymysql.Connection[Any]:
    return pymysql.connect(
        host=parts.hostname or "127.0.0.1",
        port=parts.port or 3306,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        database=unquote(parts.path.lstrip("/")),
        connect_timeout=_CONNECT_S,
        read_timeout=_READ_S,
        charset="utf8mb4",
        autocommit=True,
    )


def _say(error: Exception) -> str:
    """One line; drivers tell names and addresses, never passwords."""
    texts: Sequence[Any] = error.args if isinstance(error, pymysql.MySQLError) else (error,)
    return " ".join(" ".join(str(one) for one in texts).split())[:200] or type(error).__name__


def is_address(value: str) -> bool:
    """A database, and not a file."""
    return value.partition("://")[0] in SCHEMES and "://" in value


Fields = Mapping[str, Any]
