"""The automatic acknowledgement of a line: once per conversation, never to a machine, never in a loop."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from channels.touch import Identity
from hub.outbound import Outgoing, write_down
from hub.setup.snapshot import SetUp
from hub.setup.titles import say
from storage.repositories import intake as rows
from storage.repositories.jobs import Job
from storage.store import Store
from storage.unit import Unit

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
    to = _sender(row)
    if to is None or row["automatic"] or rows.count_automatic_since(unit, str(to), unit.now - QUIET):
        return None
    text = say(line.acknowledge, row["language"] or setup.company.languages[0], setup.company.languages[0])
    subject = row["subject"] or ""
    message = Outgoing(
        line=row["line"],
        client=row["client_id"],
        conversation=row["conversation_id"],
        to=(to,),
        text=text,
        operator=None,
        subject=subject if subject.lower().startswith("re:") else f"Re: {subject}".strip(),
        automatic=True,
    )
    return write_down(unit, setup, message)[1]


def _sender(row: dict[str, Any]) -> Identity | None:
    for one in row["party"]:
        scheme, _, value = one["identity"].partition(":")
        if scheme == "email" and not one.get("odd"):
            return Identity(scheme, value, one.get("name"))
    return None
