"""Broken frames over a real connection never stop the line: whatever comes, the next whole call is told truly."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

from channels.asterisk.adapter import AsteriskChannel
from channels.asterisk.emulator import Emulator, read_stream
from tests.channels.asterisk.test_wire import STREAMS, now, setup
from tests.channels.door import FakeDoor, until

PATIENCE_S = 60.0
ROUNDS = 60
HUGE = 200_000


def frames(path: Path) -> list[bytes]:
    return [frame for frame in path.read_bytes().replace(b"\r\n", b"\n").split(b"\n\n") if frame.startswith(b"Event: ")]


def spoil(seed: random.Random, frame: bytes) -> bytes:
    """One frame as no PBX should send it; it still ends."""
    data = bytearray(frame.replace(b"\n", b"\r\n"))
    for _ in range(seed.randrange(4)):
        at = seed.randrange(len(data))
        match seed.randrange(6):
            case 0:
                data[at] = seed.randrange(256)
            case 1:
                del data[at : at + seed.randrange(1, 40)]
            case 2:
                data[at:at] = seed.randbytes(seed.randrange(1, 40))
            case 3:
                data[at:at] = b"x" * HUGE
            case 4:
                data[at:at] = data[: seed.randrange(len(data) + 1)]
            case _:
                data[at:at] = seed.choice([b"\r\n", b"\n", b"\r", b": ", b"\0", b"\xff\xfe", b"Response: Success\r\n"])
        data = data or bytearray(b"?")
    return bytes(data)


async def test_the_next_whole_call_is_told_whatever_came_before() -> None:
    seed, fake = random.Random(20261122), FakeDoor()
    known = [frame for path in sorted(STREAMS.glob("*.txt")) for frame in frames(path)]
    async with Emulator(now, queues={"support": ("PJSIP/101",)}) as server:
        channel = AsteriskChannel("pbx", setup(server.port, ping_s=5.0), fake.door())
        task = asyncio.create_task(channel.listen())
        await until(lambda: bool(fake.healths), PATIENCE_S, lambda: "not running")
        for number in range(ROUNDS):
            several = seed.sample(known, seed.randrange(1, 30))
            several += seed.sample(several, seed.randrange(len(several) + 1))  # again, and out of order
            await server.send(b"".join(spoil(seed, frame) + b"\r\n\r\n" for frame in several))
            if number % 10 == 9:
                before = {touch.external_id for touch in fake.touches}
                await server.play(read_stream(STREAMS / "queue_answered_caller_hangup.txt"), speed=0)
                await until(lambda before=before: _is_told(fake, before), PATIENCE_S, lambda: str(fake.touches[-9:]))  # type: ignore[misc]
        assert not task.done() and [one.get("Action") for one in server.asked].count("Login") == 1
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _is_told(fake: FakeDoor, before: set[str | None]) -> bool:
    """A call that was not there before has ended, and as it did."""
    ended = [one.call or {} for one in fake.touches if one.phase == "ended" and one.external_id not in before]
    facts = [(one["outcome"], one["queue"], one["ended_by"], [leg["result"] for leg in one["legs"]]) for one in ended]
    return ("answered", "support", "caller", ["answered"]) in facts
