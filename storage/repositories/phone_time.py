"""How long telephones were talked on, ready, paused and in wrap-up, in pieces of a quarter of an hour at most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite

from storage.models import phone_time
from storage.unit import Unit


def keep(unit: Unit, pieces: Sequence[Mapping[str, Any]]) -> None:
    """Write them; one with the same beginning as one before takes its place, for it has lasted."""
    if not pieces:
        return
    insert = postgresql.insert if unit.dialect == "postgresql" else sqlite.insert
    statement = insert(phone_time)
    lasted = {name: statement.excluded[name] for name in ("operator", "kind", "seconds")}
    statement = statement.on_conflict_do_update(index_elements=["line", "extension", "since"], set_=lasted)
    unit.connection.execute(statement, list(pieces))
