"""Inserts many rows by one prepared statement.

SQLAlchemy works out statement, defaults and types anew for every row; for the hot tables of intake that is most of the
cost. Here they are worked out once per table: the same tables, the same types, the driver's own executemany.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Column, Connection, Dialect, Table

Convert = Callable[[Any], Any]
_DIALECTS: dict[str, Dialect] = {}


def insert_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows; a column that a row does not name gets its default. A column that the table lacks is an error."""
    if not rows:
        return
    dialect = connection.dialect
    _DIALECTS.setdefault(dialect.name, dialect)
    names = frozenset(rows[0])
    statement, fill = _prepare(table, dialect.name, names)
    if any(row.keys() != names for row in rows):
        for row in rows:
            insert_rows(connection, table, [row])
        return
    connection.exec_driver_sql(statement, [fill(row) for row in rows])


@cache
def _prepare(table: Table, dialect_name: str, names: frozenset[str]) -> tuple[str, Callable[[Any], tuple[Any, ...]]]:
    """The statement for rows with these keys, and what turns a row into its parameters."""
    unknown = names - {column.name for column in table.c}
    if unknown:
        raise KeyError(f"{table.name} has no column {', '.join(sorted(unknown))}")
    dialect = _DIALECTS[dialect_name]
    columns = [column for column in table.c if column.name in names or column.default is not None]
    mark = "?" if dialect.paramstyle == "qmark" else "%s"
    quoted = ", ".join(dialect.identifier_preparer.quote(column.name) for column in columns)
    statement = f"INSERT INTO {table.name} ({quoted}) VALUES ({', '.join([mark] * len(columns))})"  # noqa: S608
    plan = [(column.name, _converter(column, dialect), column.name in names, _default(column)) for column in columns]
    given = [(name, convert) for name, convert, named, _ in plan if named]
    if len(given) == len(plan):
        return statement, lambda row: tuple(
            [row[name] if convert is None else convert(row[name]) for name, convert in given]
        )
    return statement, lambda row: tuple(_values(row, plan))


def _values(row: Mapping[str, Any], plan: list[tuple[str, Convert | None, bool, Callable[[], Any]]]) -> list[Any]:
    values = []
    for name, convert, named, default in plan:
        value = row[name] if named else default()
        values.append(value if convert is None else convert(value))
    return values


def _converter(column: Column[Any], dialect: Dialect) -> Convert | None:
    found: Convert | None = column.type.dialect_impl(dialect).bind_processor(dialect)
    return found


def _default(column: Column[Any]) -> Callable[[], Any]:
    default: Any = column.default
    if default is None:
        return lambda: None
    if default.is_callable:
        return lambda: default.arg(None)
    return lambda: default.arg
