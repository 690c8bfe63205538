"""A hub's parts in processes that die by SIGKILL at a chosen step: `python -m tests.flows.crash_child WHAT …`.

intake HOME URL: for N = 1, 2, …: a process takes touches in and dies at its Nth step, another one is sent again
what was not acknowledged; prints one line per N and ends when a process survives.
send HOME URL POINT NTH: does the jobs that are due and dies at POINT ("" = lives); for each process before it the
clock stands four minutes on.
listen HOME URL POINT: listens on all lines and dies at POINT.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import event

import channels.email.adapter as adapter
import hub.batch as batch
import storage.lane as lane
from channels.touch import Attachment, Direction, Identity, Kind, Raw, Touch
from hub import clock
from hub.intake import Intake
from hub.jobs.deliver import Deliver
from hub.jobs.worker import Worker
from hub.listeners import Listeners, Memory
from hub.settings import Settings
from hub.setup.live import LiveSetUp
from storage import bulk, prepared, search
from storage.store import Store

STEPS = (
    "skip_what_was_seen",
    "find_what_it_belongs_to",
    "find_whose_it_is",
    "place_in_conversations",
    "judge",
    "write",
    "answers",
)
LATER = timedelta(minutes=4)
"""A dead worker's claim has run out by then."""


def die() -> None:
    """As power cuts and the kernel's memory killer do it."""
    os.kill(os.getpid(), signal.SIGKILL)


class Steps:
    """Counts what the process does, and dies at the chosen step."""

    def __init__(self, fatal: int) -> None:
        self._left = fatal

    def step(self, *_: Any) -> None:
        self._left -= 1
        if self._left == 0:
            die()

    def watch(self, store: Store) -> None:
        """Every statement, every step of a batch, both sides of the commit and of the answer."""
        event.listen(store.engines.writer, "before_cursor_execute", self.step)
        for sender in (bulk, prepared, search):
            _before(sender, "trail", self.step)
        event.listen(store.engines.writer, "commit", self.step)
        for name in STEPS:
            _before(batch.Batch, name, self.step)
        _before(lane, "_answer", self.step)


def _before(owner: Any, name: str, step: Callable[[], None]) -> None:
    original = getattr(owner, name)

    def stepping(*arguments: Any, **named: Any) -> Any:
        step()
        return original(*arguments, **named)

    setattr(owner, name, stepping)


def touches(number: int) -> list[Touch]:
    """A lead with a file, the same lead again, a mail with much raw text, and a call in two phases."""
    now = datetime.now(UTC)
    phone = Identity("phone", f"+7916{number:07d}")
    email = Identity("email", f"visitor{number}@client.example")
    lead = {"kind": Kind.FORM, "direction": Direction.INBOUND, "at": now, "repeat_key": f"lead {number}"}
    call = {"line": "pbx", "kind": Kind.CALL, "direction": Direction.INBOUND, "external_id": f"call {number}"}
    return [
        Touch(
            line="form:contact",
            event_key=f"{number} lead",
            party=(phone, email),
            text=f"Позвоните мне, заявка {number}",
            raw=Raw(b"message=" + str(number).encode(), "application/x-www-form-urlencoded"),
            attachments=(Attachment("plan.txt", "text/plain", f"plan {number}".encode()),),
            **lead,  # type: ignore[arg-type]
        ),
        Touch(line="form:contact", event_key=f"{number} again", party=(phone, email), text="то же", **lead),  # type: ignore[arg-type]
        Touch(
            line="support-mail",
            event_key=f"{number} mail",
            kind=Kind.MESSAGE,
            direction=Direction.INBOUND,
            at=now,
            party=(Identity("email", f"writer{number}@client.example"),),
            external_id=f"<{number}@client.example>",
            same_as=f"mail {number}",
            subject=f"Письмо {number}",
            text="вопрос",
            raw=Raw(os.urandom(60_000), "message/rfc822"),
        ),
        Touch(event_key=f"{number} ring", at=now, party=(phone,), phase="ringing", call={"outcome": None}, **call),  # type: ignore[arg-type]
        Touch(
            event_key=f"{number} end",
            at=now + timedelta(seconds=5),
            party=(phone,),
            phase="ended",
            call={"outcome": "missed", "reason": "no_answer", "ended_at": (now + timedelta(seconds=5)).isoformat()},
            **call,  # type: ignore[arg-type]
        ),
    ]


