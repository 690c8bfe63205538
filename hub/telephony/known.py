"""What the hub tells a telephone exchange: whose extensions there are, and which calls the log holds as not ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from channels.contract import OpenCall
from hub.setup.snapshot import SetUp
from storage import models

_LONGEST = timedelta(days=1)
"""No call lasts longer; what is older and was never ended is left to people."""


class Extensions:
    """Extension -> key of the operator, as the set-up has them now. Asked for every event of an exchange, so that it is
    put together only when the set-up changes."""

    def __init__(self, current: Callable[[], SetUp]) -> None:
        self._current = current
        self._of: SetUp | None = None
        self._known: Mapping[str, str] = {}

    def __call__(self) -> Mapping[str, str]:
        setup = self._current()
        if setup is not self._of:
            self._known = {one.extension: key for key, one in setup.operators.items() if one.extension}
            self._of = setup
        return self._known


def find_open_calls(connection: Connection, line: str, now: datetime) -> list[OpenCall]:
    """The calls of a line that began lately and have no end yet."""
    table = models.interaction
    query = select(table.c.external_id, table.c.at, table.c.direction, table.c.call).where(
        table.c.line == line,
        table.c.kind == "call",
        table.c.at > now - _LONGEST,
        table.c.ended_at.is_(None),
        table.c.external_id.is_not(None),
    )
    return [OpenCall(row.external_id, row.at, row.direction, row.call or {}) for row in connection.execute(query)]
