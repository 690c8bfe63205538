"""One call: its legs, its waits in queues, its talk and hold: what happened, not yet what it means. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from channels.asterisk.endpoints import Endpoint, Side
from channels.touch import Direction

BY_KEY = "EXITWITHKEY"
"""As the queue log calls it."""
_LONG = 7
"""So many digits are a number outside; fewer are an extension."""


@dataclass(slots=True)
class Leg:
    """One channel of a call. Instants are None until they came; `status` is what became of dialling it.

    `asked_by` is the channel of ours that dialled this one while it held the other side, until the two talk.
    """

    uid: str
    name: str
    at: datetime
    endpoint: Endpoint
    number: str = ""
    caller_name: str = ""
    exten: str = ""
    context: str = ""
    source: str | None = None
    dialled_at: datetime | None = None
    dial_string: str = ""
    wanted: str = ""
    queue: str | None = None
    ringing_at: datetime | None = None
    status: str = ""
    dial_ended_at: datetime | None = None
    up_at: datetime | None = None
    talked_at: datetime | None = None
    left_at: datetime | None = None
    asked_at: datetime | None = None
    asked_by: str | None = None
    cause: str = ""
    ended_at: datetime | None = None

    @property
    def extension(self) -> str | None:
        """Whose phone it is."""
        return self.endpoint.extension

    @property
    def picked_up(self) -> bool:
        """Somebody lifted the receiver."""
        return self.talked_at is not None or self.status == "ANSWER"

    @property
    def rings(self) -> bool:
        """It rings now."""
        return self.dialled_at is not None and not self.status and not self.picked_up and self.ended_at is None


@dataclass(slots=True)
class Visit:
    """One wait in a queue. `staffed` = somebody could have been rung, `deserted` = nobody any more when it ended;
    `status` is QUEUESTATUS, if it was seen, or `BY_KEY`: the caller pressed the digit that leads out. `place` is where
    in the dialplan he joined."""

    queue: str
    joined_at: datetime
    left_at: datetime | None = None
    status: str = ""
    staffed: bool = False
    deserted: bool = False
    place: tuple[str, str] = ("", "")


@dataclass(slots=True)
class Talk:
    """How long the other side was talked to, and held. `holding` are the channels that pressed hold; `told_hold` says
    that a hold was told whose end was not."""

    mode: str = ""
    since: datetime | None = None
    talk_s: float = 0.0
    hold_s: float = 0.0
    answered_at: datetime | None = None
    holding: set[str] = field(default_factory=set)
    told_hold: bool = False
    present: tuple[str, ...] = ()
    last: str | None = None

    def turn(self, mode: str, at: datetime) -> None:
        """From now on it is talk, hold, or neither."""
        if mode == self.mode:
            return
        if self.since is not None:
            spent = max((at - self.since).total_seconds(), 0.0)
            self.talk_s += spent if self.mode == "talk" else 0.0
            self.hold_s += spent if self.mode == "hold" else 0.0
        self.mode = mode
        self.since = at if mode else None
        if mode and self.answered_at is None:
            self.answered_at = at


@dataclass(slots=True)
class Call:
    """One Linkedid. `before` are the facts that the log already holds when a call is taken up after a gap."""

    id: str
    at: datetime
    legs: dict[str, Leg] = field(default_factory=dict)
    live: set[str] = field(default_factory=set)
    visits: list[Visit] = field(default_factory=list)
    talk: Talk = field(default_factory=Talk)
    direction: Direction | None = None
    expected: str = ""
    route: str = ""
    queue_status: str = ""
    last_application: str = ""
    completed_by: str = ""
    recorders: list[str] = field(default_factory=list)
    recordings: list[str] = field(default_factory=list)
    pauses: list[tuple[datetime, datetime | None]] = field(default_factory=list)
    voicemail: str | None = None
    ended_at: datetime | None = None
    lost: bool = False
    remarks: list[str] = field(default_factory=list)
    before: Mapping[str, Any] = field(default_factory=dict)
    emitted: set[str] = field(default_factory=set)
    told: Mapping[str, Any] = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)

    @property
    def origin(self) -> Leg | None:
        """The channel that began it."""
        return self.legs.get(self.id) or next(iter(self.legs.values()), None)

    @property
    def originated(self) -> bool:
        """A program dialled the first channel (click to call)."""
        origin = self.origin
        return origin is not None and origin.dialled_at is not None and origin.source is None

    def find_direction(self) -> Direction | None:
        """Which way it goes, as soon as that is sure; then for good. None: nobody was called (feature codes)."""
        if self.direction is None:
            self.direction = self._direction()
        return self.direction

    def _direction(self) -> Direction | None:
        origin = self.origin
        if origin is None:
            return None
        if origin.endpoint.side is Side.OUTSIDE:
            return Direction.OUTBOUND if self.originated else Direction.INBOUND
        dialled = [leg for leg in self.legs.values() if leg.dialled_at is not None and leg is not origin]
        if any(leg.endpoint.side is Side.OUTSIDE for leg in dialled):
            return Direction.OUTBOUND
        wanted = self.expected or (origin.wanted if self.originated else "")
        if wanted:
            return Direction.OUTBOUND if len(wanted.strip("+")) >= _LONG else Direction.INTERNAL
        if self.visits or any(leg.endpoint.side is Side.PHONE for leg in dialled):
            return Direction.INTERNAL
        return None

    def others(self) -> list[Leg]:
        """The other side: the caller, or those whom we called."""
        origin = self.origin
        if self.direction is Direction.OUTBOUND:
            return [leg for leg in self.legs.values() if leg.endpoint.side is Side.OUTSIDE]
        return [origin] if origin is not None else []

    def attempts(self) -> list[Leg]:
        """Our side: everybody tried or talking, in the order of trying. Conduits that dialled further are not shown."""
        origin = self.origin
        theirs = {leg.uid for leg in self.others()}
        dialling = {leg.source for leg in self.legs.values()}
        found = []
        for leg in self.legs.values():
            if leg.uid in theirs:
                continue
            if leg.endpoint.side is Side.LOCAL and not self.is_person(leg, dialling):
                continue
            if leg.dialled_at is not None or leg.talked_at is not None or leg is origin:
                found.append(leg)
        return found

    def is_person(self, leg: Leg, dialling: set[str | None] | None = None) -> bool:
        """A Local channel is one only when something behind it answers that is no channel (an application)."""
        if leg.endpoint.side is not Side.LOCAL:
            return True
        if not leg.picked_up or not leg.name.endswith(";1"):
            return False
        half = leg.name[:-1] + "2"
        sources = dialling if dialling is not None else {one.source for one in self.legs.values()}
        return not any(one.uid in sources for one in self.legs.values() if one.name == half)

    def waits_in(self) -> Visit | None:
        """The queue it waits in now."""
        return self.visits[-1] if self.visits and self.visits[-1].left_at is None else None

    def ringing(self) -> list[str]:
        """The extensions that ring for it now."""
        found = [leg.extension for leg in self.attempts() if leg.rings and leg.extension]
        return list(dict.fromkeys(found))
