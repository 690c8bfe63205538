"""The signing key of one home, and short signatures made with it."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import os
import secrets
from pathlib import Path

FILE_NAME = "secret.key"
_SIGNATURE_BYTES = 12


def load_key(home: Path) -> bytes:
    """The key of this home, readable by its owner only; made on first use, once even if processes come together."""
    path = home / FILE_NAME
    try:
        return path.read_bytes()
    except FileNotFoundError:
        home.mkdir(parents=True, exist_ok=True)
    fresh = home / f".{FILE_NAME}.{secrets.token_hex(6)}"
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(32))
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(fresh, path)
    finally:
        fresh.unlink()
    return path.read_bytes()


def sign(key: bytes, purpose: str, text: str) -> str:
    """A short url-safe signature of `text` for one `purpose`; lower case only, as mail addresses lose theirs."""
    digest = hmac.new(key, f"{purpose}\0{text}".encode(), hashlib.sha256).digest()[:_SIGNATURE_BYTES]
    return base64.b32encode(digest).decode().rstrip("=").lower()


def agrees(key: bytes, purpose: str, text: str, signature: str) -> bool:
    """Whether `signature` is ours, in constant time."""
    return hmac.compare_digest(sign(key, purpose, text).encode(), signature.lower().encode())
