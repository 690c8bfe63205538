"""Opens the home that a command works on; an empty one is prepared first."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hub import clock

if TYPE_CHECKING:
    from hub.settings import Settings
    from storage.store import Store


def read_settings() -> Settings:
    """The settings of this process, with its log going to stderr. Raises `SettingsError`."""
    from hub.logs import set_up_logs
    from hub.settings import load_settings

    settings = load_settings()
    set_up_logs(settings.log_format, settings.log_level)
    return settings


@contextmanager
def open_home() -> Iterator[tuple[Settings, Store]]:
    """Settings and store of a command."""
    settings = read_settings()
    store = open_store(settings)
    try:
        yield settings, store
    finally:
        store.engines.dispose()


def open_store(settings: Settings) -> Store:
    """The store without its lane: commands write for themselves."""
    from storage.store import Store

    settings.home.mkdir(parents=True, exist_ok=True)
    return Store.open(settings.database, settings.files, clock.now)


def who() -> str:
    """Who gave the command, for the record."""
    try:
        return f"command:{getpass.getuser()}"
    except (OSError, KeyError):
        return "command"
