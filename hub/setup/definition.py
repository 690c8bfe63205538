"""One definition of the set-up, and the rows in which its versions are kept. Rows are never changed or deleted."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, func, insert, select, text

from storage.events import Event
from storage.models.setup import definition
from storage.unit import Unit

_WRITERS = 0x73657475


@dataclass(frozen=True, slots=True)
class Definition:
    """One table of a set-up file; `places` has the line of every key below it."""

    kind: str
    key: str
    body: dict[str, Any]
    file: str = ""
    line: int = 0

    @property
    def name(self) -> str:
        """As the file writes it: `operator.anna`, `company`."""
        return self.kind if self.kind == self.key else f"{self.kind}.{self.key}"

    @property
    def digest(self) -> str:
        """Equal for equal content, in whatever order it is written."""
        return hashlib.sha256(json.dumps(self.body, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Version:
    """One row."""

    id: int
    kind: str
    key: str
    version: int
    body: dict[str, Any]
    digest: str
    written_at: datetime
    written_by: str
    retired: bool

    @property
    def definition(self) -> Definition:
        """What it says."""
        return Definition(self.kind, self.key, self.body)


class Change(StrEnum):
    """What an import did with a definition."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "same"


def revision(connection: Connection) -> int:
    """Grows with every change; cheap enough to ask every second."""
    return int(connection.execute(select(func.coalesce(func.max(definition.c.id), 0))).scalar_one())


def read_versions(connection: Connection) -> list[Version]:
    """Every version of everything, oldest first."""
    rows = connection.execute(select(definition).order_by(definition.c.id))
    return [
        Version(
            row.id,
            row.kind,
            row.key,
            row.version,
            row.body,
            row.digest,
            row.written_at,
            row.written_by,
            row.retired_at is not None,
        )
        for row in rows
    ]


def newest(versions: Iterable[Version]) -> dict[tuple[str, str], Version]:
    """The last version of each definition, retired ones too."""
    return {(each.kind, each.key): each for each in versions}


def compare(versions: Iterable[Version], wanted: Iterable[Definition]) -> list[tuple[Definition, Change]]:
    """What an import would do."""
    last = newest(versions)
    return [(each, _compare(last.get((each.kind, each.key)), each)) for each in wanted]


def write_definitions(unit: Unit, wanted: Iterable[Definition], by: str) -> list[tuple[Definition, Change]]:
    """Add a version of everything that is new or differs; what is not named stays as it is."""
    wait_for_other_writers(unit)
    last = newest(read_versions(unit.connection))
    done = []
    for each in wanted:
        before = last.get((each.kind, each.key))
        change = _compare(before, each)
        if change is not Change.SAME:
            _add(unit, each, (before.version if before else 0) + 1, by, retired=False)
        done.append((each, change))
    return done


def retire(unit: Unit, kind: str, key: str, by: str) -> bool:
    """Switch something off by a last version that says so; importing it again brings it back. False = nothing to do."""
    wait_for_other_writers(unit)
    before = newest(read_versions(unit.connection)).get((kind, key))
    if before is None or before.retired:
        return False
    _add(unit, before.definition, before.version + 1, by, retired=True)
    return True


def _compare(before: Version | None, wanted: Definition) -> Change:
    if before is None or before.retired:
        return Change.NEW
    return Change.SAME if before.digest == wanted.digest else Change.CHANGED


def _add(unit: Unit, wanted: Definition, version: int, by: str, *, retired: bool) -> None:
    unit.connection.execute(
        insert(definition).values(
            kind=wanted.kind,
            key=wanted.key,
            version=version,
            body=wanted.body,
            digest=wanted.digest,
            written_at=unit.now,
            written_by=by,
            retired_at=unit.now if retired else None,
        )
    )
    unit.emit(Event("setup", wanted.name))


def wait_for_other_writers(unit: Unit) -> None:
    """Row numbers become visible in their order, so that `revision` skips none; SQLite has one writer anyway."""
    if unit.dialect == "postgresql":
        unit.connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _WRITERS})
