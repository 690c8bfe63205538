"""Long messages that come in parts: each part is safe before it is acknowledged, the whole is delivered once.

Everything unfinished stands under one key of the line's memory, so that nothing is forgotten: a message whose rest
never comes is delivered as far as it came. Parts of what was delivered lately are known again and need no answer but
an acknowledgement. Phones count their references from 0 to 255 and begin anew: a part that contradicts one that is
there already begins another message.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from channels.contract import Memory
from channels.sms.pdu import Place, Short
from channels.sms.shelf import Shelf

_KNOWN_FOR = timedelta(hours=1)
_MOST_OPEN = 1000
_MOST_KNOWN = 500


@dataclass(slots=True)
class Group:
    """The parts of one message, by number."""

    name: str
    total: int
    began: float
    pdus: dict[int, bytes] = field(default_factory=dict)

    @property
    def is_whole(self) -> bool:
        """Nothing is missing."""
        return len(self.pdus) == self.total

    @property
    def key(self) -> str:
        """The same whenever and however often the message is put together."""
        told = hashlib.sha256(f"{self.name} {self.began}".encode())
        for number in sorted(self.pdus):
            told.update(self.pdus[number][16:])
        return f"joined:{told.hexdigest()[:32]}"


class Joiner:
    """The messages of which some parts have come."""

    def __init__(self, memory: Memory, now: Callable[[], datetime], patience: timedelta) -> None:
        self._now, self._patience = now, patience
        self._shelf = Shelf(memory, "sms parts", self._dump)
        self._open: dict[str, Group] = {}
        self._known: dict[str, float] = {}
        self._late: list[Group] = []

    async def begin(self) -> None:
        """Go on from what is safe. Parts that were never safe were never acknowledged, and come again."""
        self._open, self._known, self._late = {}, {}, []
        kept = json.loads(await self._shelf.load() or "{}")
        for name, total, began, pdus in kept.get("open", ()):
            parts = {int(number): base64.b64decode(pdu) for number, pdu in pdus.items()}
            group = Group(name, total, began, parts)
            if name in self._open:
                self._late.append(self._open[name])
            self._open[name] = group
        self._known = dict(kept.get("known", {}))

    async def add(self, short: Short, place: Place, pdu: bytes) -> Group | None:
        """Take a part in. Answers the group when it is whole (to be delivered and then `finish`ed), else None: safe."""
        name = f"{short.source} {short.destination} {place.reference} {place.total}"
        part = _digest(name, place.number, pdu)
        if part in self._known:
            return None
        group = self._open.get(name)
        if group is not None and group.pdus.get(place.number, pdu)[16:] != pdu[16:]:
            self._late.append(group)
            group = None
        if group is None:
            group = self._open[name] = Group(name, place.total, self._now().timestamp())
        group.pdus[place.number] = pdu
        if group.is_whole:
            return group
        if len(self._open) > _MOST_OPEN:
            oldest = min(self._open, key=lambda each: self._open[each].began)
            self._late.append(self._open.pop(oldest))
        await self._shelf.save()
        return None

    def overdue(self) -> list[Group]:
        """Messages whose rest is not waited for any longer."""
        edge = (self._now() - self._patience).timestamp()
        return [*self._late, *(group for group in self._open.values() if group.began <= edge)]

    async def finish(self, group: Group) -> None:
        """It is delivered: forget its parts, but know them again."""
        if self._open.get(group.name) is group:
            del self._open[group.name]
        self._late = [each for each in self._late if each is not group]
        now = self._now().timestamp()
        for number, pdu in group.pdus.items():
            self._known[_digest(group.name, number, pdu)] = now
        await self._shelf.save()

    def _dump(self) -> str:
        edge = (self._now() - _KNOWN_FOR).timestamp()
        self._known = dict([(part, at) for part, at in self._known.items() if at > edge][-_MOST_KNOWN:])
        groups = [
            (group.name, group.total, group.began, {n: base64.b64encode(pdu).decode() for n, pdu in group.pdus.items()})
            for group in (*self._late, *self._open.values())
        ]
        return json.dumps({"open": groups, "known": self._known})


def _digest(name: str, number: int, pdu: bytes) -> str:
    return hashlib.sha256(f"{name} {number} ".encode() + pdu[16:]).hexdigest()[:16]
