"""What managers are told: rows on the desk at once, pushes by job after quiet hours, storms as one digest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, insert, select, update

from routing.book import RuleBook
from routing.decisions import RaiseAlert
from routing.facts import ObligationFacts
from routing.notices import compose, compose_correction, compose_digest
from storage.events import Event
from storage.models import alert, client, job
from storage.unit import Unit

DIGEST = "digest"
CORRECTED = frozenset(
    {
        "kept_in_time",
        "reached",
        "category",
        "team",
        "calendar",
        "tables",
        "regulation",
        "late_touch",
        "pinned",
        "unpinned",
        "merge",
        "excused",
    }
)
"""Causes for which a told breach is corrected by a message; the others only clear the desk."""


def raise_alerts(
    unit: Unit, book: RuleBook, raised: Sequence[RaiseAlert], obligations: Mapping[int, ObligationFacts]
) -> None:
    """Write alerts; more than a few of one cause to one person become one."""
    groups: dict[tuple[str, str], list[RaiseAlert]] = defaultdict(list)
    for each in raised:
        groups[each.to, each.cause].append(each)
    names = _names(unit, {obligations[each.obligation].client for each in raised})
    earlier = _counts(unit, groups)
    for (to, cause), group in groups.items():
        storm = group[0].storm
        if storm is not None and earlier.get((to, cause), 0) + len(group) > storm[0]:
            _digest(unit, book, to, cause, group, obligations)
        else:
            _single(unit, book, group, obligations, names)


def _names(unit: Unit, clients: Iterable[int]) -> dict[int, str]:
    rows = unit.connection.execute(select(client.c.id, client.c.name).where(client.c.id.in_(sorted(clients))))
    return {number: name for number, name in rows}


def _counts(unit: Unit, groups: Mapping[tuple[str, str], list[RaiseAlert]]) -> dict[tuple[str, str], int]:
    longest = max((group[0].storm[1] for group in groups.values() if group[0].storm), default=0)
    query = (
        select(alert.c.to, alert.c.cause, func.count())
        .where(
            alert.c.to.in_(sorted({to for to, _ in groups})),
            alert.c.cause.in_(sorted({cause for _, cause in groups})),
            alert.c.at > unit.now - timedelta(seconds=longest),
            alert.c.step != DIGEST,
        )
        .group_by(alert.c.to, alert.c.cause)
    )
    return {(to, cause): count for to, cause, count in unit.connection.execute(query)}


def _row(each: RaiseAlert, digest: int | None = None) -> dict[str, Any]:
    return {
        "obligation_id": each.obligation,
        "step": each.step,
        "at": each.at,
        "to": each.to,
        "title": each.title,
        "data": dict(each.data),
        "cause": each.cause,
        "digest_id": digest,
    }


def _insert(unit: Unit, rows: list[dict[str, Any]]) -> list[int]:
    statement = insert(alert).returning(alert.c.id, sort_by_parameter_order=True)
    return list(unit.connection.execute(statement, rows).scalars())


def _single(
    unit: Unit,
    book: RuleBook,
    group: Sequence[RaiseAlert],
    obligations: Mapping[int, ObligationFacts],
    names: Mapping[int, str],
) -> None:
    jobs = []
    for number, each in zip(_insert(unit, [_row(each) for each in group]), group, strict=True):
        o = obligations[each.obligation]
        language = book.roster.language(each.to)
        subject, text = compose(each, o, names.get(o.client, ""), language, book)
        jobs.append(_job(unit, each.to, [number], subject, text, each, o.conversation))
        unit.emit(Event("alert", number, "new", o.client, o.conversation, each.to, o.team))
    _push(unit, jobs)


def _job(
    unit: Unit,
    to: str,
    numbers: list[int],
    subject: str,
    text: str,
    each: RaiseAlert | None = None,
    conversation: int | None = None,
) -> dict[str, Any]:
    body = {"operator": to, "alert": numbers[0], "subject": subject, "text": text, "conversation": conversation}
    run_at = max(each.push_at, unit.now) if each else unit.now
    return {"kind": "notify", "body": body, "run_at": run_at, "made_at": unit.now, "attempts": 0, "started": 0}


def _push(unit: Unit, jobs: list[dict[str, Any]]) -> None:
    if jobs:
        unit.connection.execute(insert(job), jobs)
        unit.emit(Event("job", 0, "notify"))


def _digest(
    unit: Unit,
    book: RuleBook,
    to: str,
    cause: str,
    group: Sequence[RaiseAlert],
    obligations: Mapping[int, ObligationFacts],
) -> None:
    """One alert stands for many: pushed once, its count grows while the storm lasts."""
    storm = group[0].storm
    assert storm is not None
    running = unit.connection.execute(
        select(alert.c.id, alert.c.data)
        .where(
            alert.c.to == to,
            alert.c.cause == cause,
            alert.c.step == DIGEST,
            alert.c.at > unit.now - timedelta(seconds=storm[1]),
            alert.c.acknowledged_at.is_(None),
            alert.c.withdrawn_at.is_(None),
        )
        .order_by(alert.c.id.desc())
        .limit(1)
    ).first()
    if running is not None:
        number, count = running.id, int(running.data.get("count", 0)) + len(group)
        title, _ = compose_digest(group[0].title, count, book.roster.language(to))
        changed = {"title": title, "data": {**running.data, "count": count}}
        unit.connection.execute(update(alert).where(alert.c.id == number).values(**changed))
    else:
        number = _new_digest(unit, book, to, cause, group)
    unit.connection.execute(insert(alert), [_row(each, number) for each in group])
    unit.emit(Event("alert", number, "changed" if running else "new", operator=to))


def _new_digest(unit: Unit, book: RuleBook, to: str, cause: str, group: Sequence[RaiseAlert]) -> int:
    subject, text = compose_digest(group[0].title, len(group), book.roster.language(to))
    row = {
        "obligation_id": None,
        "step": DIGEST,
        "at": unit.now,
        "to": to,
        "title": subject,
        "data": {"count": len(group), "cause": cause},
        "cause": cause,
        "digest_id": None,
    }
    (number,) = _insert(unit, [row])
    _push(unit, [_job(unit, to, [number], subject, text, group[0])])
    return number


def withdraw_alerts(unit: Unit, book: RuleBook, withdrawn: Mapping[int, str]) -> None:
    """Clear the desk of what proved void; who was told of a breach that was none is told so.

    What a digest stands for was told once and is taken back once, when nothing of it is left.
    """
    standing = (alert.c.obligation_id.in_(sorted(withdrawn)), alert.c.withdrawn_at.is_(None))
    columns = (alert.c.id, alert.c.to, alert.c.title, alert.c.data, alert.c.obligation_id, alert.c.digest_id)
    rows = unit.connection.execute(select(*columns).where(*standing)).all()
    if not rows:
        return
    unit.connection.execute(update(alert).where(*standing).values(withdrawn_at=unit.now))
    void = [
        _Void(row.id, row.to, row.title, withdrawn[row.obligation_id], row.data) for row in rows if not row.digest_id
    ]
    inside = [row for row in rows if row.digest_id]
    void += _shrink(unit, book, {row.digest_id: withdrawn[row.obligation_id] for row in inside}, inside)
    unsaid = _recall(unit, {each.number for each in void})
    jobs, told = [], set()
    obligations = {row.id: row.obligation_id for row in rows}
    for each in void:
        unit.emit(Event("alert", each.number, "withdrawn", operator=each.to))
        key = (each.to, obligations.get(each.number, -each.number))
        if each.number in unsaid or key in told or not each.corrected:
            continue
        told.add(key)
        subject, text = compose_correction(each.title, each.cause, book.roster.language(each.to))
        jobs.append(_job(unit, each.to, [each.number], subject, text))
    _push(unit, jobs)


@dataclass(frozen=True, slots=True)
class _Void:
    """An alert, or a digest, that stands for nothing any more."""

    number: int
    to: str
    title: str
    cause: str
    data: Mapping[str, Any]

    @property
    def corrected(self) -> bool:
        """Whether who was told of it must hear that it was none."""
        return self.cause in CORRECTED and self.data.get("what") != "warning"


def _shrink(unit: Unit, book: RuleBook, causes: Mapping[int, str], inside: Sequence[Any]) -> list[_Void]:
    """Digests some of whose alerts proved void count the others; answers those that count none."""
    if not causes:
        return []
    mine = alert.c.digest_id.in_(sorted(causes))
    counted = select(alert.c.digest_id, func.count()).where(mine, alert.c.withdrawn_at.is_(None))
    left = {number: count for number, count in unit.connection.execute(counted.group_by(alert.c.digest_id))}
    samples = {row.digest_id: row for row in inside}
    query = select(alert.c.id, alert.c.to, alert.c.title, alert.c.data).where(
        alert.c.id.in_(sorted(causes)), alert.c.withdrawn_at.is_(None)
    )
    void = []
    for row in unit.connection.execute(query).all():
        sample, here = samples[row.id], alert.c.id == row.id
        if not left.get(row.id):
            unit.connection.execute(update(alert).where(here).values(withdrawn_at=unit.now))
            void.append(_Void(row.id, row.to, row.title, causes[row.id], sample.data))
            continue
        title, _ = compose_digest(sample.title, left[row.id], book.roster.language(row.to))
        unit.connection.execute(update(alert).where(here).values(title=title, data={**row.data, "count": left[row.id]}))
        unit.emit(Event("alert", row.id, "changed", operator=row.to))
    return void


def _recall(unit: Unit, numbers: Set[int]) -> set[int]:
    """Take back pushes that quiet hours still hold; answers the alerts that nobody was told of."""
    columns = job.c
    held = (columns.kind == "notify", columns.run_at > unit.now, columns.claimed_by.is_(None))
    found = {
        row.id: int(row.body["alert"])
        for row in unit.connection.execute(select(columns.id, columns.body).where(*held))
        if row.body.get("alert") in numbers
    }
    if found:
        unit.connection.execute(delete(job).where(columns.id.in_(sorted(found))))
    return set(found.values())


def acknowledge(unit: Unit, number: int, by: str) -> list[int]:
    """Somebody has it. Answers the obligations whose ladder climbs no further (`decide.acknowledged`)."""
    children = (alert.c.id == number) | (alert.c.digest_id == number)
    rows = unit.connection.execute(
        select(alert.c.id, alert.c.obligation_id, alert.c.acknowledged_at).where(children)
    ).all()
    unit.connection.execute(
        update(alert)
        .where(children, alert.c.acknowledged_at.is_(None))
        .values(acknowledged_at=unit.now, acknowledged_by=by)
    )
    _recall(unit, {row.id for row in rows})
    for row in rows:
        unit.emit(Event("alert", row.id, "acknowledged", operator=by))
    return [row.obligation_id for row in rows if row.obligation_id is not None]
