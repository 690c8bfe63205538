"""All scenarios of the house on one real Asterisk, side by side: each on a desk of its own, all watched by one line."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

from channels.asterisk.adapter import AsteriskChannel
from channels.asterisk.settings import Settings
from channels.contract import Door, Presence, Question
from channels.errors import ChannelError
from channels.touch import Touch
from tests.channels.asterisk.encore import Results, clear
from tests.channels.door import FakeDoor, until
from tests.peers.asterisk import Asterisk, Desk
from tests.peers.asterisk_conf import SECRET
from tests.peers.sipp import Phones

PATIENCE_S = 60.0


@dataclass
class House:
    """A line on a real PBX, with the door of a hub that routes by number."""

    pbx: Asterisk
    username: str = "hub"
    agi: bool = True
    fake: FakeDoor = field(default_factory=FakeDoor)
    pictures: list[Presence] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    more: dict[str, Any] = field(default_factory=dict)
    _folded: tuple[int, dict[str, dict[str, Any]]] = (0, {})

    def settings(self, **changes: Any) -> Settings:
        """Of the line."""
        values: dict[str, Any] = {
            "host": "127.0.0.1",
            "port": self.pbx.ami,
            "username": self.username,
            "secret": SECRET,
            "interface": self.pbx.interface,
            "queues": [desk.queue for desk in self.pbx.desks],
            "recordings": str(self.pbx.recordings),
            "voicemail": str(self.pbx.folder / "spool/voicemail"),
            "ping_s": 1.0,
            "ring_s": 4.0,
        }
        if self.agi:
            values["route_agi"] = f"127.0.0.1:{self.pbx.agi}"
        return Settings(**values | self.more | changes)

    def door(self) -> Door:
        """As the hub would open it."""

        async def route(question: Question) -> str:
            self.questions.append(question)
            return next((answer for desk in self.pbx.desks if (answer := desk.answer(question.did))), "")

        return replace(
            self.fake.door(),
            extensions=lambda: self.pbx.extensions,
            presence=self.pictures.append,
            route=route,
        )

    def channel(self, **changes: Any) -> AsteriskChannel:
        """A new instance, as after a start of the process."""
        return AsteriskChannel("pbx", self.settings(**changes), self.door())

    @contextlib.asynccontextmanager
    async def listening(self, channel: AsteriskChannel | None = None) -> AsyncIterator[AsteriskChannel]:
        """The line runs inside the block; the supervisor's part is played here."""
        channel = channel or self.channel()
        known = len(self.fake.healths)

        async def supervise() -> None:
            while True:
                with contextlib.suppress(ChannelError):
                    await channel.listen()
                await asyncio.sleep(0.2)

        task = asyncio.create_task(supervise())
        try:
            await until(lambda: len(self.fake.healths) > known, PATIENCE_S, lambda: "the line does not run")
            yield channel
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def call_of(self, did: str) -> dict[str, Any] | None:
        """The fold of the call to a number, as the log would hold it."""
        return self.folds().get(did)

    def folds(self) -> dict[str, dict[str, Any]]:
        """All calls by what was dialled (`to`), each event key once; phases, direction, party beside the facts."""
        heard = len(self.fake.touches)
        if self._folded[0] != heard:
            self._folded = (heard, self._fold())
        return self._folded[1]

    def _fold(self) -> dict[str, dict[str, Any]]:
        calls: dict[str, dict[str, Any]] = {}
        for touch in self.fake.logged:
            call = calls.setdefault(touch.external_id or "", {"phases": [], "touches": []})
            call |= touch.call or {}
            call["phases"].append(touch.phase)
            call["touches"].append(touch)
            call.setdefault("direction", str(touch.direction))
            call.setdefault("party", [str(one) for one in touch.party])
            call["by"] = touch.operator or call.get("by")
        return {str(call.get("to")): call for call in calls.values()}

    def seen(self, did: str) -> str:
        """What is known of the call to a number, in a line."""
        call = self.call_of(did)
        if call is None:
            return f"no call to {did} was seen, only to {', '.join(self.folds()) or 'nobody'}"
        legs = ", ".join(f"{leg['extension']} {leg['result']}" for leg in call.get("legs") or ())
        facts = ", ".join(f"{name} {call.get(name)}" for name in ("outcome", "reason", "ended_by", "voicemail"))
        return f"the call to {did} came to {' '.join(call['phases'])}; legs: {legs or 'none'}; {facts}"

    async def ended(self, did: str, seconds: float = PATIENCE_S) -> dict[str, Any]:
        """Wait until the call to a number is over."""
        await self.reached(did, "ended", seconds)
        return self.folds()[did]

    async def left_a_message(self, did: str) -> None:
        """Wait for the voice message of a call, which is told after the end."""
        await until(
            lambda: bool(self.folds()[did].get("voicemail")),
            PATIENCE_S,
            lambda: f"{self.username} waits for the message: {self.seen(did)}",
        )

    async def reached(self, did: str, phase: str, seconds: float = PATIENCE_S) -> Touch:
        """Wait for a phase of the call to a number."""
        await until(
            lambda: phase in (self.call_of(did) or {"phases": []})["phases"],
            seconds,
            lambda: f"{self.username} waits for {phase!r}: {self.seen(did)}",
        )
        found: Touch = next(touch for touch in self.folds()[did]["touches"] if touch.phase == phase)
        return found


