"""Writes that nobody waits for: on PostgreSQL they are sent, and work goes on while the server carries them out.

Each statement costs a round trip, in which the lane would stand still. Those that only write are sent one after another
(psycopg's pipeline mode); the next question, the end of a savepoint and the commit wait for them, and raise what went
wrong. Nothing is committed that has not been carried out.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DBAPIError

from storage.driver import Parameters

_UNDER_WAY = "trailing"


def watch(engine: Engine) -> None:
    """Whatever is asked on the engine's connections waits for what trails."""
    event.listen(engine, "before_cursor_execute", lambda connection, *_: settle(connection))
    event.listen(engine, "rollback", _abandon)


def trail(connection: Connection, statement: str, parameters: Parameters) -> None:
    """Send a statement whose answer nobody needs. Raises, as `settle` does, what went wrong with those before it."""
    driver: Any = connection.connection.driver_connection
    with _in_our_words(connection, statement):
        if _UNDER_WAY not in connection.info:
            pipeline: AbstractContextManager[Any] = driver.pipeline()
            pipeline.__enter__()
            connection.info[_UNDER_WAY] = pipeline
        driver.execute(statement, parameters)


def settle(connection: Connection) -> None:
    """Wait until everything that was sent is carried out."""
    pipeline = connection.info.pop(_UNDER_WAY, None)
    if pipeline is not None:
        with _in_our_words(connection, "one that was sent before"):
            pipeline.__exit__(None, None, None)


@contextmanager
def settled(connection: Connection) -> Iterator[None]:
    """Inside a savepoint or a transaction: what was sent there is carried out before it ends."""
    try:
        yield
        settle(connection)
    except BaseException:
        _abandon(connection)
        raise


def _abandon(connection: Connection) -> None:
    """The same where everything that was sent is about to be undone: what went wrong with it does not matter."""
    with suppress(DBAPIError):
        settle(connection)


@contextmanager
def _in_our_words(connection: Connection, statement: str) -> Iterator[None]:
    """The driver's errors as SQLAlchemy would raise them."""
    try:
        yield
    except psycopg.Error as error:
        _abandon(connection)
        lost = connection.dialect.is_disconnect(error, None, None)  # type: ignore[arg-type]
        raise DBAPIError.instance(
            statement, None, error, psycopg.Error, connection_invalidated=lost, dialect=connection.dialect
        ) from error
