"""With Redis, arq wakes the workers: a job row is the memory, this is only the bell.

arq's worker ends when Redis drops, so it runs under a loop that builds it anew; meanwhile workers look by themselves.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any, cast

import structlog
from arq.connections import ArqRedis, RedisSettings, create_pool
from arq.typing import WorkerCoroutine
from arq.worker import Worker as ArqWorker
from arq.worker import func
from redis.exceptions import RedisError

from storage.events import Event

log = structlog.get_logger(__name__)

QUEUE = "touchline:jobs"
_AGAIN_S = 2.0
_JOB_TIMEOUT_S = 20


class Doorbell:
    """Rings for every job that this process commits."""

    def __init__(self, url: str) -> None:
        self._settings = RedisSettings.from_dsn(url)
        self._pool: ArqRedis | None = None
        self._ringing: asyncio.Task[None] | None = None
        self._again = False

    def ring(self, event: Event) -> None:
        """Called on the loop after a commit; many jobs at once ring once."""
        if event.subject != "job" or event.what == "lost":
            return
        self._again = True
        if self._ringing is None or self._ringing.done():
            self._ringing = asyncio.create_task(self._ring())

    async def _ring(self) -> None:
        while self._again:
            self._again = False
            try:
                if self._pool is None:
                    self._pool = await create_pool(self._settings, default_queue_name=QUEUE, retry=0)
                await self._pool.enqueue_job("ring")
            except (RedisError, OSError) as error:
                log.warning("doorbell_silent", error=repr(error))
                return

    async def close(self) -> None:
        """Let go of Redis."""
        if self._ringing is not None:
            self._ringing.cancel()
            await asyncio.gather(self._ringing, return_exceptions=True)
        if self._pool is not None:
            with contextlib.suppress(RedisError, OSError):
                await self._pool.aclose()


async def answer_bell(url: str, wake: Callable[[], Awaitable[Any]]) -> None:
    """Run arq's worker until cancelled; when Redis is away it is built anew."""

    async def ring(_context: dict[Any, Any]) -> None:
        await wake()

    while True:
        worker = ArqWorker(
            functions=[func(cast(WorkerCoroutine, ring), name="ring", timeout=_JOB_TIMEOUT_S, keep_result=0)],
            redis_settings=RedisSettings.from_dsn(url),
            queue_name=QUEUE,
            handle_signals=False,
            poll_delay=0.2,
            max_jobs=4,
        )
        try:
            await worker.async_run()
        except (RedisError, OSError) as error:
            log.warning("doorbell_lost", error=repr(error))
        finally:
            with contextlib.suppress(RedisError, OSError, AttributeError):
                await worker.close()
        await asyncio.sleep(_AGAIN_S)
