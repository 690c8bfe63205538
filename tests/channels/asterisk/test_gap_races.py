"""What happens in the very moment in which the picture is taken, or the records are read: told once, and truly."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from channels.asterisk.adapter import AsteriskChannel
from channels.asterisk.emulator import Emulator, read_stream, retime
from channels.asterisk.ledgers import read_ledgers
from channels.contract import Door, OpenCall
from channels.touch import Touch
from tests.channels.asterisk.test_ledgers import BEGAN, UID, line, look_back, queue_log, twice, write
from tests.channels.asterisk.test_wire import STREAMS, now, setup
from tests.channels.door import FakeDoor, until

PATIENCE_S = 30.0


@dataclass
class Busy(Emulator):
    """Things happen just before the channels are listed, or just after: in one burst with the list."""

    before: list[Mapping[str, str]] = field(default_factory=list)
    after: list[Mapping[str, str]] = field(default_factory=list)

    def happen(self, *events: Mapping[str, str]) -> None:
        """Something that nobody was told, for nobody listened."""
        for event in events:
            self._follow(event)

    def _answer(self, action: Mapping[str, str], writer: asyncio.StreamWriter) -> None:
        if action.get("Action") != "CoreShowChannels":
            super()._answer(action, writer)
            return
        early, self.before = self.before, []
        self._burst(early, writer)
        super()._answer(action, writer)
        late, self.after = self.after, []
        self._burst(late, writer)

    def _burst(self, events: list[Mapping[str, str]], writer: asyncio.StreamWriter) -> None:
        for event in events:
            self._follow(event)
            writer.write("".join(f"{key}: {value}\r\n" for key, value in event.items()).encode() + b"\r\n")


@pytest.fixture
async def server() -> AsyncIterator[Busy]:
    async with Busy(now, queues={"support": ("PJSIP/101",)}) as emulator:
        yield emulator


def stream(name: str = "queue_answered_caller_hangup") -> list[dict[str, str]]:
    """A call that happens now."""
    events = [dict(event) for event in read_stream(STREAMS / f"{name}.txt")]
    return [dict(event) for event in retime(events, now().timestamp() - 20, 1)]


def cut(events: list[dict[str, str]], name: str) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """Before the last event of this name but with its beginning, and from there on."""
    at = next(number for number in range(len(events) - 1, -1, -1) if events[number]["Event"] == name)
    return events[:at], events[at:]


def caller_of(events: list[dict[str, str]]) -> str:
    return next(event["Linkedid"] for event in events if event["Event"] == "Newchannel")


@asynccontextmanager
async def listening(fake: FakeDoor, server: Busy, door: Door | None = None, **keys: Any) -> AsyncIterator[None]:
    channel = AsteriskChannel("pbx", setup(server.port, **keys), door or fake.door())
    task = asyncio.create_task(channel.listen())
    try:
        await until(lambda: bool(fake.healths), PATIENCE_S, lambda: "not running")
        yield
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def ends(fake: FakeDoor) -> list[Touch]:
    return [touch for touch in fake.logged if touch.phase == "ended"]


async def test_who_hangs_up_while_the_picture_is_taken_is_not_missed(server: Busy) -> None:
    """The hub died in the middle of the call and starts again in the second in which it ends."""
    talk, end = cut(stream(), "HangupRequest")
    server.happen(*talk)
    server.before = list(end)
    fake, call = FakeDoor(), caller_of(talk)
    known = {"outcome": "answered", "answered_at": talk[-1]["Timestamp"], "operator": "anna", "queue": "support"}
    known["answered_at"] = datetime.fromtimestamp(float(known["answered_at"]), UTC).isoformat()

    async def open_calls() -> list[OpenCall]:
        return [OpenCall(call, now() - timedelta(seconds=20), "inbound", known)]

    async with listening(fake, server, replace(fake.door(), open_calls=open_calls)):
        await until(lambda: bool(ends(fake)), PATIENCE_S, lambda: str(fake.touches))
    (ended,) = ends(fake)
    assert ended.call is not None
    assert (ended.call["outcome"], ended.call["reason"], ended.call["operator"]) == ("answered", None, "anna")


async def test_of_a_call_that_nobody_saw_begin_the_end_tells_nothing(server: Busy) -> None:
    """It is left to the records: a queue's caller would look as if he had been missed."""
    talk, end = cut(stream(), "QueueCallerLeave")
    server.happen(*talk)
    server.before = list(end)
    fake = FakeDoor()
    async with listening(fake, server):
        await server.play(read_stream(STREAMS / "queue_abandoned.txt"), speed=0)
        await until(lambda: bool(ends(fake)), PATIENCE_S, lambda: str(fake.touches))
    assert {touch.external_id for touch in fake.touches} == {ends(fake)[0].external_id}
    assert ends(fake)[0].external_id != caller_of(talk)


