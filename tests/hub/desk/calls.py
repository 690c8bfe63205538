"""Calls as a telephone line hands them in, phase by phase, for the desk's tests."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from channels.touch import Direction, Identity, Kind, Touch
from hub import clock
from tests.hub.desk.office import Office

KEYS = {"101": "anna", "102": "boris", "103": "vera"}
_COUNT = itertools.count(1)

GATES = """
[regulation.source]
kind = "gate"
for = { kind = ["call"] }
require = ["source"]
[regulation.source.title]
ru = "Спросить, откуда о нас узнали"
uk = "Запитати, звідки про нас дізналися"
pl = "Zapytać, skąd klient o nas wie"
en = "Ask how they heard of us"

[regulation.competitor]
kind = "gate"
for = { kind = ["call"], disposition = ["refused"] }
require = ["competitor"]
[regulation.competitor.title]
ru = "При отказе: кого выбрали"
uk = "У разі відмови: кого обрали"
pl = "Przy odmowie: kogo wybrano"
en = "On refusal: whom they chose"

[line.pbx]
channel = "asterisk"
title = { ru = "Офисная АТС", uk = "Офісна АТС", pl = "Centrala", en = "Office PBX" }
team = "support"
host = "127.0.0.1"
port = 1
username = "hub"
secret = "demo"
queues = { support = "support", night = "support" }
"""


@dataclass
class Caller:
    """One inbound call. What happens to it is told by its methods, each of which is one touch."""

    office: Office
    number: str | None = "+79261234567"
    queue: str | None = "support"
    direction: Direction = Direction.INBOUND
    name: str | None = None
    id: str = ""
    interaction: int = 0
    legs: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.id = self.id or f"call-{next(_COUNT)}"

    async def ring(self, *extensions: str) -> int:
        """These telephones ring (all of them are added at once)."""
        for extension in extensions:
            self.legs.append(_leg(extension, rang_at=_now()))
        return await self._tell("ringing", ringing=extensions)

    async def unanswered(self, *still: str) -> int:
        """Whoever rang does so no more, but for these."""
        for leg in self.legs:
            if leg["answered_at"] is None and leg["extension"] not in still:
                leg |= {"ended_at": leg["ended_at"] or _now(), "result": leg["result"] or "no_answer"}
        return await self._tell("unanswered", ringing=still)

    async def answer(self, extension: str) -> int:
        """He picks up; if somebody talked before, it was handed over to him."""
        leg = next((one for one in self.legs if one["extension"] == extension), None)
        if leg is None:
            leg = _leg(extension, rang_at=_now())
            self.legs.append(leg)
        for other in self.legs:
            if other["answered_at"] is not None and other["ended_at"] is None:
                other["ended_at"] = _now()
        leg |= {"answered_at": _now(), "result": "answered"}
        ringing = [one["extension"] for one in self.legs if one["result"] is None]
        facts = {"outcome": "answered", "operator": KEYS[extension], "answered_at": _now()}
        return await self._tell("answered", ringing=ringing, talker=extension, **facts)

    async def hold(self) -> int:
        """The client waits."""
        return await self._tell("held", ringing=(), held_since=_now())

    async def ask(self, extension: str, by: str) -> int:
        """The client waits on, and somebody else is rung."""
        self.legs.append(_leg(extension, rang_at=_now()) | {"asked_by": KEYS[by]})
        return await self._tell("ringing", ringing=(extension,), talker=by)

    async def talk_aside(self, by: str) -> int:
        """Whoever was asked picks up."""
        self.legs[-1] |= {"answered_at": _now(), "result": "answered"}
        return await self._tell("asking", ringing=(), talker=by)

    async def take_back(self, by: str) -> int:
        """The client is talked to again, and who was asked is gone."""
        self.legs[-1] |= {"ended_at": _now(), "result": self.legs[-1]["result"] or "cancelled"}
        return await self._tell("resumed", ringing=(), talker=by, held_since=None)

    async def connect(self, to: str) -> int:
        """The two of them talk."""
        self.legs[-1] |= {"asked_by": None, "answered_at": _now()}
        for leg in self.legs[:-1]:
            leg["ended_at"] = leg["ended_at"] or _now()
        return await self._tell("transferred", ringing=(), talker=to, operator=KEYS[to], held_since=None)

    async def silence(self, paused: bool = True) -> int:
        """The recording is paused, or goes on."""
        pause = {"from": _now(), "to": None if paused else _now()}
        return await self._tell("recording_paused" if paused else "recording_resumed", (), recording_pauses=[pause])

    async def is_recorded(self, path: str) -> int:
        """What the exchange tells after the end."""
        return await self._tell("completed", (), recording=path, recordings=[path])

    async def end(self) -> int:
        """Both have hung up, or the caller before anybody answered."""
        talked = any(leg["answered_at"] for leg in self.legs)
        for leg in self.legs:
            leg |= {"ended_at": leg["ended_at"] or _now(), "result": leg["result"] or "cancelled"}
        outcome = {"outcome": "answered", "talk_s": 3.0} if talked else {"outcome": "missed", "reason": "abandoned"}
        return await self._tell("ended", ringing=(), ended_at=_now(), ended_by="caller", **outcome)

    async def _tell(self, phase: str, ringing: Sequence[str], talker: str | None = None, **facts: Any) -> int:
        sides = {"from": self.number, "to": "+78123258351"}
        if self.direction is Direction.OUTBOUND:
            sides = {"from": "101", "to": self.number}
        touch = Touch(
            line="pbx",
            event_key=f"{self.id}|{phase}|{next(_COUNT)}",
            kind=Kind.CALL,
            direction=self.direction,
            at=clock.now(),
            party=(Identity("phone", self.number, self.name),) if self.number else (),
            external_id=self.id,
            operator=talker,
            phase=phase,
            call={
                **sides,
                "queue": self.queue,
                "legs": [dict(leg) for leg in self.legs],
                "ringing": list(ringing),
                **facts,
            },
        )
        self.interaction = await self.office.hear(touch)
        return self.interaction


def _leg(extension: str, rang_at: str | None) -> dict[str, Any]:
    return {
        "id": f"leg-{next(_COUNT)}",
        "operator": KEYS.get(extension),
        "extension": extension,
        "rang_at": rang_at,
        "answered_at": None,
        "ended_at": None,
        "result": None,
    }


def _now() -> str:
    return clock.now().isoformat()


def at(moment: datetime) -> str:
    """What a datetime-local field takes."""
    return moment.strftime("%Y-%m-%dT%H:%M")
