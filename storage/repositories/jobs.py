"""Jobs: what must happen is a row. Claimed by one worker at a time; a dead worker's claim runs out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, delete, insert, or_, select, update

from storage.events import Event
from storage.models import job
from storage.unit import Unit


@dataclass(frozen=True, slots=True)
class Job:
    """A job in a worker's hands. `started` = the outside world may have been touched by an attempt that died."""

    id: int
    kind: str
    body: Mapping[str, Any]
    attempts: int
    started: bool


def add(unit: Unit, kind: str, body: Mapping[str, Any], run_at: datetime | None = None) -> int:
    """Write a job and ring the doorbell after the commit."""
    row = {"kind": kind, "body": dict(body), "run_at": run_at or unit.now, "made_at": unit.now}
    number: int = unit.connection.execute(insert(job).values(**row)).inserted_primary_key[0]  # type: ignore[index]
    unit.emit(Event("job", number, kind))
    return number


def _free(now: datetime) -> Any:
    return and_(job.c.run_at <= now, or_(job.c.claimed_until.is_(None), job.c.claimed_until < now))


def claim(unit: Unit, worker: str, limit: int, lease: timedelta) -> list[Job]:
    """Take due jobs for one worker until the lease is over; other workers pass them by."""
    query = select(job).where(_free(unit.now)).order_by(job.c.run_at).limit(limit)
    if unit.dialect == "postgresql":
        query = query.with_for_update(skip_locked=True)
    rows = unit.connection.execute(query).all()
    if not rows:
        return []
    unit.connection.execute(
        update(job)
        .where(job.c.id.in_([row.id for row in rows]))
        .values(claimed_by=worker, claimed_until=unit.now + lease, attempts=job.c.attempts + 1)
    )
    return [Job(row.id, row.kind, row.body, row.attempts + 1, bool(row.started)) for row in rows]


def mark_started(unit: Unit, number: int, *, started: bool = True) -> None:
    """Note that from now on the outside world may have been touched."""
    unit.connection.execute(update(job).where(job.c.id == number).values(started=int(started)))


def extend(unit: Unit, number: int, lease: timedelta) -> None:
    """The worker is alive and still at it."""
    unit.connection.execute(update(job).where(job.c.id == number).values(claimed_until=unit.now + lease))


def release(unit: Unit, worker: str) -> None:
    """A worker stops: what it had under way is anybody's at once."""
    mine = (job.c.claimed_by == worker) & job.c.claimed_until.is_not(None)
    held = unit.connection.execute(update(job).where(mine).values(claimed_by=None, claimed_until=None)).rowcount
    if held:
        unit.emit(Event("job", 0, "released"))


def finish(unit: Unit, number: int, worker: str) -> None:
    """It happened. A worker whose claim ran out and was taken over has no say any more."""
    unit.connection.execute(delete(job).where(_mine(number, worker)))


def postpone(unit: Unit, number: int, run_at: datetime, error: str, worker: str, *, started: bool | None) -> None:
    """Try again later. `started` None leaves what `mark_started` noted."""
    changes: dict[str, Any] = {"run_at": run_at, "claimed_by": None, "claimed_until": None, "error": error[:4000]}
    if started is not None:
        changes["started"] = int(started)
    unit.connection.execute(update(job).where(_mine(number, worker)).values(**changes))


def _mine(number: int, worker: str) -> Any:
    return and_(job.c.id == number, job.c.claimed_by == worker)


def is_any_due(connection: Connection, now: datetime) -> bool:
    """A cheap look, so that an idle worker never takes the write lock."""
    return connection.execute(select(job.c.id).where(_free(now)).order_by(job.c.run_at).limit(1)).first() is not None
