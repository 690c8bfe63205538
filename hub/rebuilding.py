"""Folds the log anew, into an empty database, and holds the result against what is stored.

Interactions are folded from their touches, promises from their histories. Nothing of the real database is changed.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, func, select

from channels.touch import Automatic, Direction, Identity, Kind, Touch
from hub import fold
from routing import rebuild
from storage import models
from storage.store import Store

Told = Callable[[str, int, int], None]
"""Hears what is being done, how far it is, and how far it goes."""

_PORTION = 500
_FOLDED = ("kind", "direction", "at", "ended_at", "subject", "text", "fields", "call", "disposition", "automatic")
_UNTOUCHED = frozenset({"released", "client_chosen"})


@dataclass(frozen=True, slots=True)
class Difference:
    """Where what is stored is not what the log adds up to."""

    subject: str
    id: int
    column: str
    stored: Any
    folded: Any

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "subject": self.subject,
            "id": self.id,
            "column": self.column,
            "stored": _plain(self.stored),
            "folded": _plain(self.folded),
        }


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """How much was folded, and every difference."""

    interactions: int
    obligations: int
    differences: tuple[Difference, ...]

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "interactions": self.interactions,
            "obligations": self.obligations,
            "differences": [each.as_json() for each in self.differences],
        }


def rebuild_all(store: Store, told: Told = lambda what, done, total: None) -> Rebuilt:
    """Fold everything and compare. Blocks."""
    with store.engines.reader.connect() as stored:
        number, found = _rebuild_interactions(stored, told)
        promises, more = _rebuild_obligations(stored, store.now, told)
    return Rebuilt(number, promises, (*found, *more))


def _rebuild_obligations(stored: Connection, now: Callable[[], datetime], told: Told) -> tuple[int, list[Difference]]:
    total = rebuild.count(stored)
    with tempfile.TemporaryDirectory(prefix="touchline-rebuild-") as folder:
        empty = Store.open(f"sqlite:///{Path(folder) / 'empty.db'}", Path(folder), now)
        try:
            done = empty.write_now(
                lambda unit: rebuild.copy_into(unit, stored, lambda count: told("folding promises", count, total))
            )
            found = empty.read_now(lambda folded: list(rebuild.compare(stored, folded)))
        finally:
            empty.engines.dispose()
    return done, [Difference("obligation", each.obligation, each.column, each.stored, each.folded) for each in found]


def _rebuild_interactions(stored: Connection, told: Told) -> tuple[int, list[Difference]]:
    table = models.interaction
    total = int(stored.execute(select(func.count()).select_from(table)).scalar_one())
    found: list[Difference] = []
    after = done = 0
    while rows := stored.execute(select(table).where(table.c.id > after).order_by(table.c.id).limit(_PORTION)).all():
        folded = {number: row for number, row in _folded(stored, [row.id for row in rows])}
        for row in rows:
            found += _compare(row, folded.get(row.id))
        done += len(rows)
        after = rows[-1].id
        told("folding interactions", done, total)
    return done, found


def compare_interactions(stored: Connection) -> list[Difference]:
    """Interactions that are not what their touches add up to."""
    return _rebuild_interactions(stored, lambda what, done, total: None)[1]


def _compare(row: Row[Any], folded: dict[str, Any] | None) -> Iterator[Difference]:
    if folded is None:
        yield Difference("interaction", row.id, "touches", row.id, None)
        return
    for column in _FOLDED:
        mine, theirs = getattr(row, column), folded[column]
        if mine != theirs:
            yield Difference("interaction", row.id, column, mine, theirs)


def _folded(stored: Connection, numbers: list[int]) -> Iterator[tuple[int, dict[str, Any]]]:
    table = models.touch
    query = select(table).where(table.c.interaction_id.in_(numbers)).order_by(table.c.interaction_id, table.c.id)
    for number, touches in groupby(stored.execute(query), key=lambda row: row.interaction_id):
        yield number, fold_touches(list(touches))


def fold_touches(touches: list[Row[Any]]) -> dict[str, Any]:
    """The interaction that its touches, oldest first, add up to."""
    first, *later = touches
    row = fold.begin(_touch(first), "", None, None)
    for name, value in first.body.get("given", {}).items():
        row[name] = datetime.fromisoformat(value) if name == "ended_at" and value else value
    for each in later:
        if each.phase == "amended":
            _amend(row, each.body)
        elif each.phase is not None and each.phase not in _UNTOUCHED:
            row.update(fold.grow(row, _touch(each), None))
    return row


def _amend(row: dict[str, Any], body: dict[str, Any]) -> None:
    merged = {**row["fields"], **(body.get("fields") or {})}
    row["fields"] = {key: value for key, value in merged.items() if value is not None}
    if body.get("disposition") is not None:
        row["disposition"] = body["disposition"] or None
    if body.get("text") is not None:
        row["text"] = body["text"]


def _touch(row: Row[Any]) -> Touch:
    body = row.body
    return Touch(
        row.line,
        row.event_key,
        Kind(body["kind"]),
        Direction(body["direction"]),
        row.at,
        party=tuple(Identity("x", each["identity"]) for each in body.get("party", ())),
        subject=body.get("subject"),
        text=row.text,
        fields=body.get("fields", {}),
        automatic=Automatic(body["automatic"]) if body.get("automatic") else None,
        phase=row.phase,
        call=body.get("call"),
    )


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return value if isinstance(value, str | int | float | bool | dict | list | None) else str(value)
