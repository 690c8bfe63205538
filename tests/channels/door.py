"""A hub's door that remembers what came through it: the fake that every channel's tests share."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from channels.contract import Accepted, Door, Health
from channels.touch import Receipt, Touch

PATIENCE_S = 60.0
"""A machine busy elsewhere takes its time: what has not come by then does not come."""


class Crash(Exception):
    """The process dies here, as far as the channel can tell."""


@dataclass(slots=True)
class FakeMemory:
    """Small strings that outlive a restart. `dies_on_keep` makes the next `keep` a crash."""

    kept: dict[str, str] = field(default_factory=dict)
    dies_on_keep: bool = False

    async def recall(self, key: str) -> str | None:
        return self.kept.get(key)

    async def keep(self, key: str, value: str) -> None:
        if self.dies_on_keep:
            self.dies_on_keep = False
            raise Crash(f"before {key!r} was kept")
        self.kept[key] = value


@dataclass(slots=True)
class FakeFiles:
    """Files that outlive a restart."""

    kept: dict[str, bytes] = field(default_factory=dict)

    async def keep(self, data: bytes) -> str:
        name = hashlib.sha256(data).hexdigest()
        self.kept[name] = data
        return name

    async def read(self, name: str) -> bytes:
        if name not in self.kept:
            raise FileNotFoundError(name)
        return self.kept[name]


@dataclass(slots=True)
class FakeDoor:
    """Records touches in the order they came; `(line, event_key)` seen before is answered `again`, like the log does.

    Set `before_deliver` to be asked first: it may raise, or wait.
    """

    touches: list[Touch] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)
    healths: list[Health] = field(default_factory=list)
    memory: FakeMemory = field(default_factory=FakeMemory)
    files: FakeFiles = field(default_factory=FakeFiles)
    own: set[str] = field(default_factory=set)
    time: datetime | None = None
    before_deliver: Callable[[Touch], None] | None = None
    most_at_once: int = 0
    _rows: dict[tuple[str, str], int] = field(default_factory=dict)
    _inside: int = 0

    def door(self) -> Door:
        """What a channel is given."""
        return Door(
            deliver=self._deliver,
            report=self._report,
            health=self.healths.append,
            memory=self.memory,
            files=self.files,
            now=self._now,
            sign=sign,
            own_addresses=lambda: frozenset(self.own),
        )

    @property
    def logged(self) -> list[Touch]:
        """The touches as the log would hold them: each event key once, the first one."""
        return list({(touch.line, touch.event_key): touch for touch in reversed(self.touches)}.values())[::-1]

    async def wait_for(self, count: int = 1, seconds: float = PATIENCE_S) -> list[Touch]:
        """Wait until at least so many touches came (repeats count)."""
        await until(lambda: len(self.touches) >= count, seconds, lambda: f"{len(self.touches)} touches, not {count}")
        return list(self.touches)

    async def wait_for_receipts(self, count: int = 1, seconds: float = PATIENCE_S) -> list[Receipt]:
        """Wait until at least so many receipts came."""
        await until(lambda: len(self.receipts) >= count, seconds, lambda: f"{len(self.receipts)} receipts, not {count}")
        return list(self.receipts)

    async def wait_for_health(self, seconds: float = PATIENCE_S) -> Health:
        """Wait until the channel has said how it is; the last word."""
        await until(lambda: bool(self.healths), seconds, lambda: "the channel never said how it is")
        return self.healths[-1]

    async def _deliver(self, touch: Touch) -> Accepted:
        if self.before_deliver is not None:
            self.before_deliver(touch)
        self._inside += 1
        self.most_at_once = max(self.most_at_once, self._inside)
        await asyncio.sleep(0)
        self._inside -= 1
        self.touches.append(touch)
        key = (touch.line, touch.event_key)
        again = key in self._rows
        return Accepted(self._rows.setdefault(key, len(self._rows) + 1), again)

    async def _report(self, receipt: Receipt) -> None:
        self.receipts.append(receipt)

    def _now(self) -> datetime:
        return self.time or datetime.now(UTC)


def sign(text: str) -> str:
    """A signature as the hub makes it."""
    return hmac.new(b"secret of the tests", text.encode(), hashlib.sha256).hexdigest()[:20]


async def until(done: Callable[[], bool], seconds: float, otherwise: Callable[[], str]) -> None:
    """Wait for something to become true, `PATIENCE_S` at least; `otherwise` says what it is instead."""
    seconds = max(seconds, PATIENCE_S)
    deadline = time.monotonic() + seconds
    while not done():
        if time.monotonic() > deadline:
            raise AssertionError(f"after {seconds} s: {otherwise()}")
        await asyncio.sleep(0.005)
