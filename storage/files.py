"""Files outside the database: attachments and large raw bytes, named by their SHA-256, fsynced before the commit."""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path


class FileStore:
    """Content-addressed files under one folder; the same bytes are kept once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, data: bytes) -> str:
        """Write and fsync; returns the path relative to the folder. Blocks: call it off the event loop."""
        digest = hashlib.sha256(data).hexdigest()
        name = f"{digest[:2]}/{digest[2:]}"
        target = self._folder / name
        if target.exists():
            _sync_folder(target.parent)  # whoever made it may not have come so far yet
            return name
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh = target.with_name(f".{digest[2:10]}.{secrets.token_hex(6)}")
        with fresh.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(target)
        _sync_folder(target.parent)
        _sync_folder(self._folder)
        return name

    def read(self, name: str) -> bytes:
        """The bytes of a kept file. Raises `FileNotFoundError`."""
        return self.locate(name).read_bytes()

    def locate(self, name: str) -> Path:
        """Where a kept file lies. Raises `ValueError` for a name that points outside."""
        path = (self._folder / name).resolve()
        if not path.is_relative_to(self._folder.resolve()):
            raise ValueError(f"{name!r} points outside the file store")
        return path


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