Scenario = Callable[[House, AsteriskChannel, Phones, Desk], Awaitable[str]]
SCENARIOS: dict[str, Scenario] = {}


def scenario(play: Scenario) -> Scenario:
    """Plays on a desk of its own; answers what was dialled."""
    SCENARIOS[play.__name__] = play
    return play


@scenario
async def answered_caller_hangs_up(house: House, line: AsteriskChannel, phones: Phones, desk: Desk) -> str:
    await phones.operator(desk.ports[0], "answer", 700)
    await phones.caller(desk.did, "bye", 4000)
    return desk.did


@scenario
async def answered_operator_hangs_up(house: House, line: AsteriskChannel, phones: Phones, desk: Desk) -> str:
    await phones.operator(desk.ports[0], "hangup", 500)
    await phones.caller(desk.did, "wait")
    return desk.did


@scenario
async def abandoned(house: House, line: AsteriskChannel, phones: Phones, desk: Desk) -> str:
    await phones.operator(desk.ports[0], "noanswer")
    await phones.caller(desk.did, "bye", 2000)
    return desk.did


@scenario
async def timeout_to_voicemail(house: House, line: AsteriskChannel, phones: Phones, desk: Desk) -> str:
    for port in desk.ports:
        await phones.operator(port, "noanswer", calls=3)
    await phones.caller(desk.did, "bye", 16000)
    return desk.did


@scenario
async def declined_by_all(house: House, line: AsteriskChannel, phones: Phones, desk: Desk) -> str:
    for port in desk.ports:
        await phones.operator(port, "decline", 300, calls=9)
    await phones.caller(desk.did, "bye", 3500)
    return desk.did


@scenario
async def direct_declined(house: House, line: AsteriskChannel, phones: Phones, desk: Desk) -> str:
    await phones.operator(desk.ports[0], "decline", 500)
    await phones.caller(desk.direct_did, "wait")
    return desk.direct_did


@scenario
async def direct_busy(house: House, line: AsteriskChannel, phones: Phones, desk: Desk) -> str:
    await phones.operator(desk.ports[0], "busy")
    await phones.caller(desk.direct_did, "wait")
    return desk.direct_did


@scenario
async def direct_no_answer(house: House, line: AsteriskChannel, phones: Phones, desk: Desk) -> str:
    await phones.operator(desk.ports[0], "noanswer")
    await phones.caller(desk.direct_did, "wait")
    return desk.direct_did


@scenario
async def direct_cancelled(house: House, line: AsteriskChannel, phones: Phones, desk: Desk) -> str:
    await phones.operator(desk.ports[0], "noanswer")
    await phones.caller(desk.direct_did, "cancel", 1500)
    return desk.direct_did


@scenario
async def no_answer_then_next(house: House, line: AsteriskChannel, phones: Phones, desk: Desk) -> str:
    await phones.operator(desk.ports[0], "noanswer")
    await phones.operator(desk.ports[1], "answer", 500)
    await phones.caller(desk.did, "bye", 9000)
    return desk.did


@scenario
async def ring_all(house: House, line: AsteriskChannel, phones: Phones, desk: Desk) -> str:
    await phones.operator(desk.ports[0], "noanswer")
    await phones.operator(desk.ports[1], "answer", 1000)
    await phones.operator(desk.ports[2], "noanswer")
    await phones.caller(desk.ring_all_did, "bye", 5000)
    return desk.ring_all_did


@scenario
async def held(house: House, line: AsteriskChannel, phones: Phones, desk: Desk) -> str:
    await phones.operator(desk.ports[0], "hold", 300)
    await phones.caller(desk.did, "bye", 9000)
    return desk.did


@scenario
async def transferred_by_refer(house: House, line: AsteriskChannel, phones: Phones, desk: Desk) -> str:
    await phones.operator(desk.ports[0], "refer", 300, to=desk.phones[1])
    await phones.operator(desk.ports[1], "answer", 700)
    await phones.caller(desk.did, "bye", 9000)
    return desk.did


@scenario
async def transferred_blindly(house: House, line: AsteriskChannel, phones: Phones, desk: Desk) -> str:
    await phones.operator(desk.ports[0], "answer", 300)
    await phones.operator(desk.ports[1], "answer", 700)
    await phones.caller(desk.direct_did, "bye", 8000)
    answered = await house.reached(desk.direct_did, "answered")
    await asyncio.sleep(1)
    await line.transfer(answered.external_id or "", desk.phones[0], desk.phones[1])
    return desk.direct_did


