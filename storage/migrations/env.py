"""Runs migrations on the connection that `storage.schema` hands over."""

from __future__ import annotations

from typing import Any

from alembic import context

from storage.models import metadata


def _is_ours(item: Any, name: str | None, kind: str, _reflected: bool, _other: Any) -> bool:
    """Full-text tables are made by hand: FTS5 on SQLite has no counterpart in the models."""
    return not (kind == "table" and name is not None and "_words" in name)


connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, include_object=_is_ours, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
