"""Inserts many rows by one prepared statement.

SQLAlchemy works out statement, defaults and types anew for every row; for the hot tables of intake that is most of the
cost. Here they are worked out once per table. SQLite gets values converted column by column, many rows to a statement:
while it writes them, other threads have the interpreter, which row by row they would not get in time. PostgreSQL gets
one JSON array that it takes apart itself, which spares it a plan for each row and us nearly all conversions, for it
reads instants and nested values as JSON has them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain, repeat
from operator import itemgetter
from typing import Any

import orjson
from sqlalchemy import JSON, Boolean, Column, Connection, Dialect, LargeBinary, Table

from storage.driver import tell
from storage.models.types import Instant
from storage.trailing import trail

Convert = Callable[[Any], Any]
Row = Mapping[str, Any]
Source = Callable[[Sequence[Row]], Iterable[Any]]
_DIALECTS: dict[str, Dialect] = {}
_AT_ONCE = 64
"""Rows in one statement; a power of two, as all sizes are."""


def insert_rows(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows; a column that a row does not name gets its default. A column that the table lacks is an error."""
    if not rows:
        return
    dialect = connection.dialect
    _DIALECTS.setdefault(dialect.name, dialect)
    names = frozenset(rows[0])
    if not _are_alike(rows, names):
        for row in rows:
            insert_rows(connection, table, [row])
    elif dialect.name == "postgresql":
        shape = _shape_on_postgresql(table, names)
        trail(connection, shape.statement, (_as_array(rows, shape),))
    else:
        columns, sources = _shape_on_sqlite(table, names)
        values = list(zip(*[source(rows) for source in sources], strict=False))
        insert_values(connection, f"{table.name} ({', '.join(columns)})", values)


def insert_values(connection: Connection, into: str, values: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows that SQLite takes as they are `into` a table and columns of ours."""
    written = 0
    while written < len(values):
        size = min(1 << (len(values) - written).bit_length() - 1, _AT_ONCE)
        some = values[written : written + size]
        tell(connection, _statement(into, len(some[0]), size), tuple(chain.from_iterable(some)))
        written += size


@cache
def _statement(into: str, columns: int, rows: int) -> str:
    """Of a handful of sizes, so that the driver finds it prepared."""
    row = f"({', '.join('?' * columns)})"
    return f"INSERT INTO {into} VALUES {', '.join([row] * rows)}"  # noqa: S608


def _are_alike(rows: Sequence[Row], names: frozenset[str]) -> bool:
    """Whether all rows name these very columns."""
    return set(map(len, rows)) == {len(names)} and len(names.union(*rows)) == len(names)


def _written(table: Table, names: frozenset[str]) -> list[Column[Any]]:
    """The columns to write for rows that name some."""
    unknown = names - {column.name for column in table.c}
    if unknown:
        raise KeyError(f"{table.name} has no column {', '.join(sorted(unknown))}")
    return [column for column in table.c if column.name in names or column.default is not None]


@dataclass(frozen=True, slots=True)
class _Shape:
    """What rows that name the same columns have in common: how to write them, and what is to be done to them first."""

    statement: str
    instants: tuple[str, ...]
    missing: tuple[tuple[str, Callable[[], Any]], ...]
    converted: tuple[tuple[str, Convert], ...]


@cache
def _shape_on_postgresql(table: Table, names: frozenset[str]) -> _Shape:
    dialect, written = _DIALECTS["postgresql"], _written(table, names)
    quoted = ", ".join(dialect.identifier_preparer.quote(column.name) for column in written)
    taken = f"SELECT {quoted} FROM json_populate_recordset(CAST(NULL AS {table.name}), CAST(%s AS json))"  # noqa: S608
    converters = {
        column.name: convert
        for column in written
        if not isinstance(column.type, Instant) and (convert := _converter(column, dialect)) is not None
    }
    return _Shape(
        f"INSERT INTO {table.name} ({quoted}) {taken}",
        tuple(column.name for column in written if isinstance(column.type, Instant) and column.name in names),
        tuple((column.name, _default(column)) for column in written if column.name not in names),
        tuple(converters.items()),
    )


def _as_array(rows: Sequence[Row], shape: _Shape) -> str:
    for name in shape.instants:
        if any(row[name] is not None and row[name].tzinfo is None for row in rows):
            raise ValueError("an instant needs a time zone")
    if shape.missing:
        rows = [{**row, **{name: make() for name, make in shape.missing}} for row in rows]
    if shape.converted:
        rows = [{**row, **{name: convert(row[name]) for name, convert in shape.converted}} for row in rows]
    return orjson.dumps(rows, option=orjson.OPT_NON_STR_KEYS).decode()


@cache
def _shape_on_sqlite(table: Table, names: frozenset[str]) -> tuple[list[str], list[Source]]:
    """The columns, quoted, and where the values of each are from."""
    dialect, written = _DIALECTS["sqlite"], _written(table, names)
    sources = [_source(column, _converter(column, dialect), column.name in names) for column in written]
    return [dialect.identifier_preparer.quote(column.name) for column in written], sources


def _default(column: Column[Any]) -> Callable[[], Any]:
    default: Any = column.default
    return (lambda: default.arg(None)) if default.is_callable else (lambda: default.arg)


def _source(column: Column[Any], convert: Convert | None, named: bool) -> Source:
    if named:
        get = itemgetter(column.name)
        return (lambda rows: map(get, rows)) if convert is None else (lambda rows: map(convert, map(get, rows)))
    default: Any = column.default
    make, shown = _default(column), convert or (lambda value: value)
    if default.is_callable:
        return lambda rows: [shown(make()) for _ in rows]
    constant = shown(make())
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
