"""The contract kit: what every channel folder must keep, written once against a small interface.

A channel's tests write a `Rig` (the channel with the real or scripted server it talks to), offer it as the fixture
`rig`, and inherit:

    class TestEmailKeepsTheContract(ContractKit):
        @pytest.fixture
        async def rig(self, …) -> AsyncIterator[Rig]: …

A channel that cannot do something (no repeats from its source, no opt-out) says so in `exempt`, with the reason.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any, Protocol

import pytest

from channels.contract import Channel, LineState
from channels.errors import ChannelError, OptedOut
from channels.touch import Direction, Message, ReceiptState, Touch
from tests.channels.door import Crash, FakeDoor, until


class Rig(Protocol):
    """One channel under test, and the outside world it talks to."""

    line: str
    door: FakeDoor
    exempt: Mapping[str, str]

    def channel(self, *, wrong_credentials: bool = False) -> Channel:
        """A new instance, as after a start of the process: same settings, same memory."""

    async def incoming(self, text: str) -> None:
        """A client writes this to us."""

    async def incoming_again(self) -> None:
        """The source hands over the last message once more (a redelivery, a new UIDVALIDITY, an unconfirmed update)."""

    def message(self, text: str, reference: str) -> Message:
        """A message of ours to a client."""

    async def outgoing(self) -> list[str]:
        """The texts that have reached the outside, in order."""

    def external_ids(self) -> list[str]:
        """The ids under which they went out, as the outside saw them."""

    def refuse_for_now(self) -> None:
        """The outside answers the next message with a failure that may pass."""

    def refuse_for_good(self) -> None:
        """The outside refuses the next message for ever."""

    def opt_out(self) -> None:
        """The recipient does not want to hear from us."""

    async def stop_server(self) -> None:
        """The outside is gone."""

    async def start_server(self) -> None:
        """The outside is back."""


@contextlib.asynccontextmanager
async def listening(channel: Channel) -> AsyncIterator[asyncio.Task[None]]:
    """The channel listens inside the block."""
    task = asyncio.create_task(channel.listen())
    try:
        yield task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await task
        await channel.close()


class ContractKit:
    """Inherit and offer `rig`."""

    async def test_a_message_is_received_whole(self, rig: Rig) -> None:
        async with listening(rig.channel()):
            await rig.incoming("Здравствуйте, сколько стоит доставка?")
            touch = (await rig.door.wait_for())[0]
        assert touch.line == rig.line
        assert touch.direction is Direction.INBOUND
        assert touch.text == "Здравствуйте, сколько стоит доставка?"
        assert touch.event_key and touch.party and not touch.party[0].odd
        assert touch.at.tzinfo is not None and touch.at.utcoffset() is not None
        assert touch.raw is not None and touch.raw.data
        assert touch.automatic is None

    async def test_what_came_while_nobody_listened_is_received(self, rig: Rig) -> None:
        await rig.incoming("Первое")
        await rig.incoming("Второе")
        async with listening(rig.channel()):
            touches = await rig.door.wait_for(2)
        assert {touch.text for touch in touches} == {"Первое", "Второе"}

    async def test_a_repeat_has_the_same_event_key(self, rig: Rig) -> None:
        _unless_exempt(rig, "repeat")
        async with listening(rig.channel()):
            await rig.incoming("Один раз")
            await rig.door.wait_for()
        await rig.incoming_again()
        async with listening(rig.channel()):
            await rig.door.wait_for(2)
        assert len(rig.door.logged) == 1

    async def test_two_equal_texts_are_two_messages(self, rig: Rig) -> None:
        async with listening(rig.channel()):
            await rig.incoming("Да")
            await rig.incoming("Да")
            await rig.door.wait_for(2)
        assert len(rig.door.logged) == 2

    async def test_nothing_is_acknowledged_before_it_is_committed(self, rig: Rig) -> None:
        asked: list[Touch] = []

        def die(touch: Touch) -> None:
            asked.append(touch)
            raise Crash("before the commit")

        rig.door.before_deliver = die
        await rig.incoming("Не потеряйте")
        async with listening(rig.channel()) as task:
            await until(lambda: bool(asked) or task.done(), 10, lambda: "nothing was delivered")
            await asyncio.wait({task}, timeout=0.3)  # long enough to acknowledge what it must not
        assert rig.door.touches == []
        rig.door.before_deliver = None
        async with listening(rig.channel()):
            await rig.door.wait_for()
        assert [touch.text for touch in rig.door.logged] == ["Не потеряйте"]

    async def test_a_crash_before_the_acknowledgement_brings_it_again(self, rig: Rig) -> None:
        _unless_exempt(rig, "crash before acknowledgement")
        await rig.incoming("Ещё раз")
        rig.door.memory.dies_on_keep = True
        async with listening(rig.channel()) as task:
            await rig.door.wait_for()
            await until(lambda: not rig.door.memory.dies_on_keep or task.done(), 3, lambda: "nothing was kept")
        async with listening(rig.channel()):
            await rig.door.wait_for(2)
        assert len(rig.door.logged) == 1

    async def test_what_was_acknowledged_does_not_come_again(self, rig: Rig) -> None:
        async with listening(rig.channel()):
            await rig.incoming("Старое")
            await rig.door.wait_for()
            await asyncio.sleep(0.2)
        async with listening(rig.channel()):
            await rig.incoming("Новое")
            await rig.door.wait_for(2)
            await asyncio.sleep(0.2)
        assert [touch.text for touch in rig.door.touches] == ["Старое", "Новое"]

    async def test_a_message_goes_out_once_under_its_external_id(self, rig: Rig) -> None:
        channel = rig.channel()
        sent = await channel.send(rig.message("Доставка бесплатная", "ref-1"))
        await channel.close()
        assert await rig.outgoing() == ["Доставка бесплатная"]
        assert rig.external_ids() == [sent.external_id]
        assert not sent.refused

    async def test_the_external_id_follows_from_the_reference(self, rig: Rig) -> None:
        _unless_exempt(rig, "external id from reference")
        first, second = rig.channel(), rig.channel()
        ids = [(await each.send(rig.message("Дважды", "ref-2"))).external_id for each in (first, second)]
        await first.close()
        await second.close()
        assert ids[0] == ids[1]

    async def test_after_a_crash_it_is_known_that_it_is_out(self, rig: Rig) -> None:
        _unless_exempt(rig, "was_sent")
        message = rig.message("Уже ушло", "ref-3")
        before = rig.channel()
        assert await before.was_sent(message) in (False, None)
        sent = await before.send(message)
        await before.close()
        after = rig.channel()
        assert await after.was_sent(message) == sent
        await after.close()

    async def test_a_passing_failure_may_be_retried(self, rig: Rig) -> None:
        channel = rig.channel()
        rig.refuse_for_now()
        with pytest.raises(ChannelError) as caught:
            await channel.send(rig.message("Позже", "ref-4"))
        assert caught.value.retryable and caught.value.reason
        assert (await channel.send(rig.message("Позже", "ref-4"))).external_id
        await channel.close()
        assert await rig.outgoing() == ["Позже"]

    async def test_a_lasting_failure_may_not(self, rig: Rig) -> None:
        channel = rig.channel()
        rig.refuse_for_good()
        with pytest.raises(ChannelError) as caught:
            await channel.send(rig.message("Никогда", "ref-5"))
        await channel.close()
        assert not caught.value.retryable and caught.value.reason

    async def test_who_opted_out_is_left_alone(self, rig: Rig) -> None:
        _unless_exempt(rig, "opt-out")
        channel = rig.channel()
        rig.opt_out()
        with pytest.raises(OptedOut):
            await channel.send(rig.message("Реклама", "ref-6"))
        await channel.close()

    async def test_receipts_speak_of_external_ids(self, rig: Rig) -> None:
        for receipt in rig.door.receipts:
            assert receipt.external_id and receipt.state in ReceiptState

    async def test_health_says_running_once_it_runs(self, rig: Rig) -> None:
        channel = rig.channel()
        assert (await channel.check()).state is LineState.RUNNING
        async with listening(channel):
            assert (await rig.door.wait_for_health()).state is LineState.RUNNING

    async def test_wrong_credentials_need_a_person(self, rig: Rig) -> None:
        _unless_exempt(rig, "credentials")
        channel = rig.channel(wrong_credentials=True)
        health = await channel.check()
        assert health.state is LineState.NEEDS_PERSON
        assert health.reason and health.remedy
        with pytest.raises(ChannelError) as caught:
            await asyncio.wait_for(channel.listen(), 60)
        assert not caught.value.retryable
        await channel.close()

    async def test_a_server_that_is_gone_will_be_tried_again(self, rig: Rig) -> None:
        _unless_exempt(rig, "server gone")
        await rig.stop_server()
        channel = rig.channel()
        try:
            assert (await channel.check()).state is LineState.WILL_RETRY
            with pytest.raises(ChannelError) as caught:
                await asyncio.wait_for(channel.listen(), 60)
            assert caught.value.retryable
        finally:
            await channel.close()
            await rig.start_server()


def _unless_exempt(rig: Rig, what: str) -> None:
    reason: Any = rig.exempt.get(what)
    if reason is not None:
        pytest.skip(f"exempt: {reason}")
