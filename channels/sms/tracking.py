"""Delivery reports of long messages: an SMSC reports on each part, the log knows the message by its first.

The line's memory keeps `part ID` = "FIRST TOTAL" for the parts of a message of several, and `parts FIRST` = the ids
that have arrived. A report may come before the answer to its `submit_sm`: for a message of one part the hub waits for
it; while parts are on their way (`parts handed` = when the last were), an unknown id is looked up again for a while.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from channels.contract import Memory
from channels.sms.receipts import Report
from channels.touch import ReceiptState

_AGAIN_S = (0.05, 0.1, 0.2, 0.4, 0.8)
_ON_THEIR_WAY = timedelta(seconds=60)


class Tracking:
    """Which ids are parts of what."""

    def __init__(self, memory: Memory, now: Callable[[], datetime]) -> None:
        self._memory, self._now = memory, now
        self._lock = asyncio.Lock()

    async def begin(self) -> None:
        """Parts are about to be handed over."""
        await self._memory.keep("parts handed", str(self._now().timestamp()))

    async def note(self, ids: Sequence[str], total: int) -> None:
        """The newest of these parts was taken; the first stands for the message."""
        await self._memory.keep(f"part {ids[-1]}", f"{ids[0]} {total}")

    async def settle(self, report: Report) -> Report | None:
        """The report as one about a whole message; None while the rest has not arrived yet."""
        found = await self._find(report.message)
        if found is None:
            return report
        first, total = found
        if report.state is not ReceiptState.DELIVERED:
            reason = f"one of its {total} parts: {report.reason}" if report.reason else report.reason
            return replace(report, message=first, reason=reason)
        async with self._lock:
            arrived = set((await self._memory.recall(f"parts {first}") or "").split()) | {report.message}
            await self._memory.keep(f"parts {first}", " ".join(sorted(arrived)))
        return replace(report, message=first) if len(arrived) >= total else None

    async def _find(self, message: str) -> tuple[str, int] | None:
        for pause in (*_AGAIN_S, None):
            if kept := await self._memory.recall(f"part {message}"):
                first, _, total = kept.rpartition(" ")
                return first, int(total)
            if pause is None or not await self._are_on_their_way():
                return None
            await asyncio.sleep(pause)
        return None

    async def _are_on_their_way(self) -> bool:
        handed = await self._memory.recall("parts handed")
        return bool(handed) and self._now().timestamp() - float(handed or 0) < _ON_THEIR_WAY.total_seconds()
