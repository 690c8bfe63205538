"""Nothing goes out twice, whatever breaks between the parts of a message."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from channels.errors import OptedOut, Throttled, Uncertain
from channels.outbox import Outbox
from channels.touch import Direction, Identity, Kind, Message, Sent, Thread, Touch
from tests.channels.door import Crash, FakeMemory

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
MESSAGE = Message("ref-1", (Identity("viber", "a"),), "раз два", NOW)


class Vendor:
    """Takes parts; `failures` are raised before the part with that number is taken, or after it (`Uncertain`)."""

    def __init__(self, **failures: Exception) -> None:
        self.taken: list[str] = []
        self.failures = {int(name.removeprefix("at_")): error for name, error in failures.items()}

    async def take(self, part: str, number: int) -> str:
        error = self.failures.pop(number, None)
        if error is not None and not isinstance(error, Uncertain):
            raise error
        self.taken.append(part)
        if error is not None:
            raise error
        return f"id{len(self.taken)}"


async def test_all_parts_once_and_the_first_names_the_message() -> None:
    vendor, memory = Vendor(), FakeMemory()
    assert await Outbox(memory).was_sent(MESSAGE) is False
    for _ in range(2):
        assert await Outbox(memory).send(MESSAGE, ["раз", "два"], vendor.take) == Sent("id1")
    assert vendor.taken == ["раз", "два"] and await Outbox(memory).was_sent(MESSAGE) == Sent("id1")


async def test_a_refused_part_is_sent_later_and_only_it() -> None:
    vendor, outbox = Vendor(at_1=Throttled("slowly", retry_after=1)), Outbox(FakeMemory())
    with pytest.raises(Throttled):
        await outbox.send(MESSAGE, ["раз", "два"], vendor.take)
    assert await outbox.was_sent(MESSAGE) is False
    await outbox.send(MESSAGE, ["раз", "два"], vendor.take)
    assert vendor.taken == ["раз", "два"]


async def test_what_nobody_can_know_is_not_sent_again() -> None:
    vendor, outbox = Vendor(at_1=Uncertain("the answer was lost")), Outbox(FakeMemory())
    for _ in range(2):
        with pytest.raises(Uncertain):
            await outbox.send(MESSAGE, ["раз", "два"], vendor.take)
    assert vendor.taken == ["раз", "два"] and await outbox.was_sent(MESSAGE) is None


async def test_a_last_refusal_says_what_is_out() -> None:
    vendor = Vendor(at_1=OptedOut("he has blocked us"))
    with pytest.raises(OptedOut, match=r"the first 1 of its parts went out"):
        await Outbox(FakeMemory()).send(MESSAGE, ["раз", "два"], vendor.take)


async def test_an_answer_to_any_part_is_an_answer_to_the_message() -> None:
    outbox = Outbox(FakeMemory())
    await outbox.send(MESSAGE, ["раз", "два"], Vendor().take)
    touch = Touch("line", "k", Kind.MESSAGE, Direction.INBOUND, NOW, thread=Thread(answers=("id2",)))
    assert (await outbox.refer(touch)).thread == Thread(answers=("id2", "id1"))


async def test_a_crash_while_it_is_made_ready_leaves_no_doubt() -> None:
    async def crash(part: str) -> str:
        raise Crash

    vendor, outbox = Vendor(), Outbox(FakeMemory())
    with pytest.raises(Crash):
        await outbox.send(MESSAGE, ["раз"], vendor.take, crash)
    assert vendor.taken == [] and await outbox.was_sent(MESSAGE) is False
