"""Results of what plays in real time, many scenarios side by side: each is looked at once, and played again for whoever
looks again. So a test that is played again (`IN_REAL_TIME` in tests/conftest.py) judges a new call and not the old one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import pytest

from tests.peers.asterisk import Asterisk

Seen = TypeVar("Seen")
Results = dict[tuple[str, str], Seen | BaseException]
"""By manager user and scenario: what was seen, or why it was not played through."""


@dataclass
class Encore(Generic[Seen]):
    """`play` plays the scenarios with these names, or all."""

    play: Callable[[set[str] | None], Results[Seen]]
    _unseen: Results[Seen] = field(default_factory=dict)
    _begun: bool = False

    def take(self, user: str, name: str) -> Seen:
        """What a user saw of a scenario; fails in one line when it was not played through."""
        if (user, name) not in self._unseen:
            self._unseen |= self.play({name} if self._begun else None)
            self._begun = True
        found = self._unseen.pop((user, name))
        if isinstance(found, BaseException):
            pytest.fail(f"{name} was not played through: {type(found).__name__}: {found}", pytrace=False)
        return found


async def clear(pbx: Asterisk) -> None:
    """Hang up what an earlier play left behind."""
    async with asyncio.timeout(60):
        while "0 active channels" not in await asyncio.to_thread(pbx.cli, "core show channels count"):
            await asyncio.to_thread(pbx.cli, "channel request hangup all")
            await asyncio.sleep(0.2)
