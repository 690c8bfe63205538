"""What monitoring asks: alive, ready, and numbers. Nothing here tells a name, a text or a secret."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import structlog
from aiohttp import web
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from sqlalchemy import Connection, func, select, text

from hub.api.numbers import Facts, render
from hub.api.refusal import refuse
from hub.api.serve import answer_json
from hub.composition import HUB
from storage.models import delivery, job, touch
from storage.repositories import lines, obligations
from storage.store import Store

log = structlog.get_logger(__name__)

_PATIENCE_S = 3.0
_KEEP_S = 3.0


def routes() -> list[web.RouteDef]:
    """What every process can answer, also one without a web part."""
    return [
        web.get("/healthz", get_health),
        web.get("/readyz", get_readiness),
        web.get("/metrics", get_metrics),
    ]


async def get_health(request: web.Request) -> web.Response:
    """The process answers."""
    return answer_json({"status": "ok"})


async def get_readiness(request: web.Request) -> web.Response:
    """The database answers, the write lane commits. A line that is down makes a hub no less ready; it is named."""
    hub = request.app[HUB]
    checks = {"database": await _works(hub.store.read(_ask)), "lane": await _works(hub.store.write(lambda unit: None))}
    states: dict[str, str] = {}
    if checks["database"]:
        known = await hub.store.read(lines.read_health)
        states = {key: known[key].state for key in sorted(hub.setup.current.lines) if key in known}
    ready = all(checks.values())
    return answer_json({"status": "ready" if ready else "not_ready", **checks, "lines": states}, 200 if ready else 503)


async def _works(question: Any) -> bool:
    try:
        async with asyncio.timeout(_PATIENCE_S):
            await question
    except Exception as error:
        log.warning("not_ready", error=repr(error))
        return False
    return True


def _ask(connection: Connection) -> None:
    connection.execute(text("SELECT 1")).scalar_one()


async def get_metrics(request: web.Request) -> web.Response:
    """In Prometheus' text format; counted at most every few seconds, however many ask."""
    hub = request.app[HUB]
    kept = _KEPT.setdefault(hub.store, _Kept())
    try:
        if kept.counted is None or time.monotonic() - kept.at > _KEEP_S:
            kept.counted, kept.at = await hub.store.read(_count), time.monotonic()
    except Exception as error:
        log.warning("metrics_failed", error=repr(error))
        return refuse(503, "no_database", "the database does not answer")
    lane = hub.store.lane
    facts = Facts(**kept.counted, lane=lane.figures, lane_waiting=lane.waiting, lane_alive=lane.alive)
    return web.Response(body=render(facts), headers={"Content-Type": CONTENT_TYPE_LATEST})


@dataclass(slots=True)
class _Kept:
    at: float = 0.0
    counted: dict[str, Any] | None = None


_KEPT: WeakKeyDictionary[Store, _Kept] = WeakKeyDictionary()


def _count(connection: Connection) -> dict[str, Any]:
    def last(table: Any) -> int:
        return int(connection.execute(select(func.coalesce(func.max(table.c.id), 0))).scalar_one())

    stuck = select(delivery.c.state, func.count()).where(delivery.c.state.in_(("pending", "unknown", "failed")))
    return {
        "touches": last(touch),
        "messages": last(delivery),
        "deliveries": {state: count for state, count in connection.execute(stuck.group_by(delivery.c.state))},
        "obligations": obligations.count_by_state(connection),
        "jobs": connection.execute(select(func.count()).select_from(job)).scalar_one(),
        "lines": {key: one.state for key, one in lines.read_health(connection).items()},
        "set_aside": lines.count_set_aside(connection),
    }
