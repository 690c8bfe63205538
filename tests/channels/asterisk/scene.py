"""How calls are played that need a dialplan of their own: all at once, each at a desk of its own of a real Asterisk."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from channels.asterisk.adapter import AsteriskChannel
from channels.asterisk.wire import Wire
from channels.contract import Presence
from channels.errors import Rejected
from tests.channels.asterisk.encore import Results, clear
from tests.channels.asterisk.show import House
from tests.channels.door import until
from tests.peers.asterisk import Asterisk, Desk
from tests.peers.sipp import Phones

MODULES = ("app_confbridge", "app_directed_pickup", "app_senddtmf", "app_originate", "res_parking", "pbx_spool")
QUEUE = "timeout=3\nretry=1\nringinuse=no\nautofill=yes\nsetqueuevar=yes\n"


@dataclass
class Scene:
    """One scenario while it plays."""

    house: House
    line: AsteriskChannel
    phones: Phones
    desk: Desk
    wire: Wire

    @property
    def did(self) -> str:
        """What the caller dials."""
        return did_of(self.desk)

    @property
    def pbx(self) -> Asterisk:
        """The exchange."""
        return self.house.pbx

    async def operator(self, index: int, how: str = "answer", ms: int = 300, **more: Any) -> None:
        """One of the desk's telephones."""
        await self.phones.operator(self.desk.ports[index], how, ms, **more)

    async def outside(self, how: str = "answer", ms: int = 300) -> None:
        """Whoever is reached over the desk's trunk."""
        await self.phones.operator(self.pbx.outside_ports[self.desk.number], how, ms)

    async def caller(self, how: str = "bye", ms: int = 2000, **more: Any) -> None:
        """Somebody calls the desk's number."""
        await self.phones.caller(self.did, how, ms, **more)

    async def inside(self, index: int, number: str, how: str = "bye", ms: int = 2000) -> None:
        """An operator dials."""
        who = self.pbx.names.phone.format(number=self.desk.phones[index])
        await self.phones.caller(number, how, ms, who=who, name="Operator")

    async def press(self, channel: str, digits: str) -> None:
        """As if the one at this channel pressed them."""
        for digit in digits:
            await self.wire.ask("PlayDTMF", {"Channel": channel, "Digit": digit, "Duration": "80", "Receive": "true"})
            await asyncio.sleep(0.15)

    async def reached(self, phase: str, did: str = "") -> str:
        """Wait until the call is so far; its id."""
        return (await self.house.reached(did or self.did, phase)).external_id or ""

    async def channels(self, device: str, at_least: int = 1) -> list[str]:
        """The channels of a device, once there are so many; oldest first."""
        found: list[str] = []
        for _ in range(400):
            listed = await self.wire.ask_list("CoreShowChannels")
            found = sorted(one["Channel"] for one in listed if one["Channel"].startswith(f"{device}-"))
            if len(found) >= at_least:
                break
            await asyncio.sleep(0.05)
        assert len(found) >= at_least, (device, found)
        return found

    async def phone_channel(self, index: int) -> str:
        """The channel of an operator's telephone."""
        name = self.pbx.names.phone.format(number=self.desk.phones[index])
        return (await self.channels(f"PJSIP/{name}"))[0]

    async def call_file(self, exten: str) -> None:
        """Ring whoever is outside, and send him to this number inside: as a campaign does it."""
        text = (
            f"Channel: PJSIP/{self.desk.outside}@{self.pbx.names.trunk}-{self.desk.number}\nMaxRetries: 0\n"
            f"WaitTime: 8\nContext: {self.pbx.names.internal}\nExtension: {exten}\nPriority: 1\n"
            "CallerID: 74950000000\n"
        )
        folder, name = self.pbx.folder / "spool", f"call-{self.desk.number}"
        (folder / "tmp" / name).write_text(text)
        (folder / "tmp" / name).rename(folder / "outgoing" / name)
        await until(lambda: bool(rows_of(self.house, self.desk)), 20, lambda: "the call was not made")

    async def caller_channel(self, call: str) -> str:
        """The channel that began a call."""
        for _ in range(200):
            listed = await self.wire.ask_list("CoreShowChannels")
            found = [one["Channel"] for one in listed if one.get("Uniqueid") == call]
            if found:
                return found[0]
            await asyncio.sleep(0.05)
        raise AssertionError(f"no channel {call}")


