"""A hub that is gone for a while: what its log keeps, and what the one after it makes of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from channels.asterisk.adapter import AsteriskChannel
from channels.contract import OpenCall
from tests.channels.asterisk.show import House
from tests.channels.door import until
from tests.peers.asterisk import Asterisk
from tests.peers.missing import PeerMissing, do_without
from tests.peers.sipp import Phones

PATIENCE_S = 40.0


def phones_of(pbx: Asterisk) -> Phones:
    """Telephones, or the reason why there are none."""
    try:
        return Phones(pbx)
    except PeerMissing as problem:
        do_without(problem)


class AfterTheGap(House):
    """A hub started anew, with the log of the one before."""

    def open_calls_of(self, before: House) -> None:
        """The log survives, the process does not."""
        self.fake.memory.kept = dict(before.fake.memory.kept)
        self.fake.touches = list(before.fake.touches)

    def door(self) -> Any:
        async def open_calls() -> list[OpenCall]:
            found = []
            for call in self.folds().values():
                if "ended" not in call["phases"]:
                    touch = call["touches"][0]
                    facts = {key: value for touch in call["touches"] for key, value in (touch.call or {}).items()}
                    found.append(OpenCall(touch.external_id, touch.at, str(touch.direction), facts))
            return found

        return replace(super().door(), open_calls=open_calls)


async def kill(task: asyncio.Task[None], channel: AsteriskChannel) -> None:
    """End a hub."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await channel.close()


async def hub_dies(house: House, when: Callable[[], Any]) -> None:
    """It listens until `when` has happened, and has noted until when everything was heard."""
    channel = house.channel()
    task = asyncio.create_task(channel.listen())
    await until(lambda: bool(house.fake.healths), 15, lambda: "not running")
    await until(lambda: bool(house.fake.memory.kept), 15, lambda: "no mark")
    await when()
    await kill(task, channel)


async def quiet(pbx: Asterisk) -> None:
    """Wait until no call lasts."""
    deadline = time.monotonic() + PATIENCE_S
    while "0 active channels" not in (said := await asyncio.to_thread(pbx.cli, "core show channels count")):
        assert time.monotonic() < deadline, said
        await asyncio.sleep(0.2)
