"""Asks how we did, once the answer that closed the conversation is out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from hub.jobs.worker import Later
from hub.ratings import NotYet, ask
from hub.setup.snapshot import SetUp
from storage.repositories.jobs import Job
from storage.store import Store

_PATIENCE = timedelta(seconds=20)
_MOST_WAITS = 60


class Rate:
    """The handler of `rate` jobs: `{conversation}`."""

    def __init__(self, store: Store, setup: Callable[[], SetUp]) -> None:
        self._store = store
        self._setup = setup

    async def __call__(self, job: Job) -> None:
        setup = self._setup()
        try:
            await self._store.write(lambda unit: ask(unit, setup, job.body["conversation"]))
        except NotYet as error:
            if job.attempts < _MOST_WAITS:
                raise Later("an answer is still on its way", _PATIENCE) from error
