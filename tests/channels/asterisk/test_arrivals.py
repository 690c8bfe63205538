"""Recordings of which the PBX told nothing: found by the call's id when their file comes, over a restart too."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from channels.asterisk.arrivals import Arrivals
from channels.asterisk.delivery import Delivery
from channels.asterisk.settings import Settings
from channels.touch import Direction, Kind, Touch
from tests.channels.door import FakeDoor, until

CALL = "pbx1-1795300200.7"
NAME = "in-8001-79161234567-20261121-223000-1795300200.7.wav"
SOON_S = 30.0


def ended(fake: FakeDoor, **facts: Any) -> Touch:
    at = fake.door().now()
    call = {"outcome": "answered", "answered_at": at.isoformat(), "ended_at": at.isoformat(), **facts}
    return Touch("pbx", f"{CALL}|ended", Kind.CALL, Direction.INBOUND, at, external_id=CALL, phase="ended", call=call)


@asynccontextmanager
async def waiting(fake: FakeDoor, folder: Path, now: datetime | None = None) -> AsyncIterator[Arrivals]:
    door = fake.door() if now is None else replace(fake.door(), now=lambda: now)
    arrivals = Arrivals("pbx", Settings(host="pbx", username="hub", secret="x", recordings=str(folder)), door)
    delivery = Delivery(door.deliver)
    task = asyncio.create_task(arrivals.run(delivery))
    try:
        yield arrivals
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await delivery.close()


async def test_a_file_that_comes_after_the_call_is_linked(tmp_path: Path) -> None:
    fake = FakeDoor()
    async with waiting(fake, tmp_path) as arrivals:
        arrivals.note(ended(fake))
        await until(lambda: CALL in fake.memory.kept.get("recordings awaited", ""), SOON_S, lambda: "not remembered")
    async with waiting(fake, tmp_path):  # started anew
        folder = tmp_path / fake.door().now().strftime("%Y/%m/%d")
        folder.mkdir(parents=True)
        (folder / NAME).write_bytes(b"RIFF")
        await until(lambda: bool(fake.touches), SOON_S, lambda: "not linked")
        await until(lambda: fake.memory.kept.get("recordings awaited") == "[]", SOON_S, lambda: "still awaited")
    (touch,) = fake.touches
    name = f"{folder.relative_to(tmp_path)}/{NAME}"
    assert (touch.external_id, touch.phase, touch.call) == (
        CALL,
        "completed",
        {"recordings": [name], "recording": name},
    )


@pytest.mark.parametrize("facts", [{"outcome": "missed"}, {"recordings": ["a.wav"]}])
async def test_what_was_told_or_never_recorded_is_not_looked_for(tmp_path: Path, facts: dict[str, Any]) -> None:
    fake = FakeDoor()
    async with waiting(fake, tmp_path) as arrivals:
        arrivals.note(ended(fake, **facts))
        assert not arrivals._awaited


async def test_what_does_not_come_within_an_hour_is_given_up(tmp_path: Path) -> None:
    fake = FakeDoor()
    touch = ended(fake)
    late = datetime.now(UTC) + timedelta(hours=2)
    async with waiting(fake, tmp_path, late) as arrivals:
        arrivals.note(touch)
        await until(lambda: not arrivals._awaited, SOON_S, lambda: "still awaited")
    assert fake.touches == []
