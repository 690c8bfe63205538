"""An event that concerns every client (a new product) is shown to the regulations of each, portion by portion."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from hub.setup.snapshot import SetUp
from routing.enrolment import announce
from routing.facts import EventFacts
from routing.regulations.broadcast import Regulation as Broadcast
from storage.repositories import jobs
from storage.repositories.jobs import Job
from storage.store import Store
from storage.unit import Unit


class Announce:
    """Carries out the jobs that `hub.actions.events` writes: body {id, event, at, fields, after}.

    A portion that was done before a crash is done again without effect: nothing starts twice from one event.
    """

    def __init__(self, store: Store, setup: Callable[[], SetUp]) -> None:
        self._store = store
        self._setup = setup

    async def __call__(self, job: Job) -> None:
        told = job.body
        event = EventFacts(told["id"], told["event"], datetime.fromisoformat(told["at"]), told["fields"])
        await self._store.write(lambda unit: self._announce(unit, job, event))

    def _announce(self, unit: Unit, job: Job, event: EventFacts) -> None:
        book = self._setup().book
        after = announce(unit, book, event, int(job.body.get("after", 0)))
        if after is not None:
            jobs.add(unit, job.kind, {**job.body, "after": after})
            return
        for rule in book.rules:  # whose due is past already was judged while the others were not counted yet
            if isinstance(rule, Broadcast):
                jobs.add(unit, "recount", {"regulation": rule.key, "event": event.id, "key": rule.key_of(event, 0)})
