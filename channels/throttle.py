"""How often is too often: a moving window in memory, exact, on the clock that is handed in.

`limits` reads the rates of the set-up; its in-memory window is not used, for it asks the wall clock by itself and
sweeps with one thread hop per key (about 20 microseconds a hit here, against one). Every process counts for itself.
"""

from __future__ import annotations

from collections import deque
from ipaddress import IPv6Address

import limits

Rate = tuple[int, float]

_SWEEP_EVERY = 4096


class Throttle:
    """Hits by key, each no longer remembered than its rate needs."""

    def __init__(self) -> None:
        self._hits: dict[str, deque[float]] = {}
        self._forget_at: dict[str, float] = {}
        self._until_sweep = _SWEEP_EVERY

    def wait(self, key: str, rate: Rate | None, now: float) -> float:
        """Seconds until one more is allowed; 0.0 = now."""
        hits = self._hits.get(key)
        if rate is None or hits is None:
            return 0.0
        amount, seconds = rate
        return max(0.0, hits[-amount] + seconds - now) if len(hits) >= amount else 0.0

    def take(self, key: str, rate: Rate | None, now: float) -> float:
        """Count one if it is allowed (0.0), else say how many seconds to wait."""
        if rate is None:
            return 0.0
        wait = self.wait(key, rate, now)
        if wait <= 0.0:
            hits = self._hits.setdefault(key, deque())
            while hits and hits[0] <= now - rate[1]:
                hits.popleft()
            hits.append(now)
            self._forget_at[key] = now + rate[1]
            self._until_sweep -= 1
            if self._until_sweep <= 0:
                self._sweep(now)
        return wait

    def _sweep(self, now: float) -> None:
        self._until_sweep = max(_SWEEP_EVERY, len(self._hits))
        for key in [key for key, at in self._forget_at.items() if at <= now]:
            del self._hits[key], self._forget_at[key]


def network_of(address: str) -> str:
    """What counts as one sender: an IPv4 address, or the /64 of IPv6 that one household is given."""
    if ":" not in address:
        return address
    try:
        six = IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    if six.ipv4_mapped is not None:
        return str(six.ipv4_mapped)
    return f"{int(six) >> 64:x}/64"


def read_rate(value: int | str) -> tuple[int, float] | None:
    """`"20/hour"` -> (20, 3600.0); a bare number counts per hour; 0 -> None, which is no limit."""
    if isinstance(value, str) and not value.strip().isdecimal():
        try:
            item = limits.parse(value)
        except ValueError:
            raise ValueError(f'{value!r} is no rate: write "20/hour", "2 per second", or 0 for none') from None
        return (item.amount, float(item.get_expiry())) if item.amount else None
    if int(value) < 0:
        raise ValueError('a rate is not negative: write "20/hour", or 0 for none')
    return (int(value), 3600.0) if int(value) else None