@scenario
async def transferred_after_asking(house: House, line: AsteriskChannel, phones: Phones, desk: Desk) -> str:
    await phones.operator(desk.ports[0], "talk", 300)  # Asterisk times the digits of an Atxfer by incoming sound
    await phones.operator(desk.ports[1], "answer", 700)
    await phones.caller(desk.did, "bye", 11000)
    answered = await house.reached(desk.did, "answered")
    call = answered.external_id or ""
    await asyncio.sleep(1)
    await line.transfer(call, desk.phones[0], desk.phones[1], attended=True)
    await asyncio.sleep(2.5)
    await line.hang_up(call, desk.phones[0])
    return desk.did


@scenario
async def redirected(house: House, line: AsteriskChannel, phones: Phones, desk: Desk) -> str:
    await phones.operator(desk.ports[0], "noanswer")
    await phones.operator(desk.ports[2], "answer", 500)
    await phones.caller(desk.did, "bye", 8000)
    ringing = await house.reached(desk.did, "ringing")
    await asyncio.sleep(0.5)
    await line.redirect(ringing.external_id or "", desk.phones[2])
    return desk.did


@scenario
async def clicked(house: House, line: AsteriskChannel, phones: Phones, desk: Desk) -> str:
    await phones.operator(desk.ports[0], "answer", 500)
    await phones.operator(house.pbx.outside_ports[desk.number], "answer", 700)
    call = await line.call(desk.phones[0], "+" + desk.outside)
    await house.reached("+" + desk.outside, "answered")
    await asyncio.sleep(1.5)
    await line.hang_up(call, desk.phones[0])
    return "+" + desk.outside


@scenario
async def clicked_operator_silent(house: House, line: AsteriskChannel, phones: Phones, desk: Desk) -> str:
    await phones.operator(desk.ports[0], "noanswer")
    await line.call(desk.phones[0], "+" + desk.outside)
    return "+" + desk.outside


@scenario
async def clicked_client_busy(house: House, line: AsteriskChannel, phones: Phones, desk: Desk) -> str:
    await phones.operator(desk.ports[0], "answer", 300)
    await phones.operator(house.pbx.outside_ports[desk.number], "busy")
    await line.call(desk.phones[0], "+" + desk.outside)
    return "+" + desk.outside


@scenario
async def dialled_out(house: House, line: AsteriskChannel, phones: Phones, desk: Desk) -> str:
    await phones.operator(house.pbx.outside_ports[desk.number], "answer", 700)
    name = house.pbx.names.phone.format(number=desk.phones[0])
    await phones.caller(desk.outside, "bye", 4000, who=name, name="Operator")
    return "+" + desk.outside


@scenario
async def internal(house: House, line: AsteriskChannel, phones: Phones, desk: Desk) -> str:
    await phones.operator(desk.ports[1], "answer", 500)
    name = house.pbx.names.phone.format(number=desk.phones[0])
    await phones.caller(desk.phones[1], "bye", 4000, who=name, name="Operator")
    return desk.phones[1]


@scenario
async def nobody_logged_in(house: House, line: AsteriskChannel, phones: Phones, desk: Desk) -> str:
    await phones.caller(desk.empty_did, "bye", 11000)
    return desk.empty_did


@scenario
async def hidden_number(house: House, line: AsteriskChannel, phones: Phones, desk: Desk) -> str:
    await phones.operator(desk.ports[0], "answer", 300)
    await phones.caller(desk.did, "bye", 3500, who="anonymous", name="Anonymous")
    return desk.did


def desk_of(pbx: Asterisk, name: str) -> Desk:
    """Where a scenario plays."""
    return pbx.desks[list(SCENARIOS).index(name)]


async def play_all(pbx: Asterisk, names: set[str] | None = None) -> Results[dict[str, Any]]:
    """Every scenario, watched by the full and by the lean manager user at once: the folds."""
    full, lean = House(pbx), House(pbx, "hublean", agi=False)
    chosen = [name for name in SCENARIOS if names is None or name in names]
    await clear(pbx)
    async with Phones(pbx) as phones, full.listening() as line, lean.listening():

        async def play(name: str) -> str:
            did = await SCENARIOS[name](full, line, phones, desk_of(pbx, name))
            for house in (full, lean):
                await house.ended(did)
                if name == "timeout_to_voicemail":
                    await house.left_a_message(did)
            return did

        played = await asyncio.gather(*(play(name) for name in chosen), return_exceptions=True)
        await asyncio.sleep(0.5)
        return {
            (house.username, name): did if isinstance(did, BaseException) else house.folds()[did]
            for name, did in zip(chosen, played, strict=True)
            for house in (full, lean)
        }