Play = Callable[[Scene], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Odd:
    """`plan` is the dialplan of the number dialled, `inside` that of further numbers which operators may dial, `queues`
    more of queues.conf. `expected` holds fields of the first row: `operator` and `legs` by the number of the desk's
    telephone, `rows` is how many there are."""

    play: Play
    plan: str
    expected: Mapping[str, Any]
    inside: Mapping[str, str] = field(default_factory=dict)
    queues: str = ""


ODD: dict[str, Odd] = {}
ANSWERED = {"outcome": "answered", "direction": "inbound", "reason": None}
MISSED = {"outcome": "missed", "direction": "inbound", "operator": None}


def odd(plan: str, **more: Any) -> Callable[[Play], Play]:
    """`{q} {other} {p0} {p1} {p2} {e0} … {out} {trunk} {inside} {routed} {did}` stand for what the desk has."""
    inside, queues = more.pop("inside", {}), more.pop("queues", "")

    def note(play: Play) -> Play:
        ODD[play.__name__] = Odd(play, plan, more, inside, queues)
        return play

    return note


def did_of(desk: Desk) -> str:
    """The number of a desk's scenario."""
    return f"6{desk.number:02}0"


def configure(pbx: Asterisk) -> dict[str, str]:
    """What the scenarios add to the PBX of the tests: scenario n is at home at desk n."""
    names = pbx.names
    inbound, internal, queues = [f"[{names.inbound}](+)"], [f"[{names.internal}](+)"], []
    exits = []
    for desk, one in zip(pbx.desks, ODD.values(), strict=False):
        words = words_of(pbx, desk)
        inbound += _extension(did_of(desk), one.plan, words)
        for number, plan in one.inside.items():
            internal += _extension(number.format(**words), plan, words)
        queues.append(one.queues.format(**words))
        exits += [f"[exits{desk.number}]", *_extension("1", "Playback(beep)\nWait(30)\nHangup()", words)]
        exits += _extension("2", "Dial({p0},5)\nHangup()", words)
    return {
        "extensions.conf": "\n".join([*inbound, *internal, *exits]) + "\n",
        "queues.conf": "\n".join(queues) + "\n",
        "modules.conf": "\n".join(f"load = {module}.so" for module in MODULES) + "\n",
        "features.conf": "[applicationmap]\n",
        "confbridge.conf": "[general]\n[silent]\ntype=user\nquiet=yes\n",
        "res_parking.conf": "[general]\n[default]\nparkext => 700\nparkpos => 701-720\ncontext => parkedcalls\n"
        "parkingtime => 30\nfindslot => next\n",
    }


def words_of(pbx: Asterisk, desk: Desk) -> dict[str, str]:
    """What templates may name."""
    found = {f"e{index}": phone for index, phone in enumerate(desk.phones)}
    found |= {f"p{index}": f"PJSIP/{pbx.names.phone.format(number=one)}" for index, one in enumerate(desk.phones)}
    found |= {"q": desk.queue, "other": f"other{desk.number}", "all": desk.ring_all, "out": desk.outside}
    found |= {"trunk": f"{pbx.names.trunk}-{desk.number}", "n": str(desk.number), "did": did_of(desk)}
    return found | {"inside": pbx.names.internal, "inbound": pbx.names.inbound, "empty": pbx.names.empty}


def _extension(number: str, plan: str, words: Mapping[str, str]) -> list[str]:
    first, *others = [line.strip().format(**words) for line in plan.strip().splitlines()]
    return [f"exten => {number},1,{first}", *(f" same => n,{line}" for line in others)]


@dataclass(frozen=True, slots=True)
class Seen:
    """What one user saw of one scenario: the rows that touched its desk, oldest first; pictures of everybody."""

    desk: Desk
    rows: list[dict[str, Any]]
    pictures: list[Presence]


async def play_odd(pbx: Asterisk, names: set[str] | None = None) -> Results[Seen]:
    """All of them at once, or those with these names, watched by the full and the lean user."""
    full, lean = House(pbx, agi=False), House(pbx, "hublean", agi=False)
    chosen = [(name, desk) for name, desk in zip(ODD, pbx.desks, strict=True) if names is None or name in names]
    await clear(pbx)
    async with Phones(pbx) as phones, full.listening() as line, lean.listening():
        wire = Wire(full.settings())
        await wire.open()
        try:
            await _unpause(wire, chosen)
            scenes = [(ODD[name], Scene(full, line, phones, desk, wire)) for name, desk in chosen]
            played = await asyncio.gather(*(one.play(scene) for one, scene in scenes), return_exceptions=True)
            await _end(wire, (full, lean))
        finally:
            await wire.close()
    return {
        (house.username, name): problem or Seen(desk, rows_of(house, desk), house.pictures)
        for (name, desk), problem in zip(chosen, played, strict=True)
        for house in (full, lean)
    }


async def _unpause(wire: Wire, chosen: list[tuple[str, Desk]]) -> None:
    """Whom an earlier play left paused."""
    for _, desk in chosen:
        for phone in desk.phones[:1]:
            with contextlib.suppress(Rejected):
                fields = {"Interface": f"PJSIP/{desk.names.phone.format(number=phone)}", "Paused": "false"}
                await wire.ask("QueuePause", fields)


async def _end(wire: Wire, houses: tuple[House, ...]) -> None:
    """Wait until the exchange is quiet, and everything it told is in the log."""
    async with asyncio.timeout(90):
        while await wire.ask_list("CoreShowChannels"):
            await asyncio.sleep(0.1)
        for house in houses:
            while any("ended" not in row["phases"] for row in all_rows(house)):
                await asyncio.sleep(0.05)
    await asyncio.sleep(0.5)  # what is told after the end


def rows_of(house: House, desk: Desk) -> list[dict[str, Any]]:
    """The calls that touched a desk, as the log folds them, oldest first."""
    ours = {did_of(desk), f"+{desk.outside}", *desk.phones}
    return [
        row
        for row in all_rows(house)
        if {row.get("to"), row.get("from")} & ours or any(leg["extension"] in ours for leg in row.get("legs") or ())
    ]


def all_rows(house: House) -> list[dict[str, Any]]:
    """Every call by its id."""
    calls: dict[str, dict[str, Any]] = {}
    for touch in house.fake.logged:
        call = calls.setdefault(touch.external_id or "", {"id": touch.external_id, "phases": [], "touches": []})
        call |= touch.call or {}
        call["phases"].append(touch.phase)
        call["touches"].append(touch)
        call.setdefault("direction", str(touch.direction))
        call.setdefault("party", list(touch.party))
    return list(calls.values())
