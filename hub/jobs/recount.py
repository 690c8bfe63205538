"""A broadcast is counted again when somebody proves to have been told in time, portion by portion."""

from __future__ import annotations

from collections.abc import Callable

from hub.setup.snapshot import SetUp
from routing.reach import recount
from storage.repositories import jobs
from storage.repositories.jobs import Job
from storage.store import Store
from storage.unit import Unit


class Recount:
    """Carries out the jobs that the ledger and `announce` write: body {regulation, event, key}."""

    def __init__(self, store: Store, setup: Callable[[], SetUp]) -> None:
        self._store = store
        self._setup = setup

    async def __call__(self, job: Job) -> None:
        await self._store.write(lambda unit: self._recount(unit, job))

    def _recount(self, unit: Unit, job: Job) -> None:
        told = job.body
        if recount(unit, self._setup().book, told["regulation"], told["event"], told["key"]):
            jobs.add(unit, job.kind, told)