@pytest.mark.parametrize("where", ["before", "after"])
async def test_a_call_that_ends_or_begins_while_pictures_are_compared_goes_on(server: Busy, where: str) -> None:
    events = stream()
    begun, rest = cut(events, "HangupRequest") if where == "before" else (events[:0], events)
    fake = FakeDoor()
    async with listening(fake, server, resync_s=0.2):
        for event in begun:
            await server.say(event)
        if where == "before":
            await until(lambda: any(one.phase == "answered" for one in fake.touches), PATIENCE_S, lambda: "no talk")
            server.before = [*rest]
        else:
            first, rest = cut(rest, "HangupRequest")
            server.after = [*first]
            await until(lambda: not server.after, PATIENCE_S, lambda: "never compared")
            looks = len(server.asked)
            await until(lambda: len(server.asked) > looks + 6, PATIENCE_S, lambda: "not compared again")
            for event in rest:
                await server.say(event)
        await until(lambda: bool(ends(fake)), PATIENCE_S, lambda: str(fake.touches))
    (ended,) = ends(fake)
    assert ended.call is not None and not ended.remarks
    assert (ended.call["outcome"], ended.call["ended_by"]) == ("answered", "caller")
    assert [touch.phase for touch in fake.logged] == ["queued", "ringing", "answered", "ended"]


@pytest.mark.parametrize("put_aside", ["cdr.1", "cdr-20261121"])
def test_records_that_logrotate_has_just_put_aside_are_read(tmp_path: Path, put_aside: str) -> None:
    write(tmp_path / put_aside, line())
    other = f"pbx1-{int(BEGAN.timestamp()) + 60}.8"
    path = write(tmp_path / "cdr", line(0, 60, 70, uniqueid=other, linkedid=other))
    write(tmp_path / "cdr.2.gz", line(0, 0, 99))
    found = read_ledgers({"cdr": str(path)}, BEGAN)
    assert set(found.cdr) == {UID, other} and not found.faults
    long_ago = (BEGAN - timedelta(days=2)).timestamp()
    os.utime(tmp_path / put_aside, (long_ago, long_ago))
    assert set(read_ledgers({"cdr": str(path)}, BEGAN).cdr) == {other}, "nobody wrote to it since"


def test_a_broken_line_takes_no_other_along(tmp_path: Path) -> None:
    """A quotation mark that is never closed would make one field of the whole rest."""
    path = write(tmp_path / "cdr", line())
    whole = path.read_text()
    path.write_text('"half a row of a full disk,"x\n' + "\0\0\0\n" + '"' + "y" * 200_000 + "\n" + whole)
    phase = twice(look_back(cdr=path))
    assert phase.facts["outcome"] == "answered"


def test_a_file_cut_off_between_two_looks_is_read_anew(tmp_path: Path) -> None:
    path = write(tmp_path / "cdr", line(0, 0, 8, disposition="NO ANSWER"))
    look = look_back(vanished=True, cdr=path)
    assert look.tell(look.look()) == []
    path.write_text("")  # copytruncate, and the copy is packed at once
    assert look.tell(look.look()) == []
    write(path, line(0, 8, 20, "PJSIP/102-2"))
    phase = twice(look)
    assert (phase.facts["outcome"], phase.facts["operator"]) == ("answered", "boris")


@pytest.mark.parametrize("seconds", [-60, 60])
def test_a_pbx_whose_clock_is_off_loses_no_call_at_the_edges_of_the_gap(tmp_path: Path, seconds: int) -> None:
    look = look_back(cdr=write(tmp_path / "cdr", line(0, 0, 20)))
    edge = BEGAN + timedelta(seconds=20 + seconds)
    look.since, look.until = (edge, edge + timedelta(hours=1)) if seconds > 0 else (edge - timedelta(hours=1), edge)
    assert twice(look).facts["outcome"] == "answered"


def test_who_left_by_a_digit_has_cancelled_also_in_the_records(tmp_path: Path) -> None:
    told = [(1, "NONE", "ENTERQUEUE", "|79161234567|1"), (6, "NONE", "EXITWITHKEY", "2|1|1|5")]
    cdr = write(tmp_path / "cdr", line(0, 0, 9, disposition="NO ANSWER", userfield=""))
    facts = twice(look_back(cdr=cdr, queue_log=queue_log(tmp_path / "log", *told))).facts
    assert (facts["outcome"], facts["reason"]) == ("missed", "cancelled")
