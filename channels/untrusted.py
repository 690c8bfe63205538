"""Reading what strangers wrote: JSON as leniently as possible, texts and numbers that any database takes. Pure."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

Json = Mapping[str, Any]

_WHOLE = re.compile(r"-?[0-9]{1,18}")
_JUST_NOW = timedelta(seconds=3)
_FUTURE = timedelta(minutes=5)


def load(raw: bytes) -> Any:
    """JSON as leniently as it can be read. Raises `ValueError`."""
    try:
        return orjson.loads(raw)
    except ValueError:
        try:
            return json.loads(raw)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error


def dump(value: Any) -> bytes:
    """The bytes of a value as they are kept; also of what only the standard library can write."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value).encode()


def clean(value: Any) -> str:
    """Text that any database takes; whatever is not text is an error of the sender's: `TypeError`."""
    if not isinstance(value, str):
        raise TypeError(f"expected text, not {type(value).__name__}")
    if value.isascii():
        return value.replace("\0", "")
    return value.encode("utf-8", "replace").decode().replace("\0", "")


def is_number(value: Any) -> bool:
    """Is it a whole number of at most 64 bits?"""
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63


def number_of(value: Any) -> int:
    """A number that any database takes, also one written as text. Raises `TypeError` for anything else."""
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        return int(value)
    if not is_number(value):
        raise TypeError(f"expected a number, not {type(value).__name__}")
    return int(value)


def digest(raw: bytes) -> str:
    """A short name for bytes, the same whenever they come."""
    return hashlib.sha256(raw).hexdigest()[:40]


def instant(seconds: float, now: datetime) -> datetime:
    """When something was written, by the vendor's clock, which tells whole seconds or is wrong.

    For what came just now our clock knows better (an answer within the second must not seem older than what it
    answers), and nothing was written in the future. Raises `ValueError`, `OverflowError` or `OSError` for nonsense.
    """
    at = datetime.fromtimestamp(seconds, UTC)
    return now if now - at < _JUST_NOW or at - now > _FUTURE else at
