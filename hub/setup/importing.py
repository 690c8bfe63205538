"""`touchline import`: definitions into the store, and a report of what came of each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from hub.settings import environment
from hub.setup.crosscheck import Notice, crosscheck
from hub.setup.definition import (
    Change,
    Definition,
    Version,
    compare,
    newest,
    read_versions,
    wait_for_other_writers,
    write_definitions,
)
from hub.setup.kinds import COMPANY
from hub.setup.problem import Problem
from hub.setup.reading import Reading
from hub.setup.secrets import keep_secrets
from hub.setup.snapshot import SetUp, build_setup
from storage.unit import Unit


@dataclass(frozen=True, slots=True)
class Report:
    """What an import did, or would do; `notices` are the imported things that are not in force yet."""

    changes: tuple[tuple[Definition, Change], ...]
    notices: tuple[Problem, ...]

    def count(self, change: Change) -> int:
        """How many definitions went that way."""
        return sum(1 for _, each in self.changes if each is change)

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        by_change = {change.value: [each.name for each, done in self.changes if done is change] for change in Change}
        return {**by_change, "notices": [notice.as_json() for notice in self.notices]}


def preview(connection: Connection, reading: Reading, now: datetime) -> Report:
    """What `take` would do."""
    versions = read_versions(connection)
    reading.definitions = [_with_company(_with_secrets(each, versions), versions) for each in reading.definitions]
    after = _after(versions, reading.definitions, now)
    return Report(tuple(compare(versions, reading.definitions)), _notices(after, reading, now.date()))


def take(unit: Unit, reading: Reading, by: str) -> Report:
    """Write what is new or changed."""
    wait_for_other_writers(unit)
    report = preview(unit.connection, reading, unit.now)
    return Report(tuple(write_definitions(unit, reading.definitions, by)), report.notices)


def _with_secrets(wanted: Definition, versions: list[Version]) -> Definition:
    stored = newest(versions).get((wanted.kind, wanted.key))
    if wanted.kind != "line" or stored is None:
        return wanted
    return replace(wanted, body=keep_secrets(wanted.key, wanted.body, stored.body, environment()))


def _with_company(wanted: Definition, versions: list[Version]) -> Definition:
    """A house has one `[company]`, which several files may each say a part of: what a file leaves out stays.

    An empty text takes a key away again.
    """
    if wanted.kind != COMPANY:
        return wanted
    stored = newest(versions).get((wanted.kind, wanted.key))
    whole = {**(stored.body if stored is not None and not stored.retired else {}), **wanted.body}
    return replace(wanted, body={key: value for key, value in whole.items() if value != ""})


def _after(versions: list[Version], wanted: Iterable[Definition], now: datetime) -> SetUp:
    """The set-up as it would be."""
    last = versions[-1].id if versions else 0
    fresh = [
        Version(
            last + number,
            each.kind,
            each.key,
            0,
            each.body,
            each.digest,
            now,
            "",
            False,
        )
        for number, each in enumerate(wanted, 1)
    ]
    return build_setup([*versions, *fresh])


def _notices(after: SetUp, reading: Reading, today: date) -> tuple[Problem, ...]:
    mine = {(each.kind, each.key) for each in reading.definitions}
    return tuple(_located(notice, reading) for notice in crosscheck(after, today) if (notice.kind, notice.key) in mine)


def _located(notice: Notice, reading: Reading) -> Problem:
    return notice.problem(*reading.place(notice.kind, notice.key, notice.below))
