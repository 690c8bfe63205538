"""Statements that are given for every touch: worked out once for each database, then given to the driver."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Dialect, Select, Update
from sqlalchemy.sql.compiler import SQLCompiler

from storage.driver import Parameters, ask, tell
from storage.trailing import trail

Convert = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class _Form:
    """A statement as one database takes it. `order` is None where parameters go by their names."""

    text: str
    constants: dict[str, Any]
    converts: dict[str, Convert]
    order: tuple[str, ...] | None
    columns: tuple[str, ...]
    record: type[Any]
    results: tuple[tuple[int, Convert], ...]

    def parameters(self, given: Mapping[str, Any]) -> Parameters:
        values = dict(self.constants)
        for name, value in given.items():
            convert = self.converts.get(name)
            values[name] = value if convert is None else convert(value)
        return values if self.order is None else tuple([values[name] for name in self.order])


class _Statement:
    """It must read the same whatever it is given: keys travel by `among`, and what is known beforehand by `one_of`, not
    by an expanding `IN`."""

    def __init__(self, statement: Select[Any] | Update) -> None:
        self._statement = statement
        self._forms: dict[str, _Form] = {}

    def _form(self, dialect: Dialect) -> _Form:
        form = self._forms.get(dialect.name)
        if form is None:
            form = self._forms[dialect.name] = _work_out(self._statement, dialect)
        return form


class Prepared(_Statement):
    """A question with named parameters (`bindparam`), all of which are given each time it is asked."""

    def __init__(self, query: Select[Any], *, locking: bool = False) -> None:
        """`locking`: nobody else changes the rows until the commit (SQLite has one writer anyway)."""
        super().__init__(query.with_for_update() if locking else query)

    def rows(self, connection: Connection, **given: Any) -> list[tuple[Any, ...]]:
        """The answer, row by row, each value as its column's type has it."""
        form = self._form(connection.dialect)
        found = ask(connection, form.text, form.parameters(given))
        if not form.results or not found:
            return found
        read = []
        for row in found:
            values = list(row)
            for place, convert in form.results:
                values[place] = convert(values[place])
            read.append(tuple(values))
        return read

    def mappings(self, connection: Connection, **given: Any) -> list[dict[str, Any]]:
        """The same as dictionaries by the columns' names."""
        rows = self.rows(connection, **given)
        columns = self._form(connection.dialect).columns
        return [dict(zip(columns, row, strict=True)) for row in rows]

    def records(self, connection: Connection, **given: Any) -> list[Any]:
        """The same, each value under its column's name."""
        record = self._form(connection.dialect).record
        return [record(*row) for row in self.rows(connection, **given)]


class PreparedChange(_Statement):
    """A change of one row, made to any number of them; what it answers nobody waits for."""

    def __init__(self, change: Update) -> None:
        super().__init__(change)

    def make(self, connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
        """Once for each of `rows`, which hold all its parameters."""
        form = self._form(connection.dialect)
        run = trail if connection.dialect.name == "postgresql" else tell
        for row in rows:
            run(connection, form.text, form.parameters(row))


def _work_out(statement: Select[Any] | Update, dialect: Dialect) -> _Form:
    compiled = statement.compile(dialect=dialect)
    assert isinstance(compiled, SQLCompiler)
    if compiled.post_compile_params or compiled.literal_execute_params:
        raise ValueError(f"this statement reads otherwise each time it is given: {compiled}")
    converts: dict[str, Any] = dict(compiled._bind_processors)
    constants = {
        name: converts[name](value) if name in converts else value
        for name, value in compiled.params.items()
        if not compiled.binds[name].required
    }
    results = [
        (place, entry.type.dialect_impl(dialect).result_processor(dialect, None))
        for place, entry in enumerate(compiled._result_columns)
    ]
    columns = tuple(entry.name for entry in compiled._result_columns)
    return _Form(
        compiled.string,
        constants,
        converts,
        tuple(compiled.positiontup) if compiled.positional and compiled.positiontup else None,
        columns,
        namedtuple("Record", columns, rename=True),
        tuple((place, convert) for place, convert in results if convert is not None),
    )
