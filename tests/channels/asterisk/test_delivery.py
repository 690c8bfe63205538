"""Touches on their way into the log: gathered, side by side, the end of a call after all that was before it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

from channels.asterisk.delivery import Delivery
from channels.contract import Accepted
from channels.touch import Direction, Kind, Touch

LONG_S = 20.0


def touch(call: str, phase: str) -> Touch:
    return Touch(
        line="pbx",
        event_key=f"{call}|{phase}",
        kind=Kind.CALL,
        direction=Direction.INBOUND,
        at=datetime(2026, 11, 2, 9, tzinfo=UTC),
        external_id=call,
        phase=phase,
    )


class Log:
    """Takes touches as the hub does: not before it is let."""

    def __init__(self) -> None:
        self.offered: list[str] = []
        self.taken: list[str] = []
        self.open = asyncio.Event()
        self.troubles = 0

    async def take(self, touch: Touch) -> Accepted:
        self.offered.append(touch.event_key)
        await self.open.wait()
        if self.troubles:
            self.troubles -= 1
            raise OSError("the database is away")
        self.taken.append(touch.event_key)
        return Accepted(len(self.taken))


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(LONG_S):
        while not true():
            await asyncio.sleep(0.001)


async def test_what_a_call_tells_goes_together_and_its_end_alone() -> None:
    log = Log()
    delivery = Delivery(log.take)
    for phase in ("queued", "ringing", "ended"):
        await delivery.put(touch("1.1", phase))
    await until(lambda: len(log.offered) == 2)
    assert log.offered == ["1.1|queued", "1.1|ringing"]
    log.open.set()
    await delivery.drain(LONG_S)
    assert log.taken == ["1.1|queued", "1.1|ringing", "1.1|ended"]


async def test_a_telephone_that_rings_takes_along_what_waits() -> None:
    log = Log()
    delivery = Delivery(log.take)
    await delivery.put(touch("1.1", "queued"))  # the first after a silence waits for nothing
    await delivery.put(touch("2.2", "answered"))
    await delivery.put(touch("3.3", "ringing"))
    await until(lambda: len(log.offered) == 3)
    assert log.offered == ["1.1|queued", "2.2|answered", "3.3|ringing"]
    await delivery.close()


async def test_what_nobody_takes_along_goes_by_itself() -> None:
    log = Log()
    log.open.set()
    delivery = Delivery(log.take)
    for call in ("1.1", "2.2", "3.3"):
        await delivery.put(touch(call, "queued"))
    await until(lambda: len(log.taken) == 3)
    await delivery.close()


async def test_trouble_is_insisted_on_and_the_end_waits_for_it() -> None:
    log = Log()
    log.open.set()
    log.troubles = 2
    delivery = Delivery(log.take)
    for phase in ("queued", "ringing", "ended"):
        await delivery.put(touch("1.1", phase))
    await delivery.drain(LONG_S)
    assert sorted(log.taken[:2]) == ["1.1|queued", "1.1|ringing"]
    assert log.taken[2:] == ["1.1|ended"]
    assert len(log.offered) == 5


async def test_what_is_held_back_is_not_left_behind_by_a_close() -> None:
    log = Log()
    log.open.set()
    delivery = Delivery(log.take)
    await delivery.put(touch("1.1", "queued"))
    await delivery.put(touch("2.2", "queued"))
    await delivery.drain(LONG_S)
    await delivery.close()
    assert sorted(log.taken) == ["1.1|queued", "2.2|queued"]
