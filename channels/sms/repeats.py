"""Tells a message that comes again from one that says the same again: SMPP gives inbound messages no ids.

Within a session two equal messages are two messages (each has its own sequence number), unless the first was refused
or is still being stored after some seconds, which is when SMSCs lose patience. What came in the last minute of a
session may not have been acknowledged: an equal message early in the next session is that one again, once.
The key is kept before the message is delivered, so that a crash in between repeats it under the same key.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from datetime import datetime

from channels.contract import Memory
from channels.sms.shelf import Shelf

TAIL_S = 60.0
EXPECTED_S = 30 * 60.0
IMPATIENT_S = 5.0
_MOST = 2000


class Repeats:
    """The keys that messages were given lately."""

    def __init__(
        self, memory: Memory, now: Callable[[], datetime], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._now, self._clock = now, clock
        self._shelf = Shelf(memory, "sms lately", self._dump)
        self._lately: dict[str, tuple[str, float]] = {}
        self._tail: dict[str, list[str]] = {}
        self._refused: dict[str, list[str]] = {}
        self._began = 0.0
        self._flying: dict[str, tuple[str, float]] = {}
        self._count, self._salt = 0, secrets.token_hex(2)

    async def begin(self) -> None:
        """A new session: what came at the end of the last one may come again."""
        if not self._lately:
            self._lately = {key: (digest, at) for key, digest, at in json.loads(await self._shelf.load() or "[]")}
        self._prune()
        self._flying.clear()
        self._refused.clear()
        self._tail.clear()
        self._began = self._clock()
        for key, (digest, _) in self._lately.items():
            self._tail.setdefault(digest, []).append(key)

    async def key_of(self, digest: str) -> str:
        """The key of a message that has come; safe when this returns."""
        if known := self._expected(digest):
            key = known.pop(0)
        elif (flying := self._flying.get(digest)) and self._clock() - flying[1] > IMPATIENT_S:
            key = flying[0]
        else:
            self._count += 1
            at = self._now().timestamp()
            key = f"{digest}:{int(at * 1000):x}.{self._salt}{self._count:x}"
            self._lately[key] = (digest, at)
        self._flying[digest] = (key, self._clock())
        await self._shelf.save()
        return key

    def settle(self, digest: str, key: str, *, refused: bool = False) -> None:
        """It is stored; or it was refused, and comes again under the same key."""
        if (flying := self._flying.get(digest)) and flying[0] == key:
            del self._flying[digest]
        if refused:
            self._refused.setdefault(digest, []).append(key)

    def _expected(self, digest: str) -> list[str] | None:
        """The keys under which this message may come again: what was refused certainly does, the rest soon or never."""
        if self._tail and self._clock() - self._began > EXPECTED_S:
            self._tail.clear()
        return self._refused.get(digest) or self._tail.get(digest)

    def _prune(self) -> None:
        if not self._lately:
            return
        edge = max(at for _, at in self._lately.values()) - TAIL_S
        kept = [(key, one) for key, one in self._lately.items() if one[1] >= edge]
        self._lately = dict(kept[-_MOST:])

    def _dump(self) -> str:
        self._prune()
        return json.dumps([(key, digest, at) for key, (digest, at) in self._lately.items()])