async def take_in(home: Path, url: str, number: int, acknowledged: Path, steps: Steps | None) -> None:
    """Deliver what is not acknowledged yet, all at once, and note each acknowledgement as it comes."""
    store = Store.open(url, home / "files", clock.now, told=steps.step if steps else lambda events: None)
    setup = LiveSetUp.open(store)
    intake = Intake(store, lambda: setup.current)
    store.lane.start()
    if steps is not None:
        steps.watch(store)
    known = acknowledged.read_text().splitlines() if acknowledged.exists() else []
    notes = os.open(acknowledged, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    async def deliver(touch: Touch) -> None:
        accepted = await intake.deliver(touch)
        assert accepted.interaction is not None, touch
        if steps is not None:
            steps.step()
        os.write(notes, f"{touch.event_key}\n".encode())

    await asyncio.gather(*(deliver(touch) for touch in touches(number) if touch.event_key not in known))
    await store.close()


def _fork(work: Callable[[], None]) -> int:
    """Run work in a process of its own; its wait status."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            sys.stderr.flush()
            os._exit(status)
    return os.waitpid(child, 0)[1]


def crash_intake(home: Path, url: str) -> None:
    """Die at every step in turn."""
    number = 0
    while True:
        number += 1
        acknowledged = home / f"acknowledged-{number}"
        with_steps = number

        def first(n: int = with_steps, notes: Path = acknowledged) -> None:
            asyncio.run(take_in(home, url, n, notes, Steps(n)))

        def again(n: int = with_steps, notes: Path = acknowledged) -> None:
            asyncio.run(take_in(home, url, n, notes, None))

        status = _fork(first)
        survived = os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0
        if not survived and not (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL):
            sys.exit(f"step {number}: died of something else ({status})")
        before = len(acknowledged.read_text().splitlines()) if acknowledged.exists() else 0
        if (status := _fork(again)) != 0:
            sys.exit(f"step {number}: could not be taken in again ({status})")
        print(number, before, "survived" if survived else "killed", flush=True)
        if survived:
            return


@contextmanager
def _parts(home: Path, url: str, now: Callable[[], datetime]) -> Iterator[tuple[Store, LiveSetUp, Listeners]]:
    settings = Settings(home=home, database_url=url)
    store = Store.open(url, settings.files, now)
    setup = LiveSetUp.open(store)
    intake = Intake(store, lambda: setup.current)
    store.lane.start()
    yield store, setup, Listeners(settings, store, setup, intake.deliver)


async def crash_sending(home: Path, url: str, point: str, nth: str) -> None:
    """Do the jobs that are due."""
    with _parts(home, url, lambda: clock.now() + LATER * int(nth)) as (store, setup, listeners):
        _arm_sending(point)
        deliver = Deliver(store, lambda: setup.current, listeners.channel_of)
        await Worker(store, {"deliver": deliver}).sweep()
        await listeners.close()
        await store.close()


def _arm_sending(point: str) -> None:
    """Points: before the server is asked, when it is about to get the text, when it has it, when `send` is done."""
    hand_over, send = adapter.hand_over, adapter.EmailChannel.send

    async def handing_over(letter: Any, settings: Any, helo: str, before_data: Any) -> Any:
        if point == "before":
            die()

        async def about_to() -> None:
            await before_data()
            if point == "during":
                die()

        refused = await hand_over(letter, settings, helo, about_to)
        if point == "taken":
            die()
        return refused

    async def sending(self: adapter.EmailChannel, message: Any) -> Any:
        sent = await send(self, message)
        if point == "after":
            die()
        return sent

    adapter.hand_over = handing_over
    adapter.EmailChannel.send = sending  # type: ignore[method-assign]


async def crash_listening(home: Path, url: str, point: str) -> None:
    """Listen; die before a UID is kept, that is after everything up to it is in the log."""
    with _parts(home, url, clock.now) as (_, _, listeners):
        keep = Memory.keep

        async def keeping(self: Memory, key: str, value: str) -> None:
            if point == "keep" and key.startswith("uid inbox"):
                die()
            await keep(self, key, value)

        Memory.keep = keeping  # type: ignore[method-assign]
        listeners.start()
        await asyncio.Event().wait()


def main() -> None:
    what, home, url, *more = sys.argv[1:]
    if what == "intake":
        crash_intake(Path(home), url)
    else:
        crash: Callable[..., Any] = {"send": crash_sending, "listen": crash_listening}[what]
        asyncio.run(crash(Path(home), url, *more))


if __name__ == "__main__":
    main()
