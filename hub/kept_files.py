"""The hub's store of files as channels see it."""

from __future__ import annotations

import asyncio

from storage.files import FileStore


class KeptFiles:
    """See `channels.contract.Files`: off the event loop, for files are fsynced."""

    def __init__(self, store: FileStore) -> None:
        self._store = store

    async def keep(self, data: bytes) -> str:
        """The name under which these bytes can be read again; the same bytes have the same name."""
        return await asyncio.to_thread(self._store.keep, data)

    async def read(self, name: str) -> bytes:
        """Raises `FileNotFoundError` or `ValueError` for a name that nothing was kept under."""
        return await asyncio.to_thread(self._store.read, name)
