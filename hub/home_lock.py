"""One process per SQLite database: a second one would write beside the first, and listen to the same lines."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import make_url


class HomeInUse(Exception):
    """Another hub runs on this database."""

    def __init__(self, database: Path, holder: str) -> None:
        self.database = database
        self.holder = holder
        super().__init__(f"{database} is in use by the hub with process id {holder}")


@contextmanager
def hold_home(url: str) -> Iterator[None]:
    """Hold the database for this process, until the end or until it dies. Raises `HomeInUse`.

    The kernel lets go of the lock with the process, so that a crash leaves nothing to clean up. Short commands
    (import, token) do not ask for it: they write one transaction, which SQLite serialises. PostgreSQL needs none.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        yield
        return
    database = Path(parsed.database)
    database.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(database.with_name(f"{database.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _take(handle, database)
        yield
    finally:
        os.close(handle)


def _take(handle: int, database: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(handle, 32, 0).decode("ascii", "replace").strip() or "unknown"
        raise HomeInUse(database, holder) from None
    os.ftruncate(handle, 0)
    os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
