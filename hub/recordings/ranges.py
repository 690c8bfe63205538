"""Which part of a file a browser asks for (RFC 9110, sections 13 and 14). Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ONE = re.compile(r"bytes\s*=\s*(\d*)\s*-\s*(\d*)\s*", re.IGNORECASE | re.ASCII)
_LONGEST = 18


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes from `start` up to, not including, `stop`."""

    start: int
    stop: int

    @property
    def size(self) -> int:
        """How many."""
        return self.stop - self.start

    def content_range(self, size: int) -> str:
        """The header that goes with a 206."""
        return f"bytes {self.start}-{self.stop - 1}/{size}"


class Unsatisfiable(Exception):
    """Nothing of what is asked for is there: 416."""


def find_part(asked: str | None, size: int) -> Part | None:
    """The part, or None for the whole: no header, another unit, several parts at once, or nonsense, all of which a
    server may ignore. Raises `Unsatisfiable`."""
    found = _ONE.fullmatch(asked.strip()) if asked else None
    if found is None or max(map(len, found.groups())) > _LONGEST:
        return None
    first, last = found.groups()
    if not first:
        return _tail(last, size)
    start = int(first)
    stop = int(last) + 1 if last else size
    if stop <= start and last:
        return None
    if start >= size:
        raise Unsatisfiable
    return Part(start, min(stop, size))


def _tail(last: str, size: int) -> Part | None:
    if not last:
        return None
    if int(last) == 0 or size == 0:
        raise Unsatisfiable
    return Part(max(size - int(last), 0), size)


def is_unchanged(condition: str | None, etag: str, modified: str) -> bool:
    """`If-Range`: is what the browser has a part of still the same? Weak tags never are; dates must be equal."""
    if condition is None:
        return True
    wanted = condition.strip()
    return wanted == etag if wanted.startswith(('"', "W/")) else wanted == modified


def is_known(condition: str | None, etag: str) -> bool:
    """`If-None-Match`: whether the browser has it."""
    if condition is None:
        return False
    known = {one.strip().removeprefix("W/") for one in condition.split(",")}
    return "*" in known or etag in known
