"""Appends to the log what people do: it takes the same road as what channels hear, inside the act's transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import update

from channels.touch import Kind, Touch
from hub import fold
from hub.arrival import Arrival
from hub.batch import Batch
from hub.setup.snapshot import SetUp
from storage.models import attachment
from storage.unit import Unit

Row = dict[str, Any]


def append(
    unit: Unit,
    setup: SetUp,
    touch: Touch,
    *,
    client: int | None = None,
    files: Sequence[int] = (),
    columns: Mapping[str, Any] | None = None,
) -> Row:
    """One touch into the log; answers its interaction's row.

    `client` says whose it is; without one the party is asked, as for any touch. `files` are attachments kept before.
    `columns` overrides what the line says about the interaction (team, channel, disposition, when it ended).
    """
    arrival = Arrival(touch)
    batch = Batch(unit, setup, [arrival])
    batch.skip_what_was_seen()
    batch.find_what_it_belongs_to()
    arrival.row.update(columns or {})
    arrival.given = {name: _plain(value) for name, value in (columns or {}).items() if name in fold.GIVEN}
    arrival.row["has_files"] = bool(files)
    if client is not None:
        arrival.row["client_id"] = client
    else:
        batch.find_whose_it_is()
    if touch.kind is not Kind.NOTE or touch.thread is not None:
        batch.place_in_conversations()
    batch.judge()
    batch.write()
    if files:
        keep = {"interaction_id": arrival.row["id"], "uploaded_by": None}
        unit.connection.execute(update(attachment).where(attachment.c.id.in_(files)).values(**keep))
    return arrival.row


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
