"""Statements given to the driver itself: what intake asks and writes for every touch.

SQLAlchemy builds these statements and knows their types; what it does anew at each execution (cache keys, contexts,
result objects) costs more than a small statement does. Listeners are told, and errors raised, as by SQLAlchemy.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

Parameters = tuple[Any, ...] | dict[str, Any]
Rows = list[tuple[Any, ...]]


def ask(connection: Connection, statement: str, parameters: Parameters = ()) -> Rows:
    """All rows of an answer, as the driver gives them."""
    return _run_inside(connection, statement, parameters, answers=True)


def tell(connection: Connection, statement: str, parameters: Parameters = ()) -> None:
    """Carry out one statement that answers nothing."""
    _run_inside(connection, statement, parameters, answers=False)


def begin(connection: Connection, statement: str) -> None:
    """Open a transaction in our own words, where SQLAlchemy is about to."""
    _run(connection, statement, (), answers=False)


def _run_inside(connection: Connection, statement: str, parameters: Parameters, *, answers: bool) -> Rows:
    if not connection.in_transaction():
        connection.begin()
    return _run(connection, statement, parameters, answers=answers)


def _run(connection: Connection, statement: str, parameters: Parameters, *, answers: bool) -> Rows:
    driver: Any = connection.connection.driver_connection
    dialect: Any = connection.dialect
    cursor = driver.cursor()
    for listener in connection.dispatch.before_cursor_execute:
        listener(connection, cursor, statement, parameters, None, False)
    try:
        cursor.execute(statement, parameters)
        return cursor.fetchall() if answers else []
    except dialect.loaded_dbapi.Error as error:
        lost = dialect.is_disconnect(error, driver, None)
        raise DBAPIError.instance(
            statement, None, error, dialect.loaded_dbapi.Error, connection_invalidated=lost, dialect=dialect
        ) from error
