"""Questions that are asked for every touch: worked out once for each database, then given to the driver."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Dialect, Select
from sqlalchemy.sql.compiler import SQLCompiler

from storage.driver import Parameters, ask

Convert = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class _Form:
    """A question as one database takes it. `order` is None where parameters go by their names."""

    statement: str
    constants: dict[str, Any]
    converts: dict[str, Convert]
    order: tuple[str, ...] | None
    columns: tuple[str, ...]
    results: tuple[tuple[int, Convert], ...]

    def parameters(self, given: dict[str, Any]) -> Parameters:
        values = dict(self.constants)
        for name, value in given.items():
            convert = self.converts.get(name)
            values[name] = value if convert is None else convert(value)
        return values if self.order is None else tuple([values[name] for name in self.order])


class Prepared:
    """A question with named parameters (`bindparam`), all of which are given each time it is asked.

    It must read the same whatever is asked for: keys travel by `among`, and what is known beforehand by `one_of`, not
    by an expanding `IN`.
    """

    def __init__(self, query: Select[Any], *, locking: bool = False) -> None:
        """`locking`: nobody else changes the rows until the commit (SQLite has one writer anyway)."""
        self._query = query.with_for_update() if locking else query
        self._forms: dict[str, _Form] = {}

    def rows(self, connection: Connection, **given: Any) -> list[tuple[Any, ...]]:
        """The answer, row by row, each value as its column's type has it."""
        form = self._forms.get(connection.dialect.name) or self._work_out(connection.dialect)
        found = ask(connection, form.statement, form.parameters(given))
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
        columns = self._forms[connection.dialect.name].columns
        return [dict(zip(columns, row, strict=True)) for row in rows]

    def _work_out(self, dialect: Dialect) -> _Form:
        compiled = self._query.compile(dialect=dialect)
        assert isinstance(compiled, SQLCompiler)
        if compiled.post_compile_params or compiled.literal_execute_params:
            raise ValueError(f"this question reads otherwise each time it is asked: {compiled}")
        converts: dict[str, Any] = dict(compiled._bind_processors)
        given = {name for name, bind in compiled.binds.items() if bind.required}
        constants = {
            name: converts[name](value) if name in converts else value
            for name, value in compiled.params.items()
            if name not in given
        }
        columns = tuple(entry.name for entry in compiled._result_columns)
        results = [
            (place, entry.type.dialect_impl(dialect).result_processor(dialect, None))
            for place, entry in enumerate(compiled._result_columns)
        ]
        form = _Form(
            compiled.string,
            constants,
            converts,
            tuple(compiled.positiontup) if compiled.positional and compiled.positiontup else None,
            columns,
            tuple((place, convert) for place, convert in results if convert is not None),
        )
        self._forms[dialect.name] = form
        return form
