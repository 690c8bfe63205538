"""Runs jobs: claims rows that are due, a few at a time, each under a time limit; tries again by the error's kind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import secrets
import socket
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

import structlog

from channels.errors import ChannelError, Throttled, Uncertain
from storage.events import Event
from storage.repositories import jobs
from storage.repositories.jobs import Job
from storage.store import Store

log = structlog.get_logger(__name__)

LEASE = timedelta(minutes=3)
TIME_LIMIT = 150.0
_AT_ONCE = 8
_IDLE_S = 5.0
_BACK_OFF_S = (5, 15, 60, 300, 900, 3600, 3600, 7200)
MOST_ATTEMPTS = 40


class GiveUp(Exception):
    """The job can never be done; its handler has written down why."""


class Later(Exception):
    """Try again after a while; `started` = the outside world may have been touched."""

    def __init__(self, reason: str, after: timedelta, *, started: bool = False) -> None:
        super().__init__(reason)
        self.after = after
        self.started = started


Handler = Callable[[Job], Awaitable[None]]


def back_off(attempt: int) -> timedelta:
    """Longer and longer, with jitter so that what failed together does not come back together."""
    seconds = _BACK_OFF_S[min(attempt, len(_BACK_OFF_S)) - 1]
    return timedelta(seconds=seconds * random.uniform(0.8, 1.2))  # noqa: S311 (jitter, not a secret)


class Worker:
    """One per process that works. `ring` wakes it at once; without rings it looks every few seconds."""

    def __init__(self, store: Store, handlers: Mapping[str, Handler]) -> None:
        self._store = store
        self._handlers = handlers
        self._bell = asyncio.Event()
        self._name = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"

    def ring(self, event: Event | None = None) -> None:
        """There may be something to do."""
        if event is None or event.subject == "job":
            self._bell.set()

    async def run(self) -> None:
        """Work until cancelled; what is under way then is anybody's again."""
        running: set[asyncio.Task[None]] = set()
        try:
            while True:
                self._bell.clear()
                room = _AT_ONCE - len(running)
                taken = await self._claim(room) if room else []
                for job in taken:
                    task = asyncio.create_task(self._do(job), name=f"job {job.kind} {job.id}")
                    running.add(task)
                    task.add_done_callback(running.discard)
                    task.add_done_callback(lambda _: self._bell.set())
                if not taken:
                    await self._wait()
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            await self._release()

    async def _release(self) -> None:
        """Let go of what was interrupted; a claim that cannot be released runs out by itself."""
        with contextlib.suppress(Exception):
            await self._store.write(lambda unit: jobs.release(unit, self._name))

    async def sweep(self) -> int:
        """Do everything that is due now, once; how many jobs ran."""
        done = 0
        while taken := await self._claim(_AT_ONCE):
            await asyncio.gather(*(self._do(job) for job in taken))
            done += len(taken)
        return done

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(_IDLE_S):
                await self._bell.wait()
        except TimeoutError:
            return

    async def _claim(self, room: int) -> list[Job]:
        try:
            if not await self._store.read(lambda connection: jobs.is_any_due(connection, self._store.now())):
                return []
            return await self._store.write(lambda unit: jobs.claim(unit, self._name, room, LEASE))
        except Exception as error:  # the database is away for a while: the rows wait
            log.warning("jobs_not_claimed", error=repr(error))
            return []

    async def _do(self, job: Job) -> None:
        """Do one job and write down what came of it. Never raises: what cannot be written is done again later."""
        try:
            error = await self._attempt(job)
            if error is None or isinstance(error, GiveUp):
                await self._store.write(lambda unit: jobs.finish(unit, job.id, self._name))
            else:
                await self._postpone(job, error)
        except Exception as error:  # the database is away for a while: the claim runs out by itself
            log.warning("job_not_settled", kind=job.kind, job=job.id, error=repr(error))

    async def _attempt(self, job: Job) -> Exception | None:
        handler = self._handlers.get(job.kind)
        try:
            if handler is None:
                raise Later(f"this process knows no job {job.kind!r}", timedelta(minutes=5), started=job.started)
            async with asyncio.timeout(TIME_LIMIT):
                await handler(job)
        except GiveUp as error:
            log.warning("job_given_up", kind=job.kind, job=job.id, error=str(error))
            return error
        except Exception as error:
            return error
        return None

    async def _postpone(self, job: Job, error: Exception) -> None:
        after = back_off(job.attempts)
        if isinstance(error, Throttled):
            after = timedelta(seconds=error.retry_after)
        if isinstance(error, Later):
            after = error.after
        if not isinstance(error, ChannelError | Later | TimeoutError):
            log.error("job_failed", kind=job.kind, job=job.id, exc_info=error)
        reason = str(error) or repr(error)
        started = None if _is_uncertain(error) else job.started or (isinstance(error, Later) and error.started)
        await self._store.write(
            lambda unit: jobs.postpone(unit, job.id, unit.now + after, reason, self._name, started=started)
        )


def _is_uncertain(error: Exception) -> bool:
    """May the outside world have been touched? What a channel says of itself is believed, any other error is not."""
    return isinstance(error, Uncertain) or not isinstance(error, ChannelError | Later)
