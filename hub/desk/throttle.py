"""Slows down whoever guesses passwords: so many attempts per window, counted per address and per name."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hub.errors import Refused

_MOST_KEYS = 20_000


class TooOften(Refused):
    """Come back later."""

    status = 429
    code = "too_many_requests"


@dataclass(slots=True)
class Throttle:
    """A moving window per key, in this process's memory."""

    most: int
    window: timedelta
    _seen: dict[str, deque[datetime]] = field(default_factory=dict)

    def count(self, key: str, now: datetime) -> None:
        """Note one attempt. Raises `TooOften` when it is one too many; refused ones do not count."""
        times = self._seen.setdefault(key, deque())
        while times and times[0] <= now - self.window:
            times.popleft()
        if len(times) >= self.most:
            raise TooOften("Too many attempts. Please wait a few minutes.")
        times.append(now)
        if len(self._seen) > _MOST_KEYS:
            self._forget(now)

    def forgive(self, key: str) -> None:
        """It was the right one after all."""
        self._seen.pop(key, None)

    def _forget(self, now: datetime) -> None:
        old = [key for key, times in self._seen.items() if not times or times[-1] <= now - self.window]
        for key in old or list(self._seen)[: _MOST_KEYS // 2]:
            del self._seen[key]
