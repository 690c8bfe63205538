"""What the hub tells a telephone exchange: whose extensions there are, and which calls the log holds as not ended."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from channels.contract import OpenCall
from hub.setup.snapshot import SetUp
from storage import models

_LONGEST = timedelta(days=1)
"""No call lasts longer; what is older and was never ended is left to people."""


def extensions_of(setup: SetUp) -> Mapping[str, str]:
    """Extension -> key of the operator."""
    return {one.extension: key for key, one in setup.operators.items() if one.extension}


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
