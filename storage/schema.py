"""Brings a database up to date by Alembic, whichever process comes first."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from storage.engine import Engines

_MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 0x746F756368


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    return config


def prepare(engines: Engines) -> bool:
    """Upgrade to the newest revision; True if anything was done. Processes that come at once wait for each other."""
    config = _config()
    newest = ScriptDirectory.from_config(config).get_current_head()
    with engines.reader.connect() as connection:
        if MigrationContext.configure(connection).get_current_revision() == newest:
            return False
    with engines.writer.begin() as connection:
        if engines.dialect == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return True
