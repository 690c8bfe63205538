"""Finds what an act is about, or says that there is no such thing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Table, select, update

from hub.errors import BadInput, NotFound
from hub.setup.problem import suggest
from hub.setup.snapshot import SetUp
from storage import models
from storage.unit import Unit

Row = dict[str, Any]

_LARGEST = 2**63 - 1


def _(message: str) -> str:
    """Marks a message for the catalogs."""
    return message


_MISSING = {
    "attachment": _("there is no attachment %(number)s"),
    "client": _("there is no client %(number)s"),
    "conversation": _("there is no conversation %(number)s"),
    "interaction": _("there is no interaction %(number)s"),
    "merge": _("there is no merge %(number)s"),
    "obligation": _("there is no obligation %(number)s"),
    "task": _("there is no task %(number)s"),
}


def missing(table: Table) -> str:
    """What is said when a row is not there; `%(number)s` stands for its number."""
    return _MISSING.get(table.name, f"there is no {table.name} %(number)s")


def find_row(unit: Unit, table: Table, number: int) -> Row:
    """One row, locked until the commit. Raises `NotFound`."""
    if not 0 <= number <= _LARGEST:
        raise NotFound(missing(table), number=number)
    query = select(table).where(table.c.id == number)
    if unit.dialect == "postgresql":
        query = query.with_for_update()
    row = unit.connection.execute(query).one_or_none()
    if row is None:
        raise NotFound(missing(table), number=number)
    return dict(row._mapping)


def find_client(unit: Unit, number: int) -> Row:
    """A client; a number that was merged away stands for the survivor. Raises `NotFound`."""
    row = find_row(unit, models.client, number)
    while row["merged_into"] is not None:
        row = find_row(unit, models.client, row["merged_into"])
    return row


def refer_to_client(unit: Unit, number: int, field: str = "client") -> Row:
    """A client that the input names: `BadInput` naming the field when there is none."""
    try:
        return find_client(unit, number)
    except NotFound as error:
        remedy = "look the client up by identity"
        raise BadInput("there is no client %(number)s", field=field, remedy=remedy, number=number) from error


def refer_to(unit: Unit, table: Table, number: int, field: str) -> Row:
    """A row that the input names: `BadInput` naming the field when there is none."""
    try:
        return find_row(unit, table, number)
    except NotFound as error:
        raise BadInput(missing(table), field=field, number=number) from error


def change_row(unit: Unit, table: Table, row: Row, changes: Mapping[str, Any]) -> Row:
    """Write what differs; answers the row as it is now."""
    different = {column: value for column, value in changes.items() if row[column] != value}
    if different:
        unit.connection.execute(update(table).where(table.c.id == row["id"]).values(**different))
    return {**row, **different}


def check_operator(setup: SetUp, key: str | None, field: str = "operator") -> None:
    """Raises `BadInput` for an operator that the set-up does not know."""
    if key is not None and key not in setup.operators:
        raise BadInput("there is no operator %(key)s", field=field, remedy=suggest(key, setup.operators), key=key)


def check_team(setup: SetUp, key: str | None, field: str = "team") -> None:
    """Raises `BadInput` for a team that the set-up does not know."""
    if key is not None and key not in setup.teams:
        raise BadInput("there is no team %(key)s", field=field, remedy=suggest(key, setup.teams), key=key)
