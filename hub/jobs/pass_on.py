"""Whoever was given a conversation and has not answered it in time loses it to the next who is free."""

from __future__ import annotations

from collections.abc import Callable

from hub.actions.assigning import pass_on
from hub.setup.snapshot import SetUp
from storage.repositories.jobs import Job
from storage.store import Store


class PassOn:
    """Carries out the jobs that `hub.giving.watch` writes: body {conversation, operator}."""

    def __init__(self, store: Store, setup: Callable[[], SetUp]) -> None:
        self._store = store
        self._setup = setup

    async def __call__(self, job: Job) -> None:
        number, operator = int(job.body["conversation"]), str(job.body["operator"])
        await self._store.write(lambda unit: pass_on(unit, self._setup(), number, operator))
