"""Inserts many rows by one prepared statement.

SQLAlchemy works out statement, defaults and types anew for every row; for the hot tables of intake that is most of the
cost. Here they are worked out once per table, and values are converted column by column: SQLite gets them by the
driver's own executemany, PostgreSQL as one JSON array that it takes apart itself, which spares it a plan for each row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from itertools import repeat
from operator import itemgetter
from typing import Any

import orjson
from sqlalchemy import JSON, Boolean, Column, Connection, Dialect, LargeBinary, Table

Convert = Callable[[Any], Any]
Row = Mapping[str, Any]
Source = Callable[[Sequence[Row]], Iterable[Any]]
_DIALECTS: dict[str, Dialect] = {}


def insert_rows(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows; a column that a row does not name gets its default. A column that the table lacks is an error."""
    if not rows:
        return
    dialect = connection.dialect
    _DIALECTS.setdefault(dialect.name, dialect)
    names = frozenset(rows[0])
    if any(row.keys() != names for row in rows):
        for row in rows:
            insert_rows(connection, table, [row])
        return
    columns, statement, sources = _prepare(table, dialect.name, names)
    values = zip(*[source(rows) for source in sources], strict=False)
    if dialect.name == "postgresql":
        shown = [dict(zip(columns, row, strict=True)) for row in values]
        connection.exec_driver_sql(statement, (orjson.dumps(shown, option=orjson.OPT_NON_STR_KEYS).decode(),))
    else:
        connection.exec_driver_sql(statement, list(values))


@cache
def _prepare(table: Table, dialect_name: str, names: frozenset[str]) -> tuple[list[str], str, list[Source]]:
    """For rows with these keys: the columns to write, the statement, and where the values of each column are from."""
    unknown = names - {column.name for column in table.c}
    if unknown:
        raise KeyError(f"{table.name} has no column {', '.join(sorted(unknown))}")
    dialect = _DIALECTS[dialect_name]
    written = [column for column in table.c if column.name in names or column.default is not None]
    columns = [column.name for column in written]
    sources = [_source(column, _converter(column, dialect), column.name in names) for column in written]
    quoted = ", ".join(map(dialect.identifier_preparer.quote, columns))
    if dialect_name == "postgresql":
        taken = f"SELECT {quoted} FROM json_populate_recordset(CAST(NULL AS {table.name}), CAST(%s AS json))"  # noqa: S608
        return columns, f"INSERT INTO {table.name} ({quoted}) {taken}", sources
    marks = ", ".join("?" * len(columns))
    return columns, f"INSERT INTO {table.name} ({quoted}) VALUES ({marks})", sources  # noqa: S608


def _source(column: Column[Any], convert: Convert | None, named: bool) -> Source:
    if named:
        get = itemgetter(column.name)
        return (lambda rows: map(get, rows)) if convert is None else (lambda rows: map(convert, map(get, rows)))
    default: Any = column.default
    shown = convert or (lambda value: value)
    if default.is_callable:
        return lambda rows: [shown(default.arg(None)) for _ in rows]
    constant = shown(default.arg)
    return lambda rows: repeat(constant)


def _converter(column: Column[Any], dialect: Dialect) -> Convert | None:
    """What makes a value one that the database takes; None for values that are such already."""
    if isinstance(column.type, Boolean):
        return None
    if dialect.name == "postgresql" and isinstance(column.type, LargeBinary):
        return _in_hex
    if isinstance(column.type, JSON):
        return None if dialect.name == "postgresql" else _as_json
    found: Convert | None = column.type.dialect_impl(dialect).bind_processor(dialect)
    return found


def _in_hex(value: bytes | None) -> str | None:
    return None if value is None else rf"\x{value.hex()}"


def _as_json(value: Any) -> str | None:
    if not value:  # most are empty
        if value is None:
            return None
        if isinstance(value, dict):
            return "{}"
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()
