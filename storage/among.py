"""Rows by many keys at once: one statement, prepared once, however many keys there are.

An `IN` with a mark for each key is another statement for every number of keys, and each mark is converted by itself;
worse, PostgreSQL plans it badly once it plans for all times. So the keys travel as one JSON array that the database
takes apart itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson
from sqlalchemy import BigInteger, Column, ColumnElement, Integer, Text, bindparam, or_
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator

KEYS = "keys"
"""The parameter that statements with `among` take: any iterable of texts, or of numbers for a column of numbers."""


class Listed(TypeDecorator[Iterable[Any]]):
    """Texts or numbers as one JSON array."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Iterable[Any] | None, dialect: Dialect) -> str:
        return orjson.dumps(list(value or ())).decode()


class _Keys(FunctionElement[Any]):
    """The given keys as rows."""

    inherit_cache = True
    name = KEYS


class _Numbers(_Keys):
    """The same for numbers."""

    inherit_cache = True


@compiles(_Keys, "sqlite")
def _on_sqlite(element: _Keys, compiler: Any, **options: Any) -> str:
    return f"(SELECT value FROM json_each({compiler.process(element.clauses, **options)}))"  # noqa: S608


@compiles(_Keys, "postgresql")
def _on_postgresql(element: _Keys, compiler: Any, **options: Any) -> str:
    return f"(SELECT json_array_elements_text(CAST({compiler.process(element.clauses, **options)} AS json)))"


@compiles(_Numbers, "postgresql")
def _numbers_on_postgresql(element: _Numbers, compiler: Any, **options: Any) -> str:
    array = compiler.process(element.clauses, **options)
    return f"(SELECT CAST(json_array_elements_text(CAST({array} AS json)) AS bigint))"


def among(column: Column[Any]) -> ColumnElement[bool]:
    """The condition that a column holds one of the `keys` that are given when the statement is run."""
    keys = _Numbers if isinstance(column.type, BigInteger | Integer) else _Keys
    return column.op("IN", is_comparison=True)(keys(bindparam(KEYS, type_=Listed())))


def one_of(column: Column[Any], values: Iterable[Any]) -> ColumnElement[bool]:
    """The condition that a column holds one of a few values, written out."""
    return or_(*(column == value for value in values))
