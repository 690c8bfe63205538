"""The automatic acknowledgement of a line, once per conversation, never to a machine, never in a loop."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import structlog

from channels.touch import Identity
from hub.canned import Occasion, write_automatic
from hub.errors import Refused
from hub.outbound import Outgoing, write_down
from hub.setup.snapshot import SetUp
from hub.ways import read_party, schemes_of
from storage.repositories import intake as rows
from storage.repositories.jobs import Job
from storage.store import Store
from storage.unit import Unit

log = structlog.get_logger(__name__)

QUIET = timedelta(hours=24)
"""A sender gets one acknowledgement in this time, whatever he writes (RFC 3834, section 2)."""


class Acknowledge:
    """The handler of `acknowledge` jobs: `{interaction}`."""

    def __init__(self, store: Store, setup: Callable[[], SetUp]) -> None:
        self._store = store
        self._setup = setup

    async def __call__(self, job: Job) -> None:
        setup = self._setup()
        await self._store.write(lambda unit: acknowledge(unit, setup, job.body["interaction"]))


def acknowledge(unit: Unit, setup: SetUp, number: int) -> int | None:
    """Write the acknowledgement of an interaction down; None when none is due."""
    row = rows.find_interactions(unit, [number]).get(number)
    line = setup.lines.get(row["line"]) if row else None
    if row is None or line is None or not line.acknowledge or not line.sends:
        return None
    to = _sender(row, line.channel)
    if to is None or row["automatic"] or rows.count_automatic_since(unit, str(to), unit.now - QUIET):
        return None
    occasion = Occasion(row["line"], row["client_id"], row["conversation_id"], language=row["language"])
    words = write_automatic(unit.connection, setup, line.acknowledge, occasion, unit.now)
    if words is None:
        log.warning("acknowledgement_has_blanks", line=row["line"], interaction=number)
        return None
    subject = words.subject or row["subject"] or ""
    message = Outgoing(
        line=row["line"],
        client=row["client_id"],
        conversation=row["conversation_id"],
        to=(to,),
        text=words.text,
        operator=None,
        subject=_answering(subject) if line.channel == "email" else None,
        automatic=True,
    )
    try:
        return write_down(unit, setup, message)[1]
    except Refused:  # he wants to hear nothing from us there
        return None


def _answering(subject: str) -> str:
    return subject if subject.lower().startswith("re:") else f"Re: {subject}".strip()


def _sender(row: dict[str, Any], channel: str) -> Identity | None:
    fits = (one for one in read_party(row["party"]) if one.scheme in schemes_of(channel) and not one.odd)
    return next(fits, None)
