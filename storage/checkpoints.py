"""Brings SQLite's write-ahead log home beside the write lane, which would else stand still for it every few commits.

A checkpoint copies what was committed from the log into the database file. SQLite does that inside a commit as soon as
the log has grown by a thousand pages; here another thread does it, and a commit only what is left when the log has
grown long all the same (`AT_MOST`), so that it begins anew. https://www.sqlite.org/wal.html#ckpt
"""

from __future__ import annotations

import sqlite3
import threading

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

log = structlog.get_logger(__name__)

AT_MOST = 16_000
"""Pages (of 4 KB) in the log after which the next commit brings home what is left."""
_EVERY = 128
"""Pieces of work after which it is worth it."""


class Checkpoints:
    """One thread, begun when there is something for it to do; `note` is called after each commit."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._noted = 0
        self._bell = threading.Event()
        self._closing = False
        self._thread: threading.Thread | None = None

    def note(self, pieces: int) -> None:
        """So many pieces of work were committed."""
        self._noted += pieces
        if self._noted < _EVERY:
            return
        self._bell.set()
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="checkpoints", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Stop; what is in the log is safe there. Blocks."""
        self._closing = True
        self._bell.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while self._bell.wait() and not self._closing:
            self._bell.clear()
            self._noted = 0
            try:
                self.bring_home()
            except (SQLAlchemyError, sqlite3.Error) as error:  # the disk is full, say: the commits will tell
                log.warning("no_checkpoint", error=repr(error))

    def bring_home(self) -> tuple[int, int]:
        """Copy what can be copied while others read and write: pages in the log, and of them those at home."""
        connection = self._engine.raw_connection()
        try:
            _, pages, home = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            return int(pages), int(home)
        finally:
            connection.close()
