"""Folds the events of one PBX into calls, and tells each phase once. Pure: the time comes in with the events.

A call is a Linkedid. Who talks is read from the bridges, not from dial results, so that transfers of every kind
(REFER, BlindTransfer, Atxfer, Redirect, pick-up) need no rules of their own. Events may come twice, and those that
Asterisk sends "at once" in any order.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import orjson

from channels.asterisk.bridges import Bridges
from channels.asterisk.call import Call, Leg
from channels.asterisk.endpoints import Endpoints
from channels.asterisk.events import READERS, Event, given, stamp
from channels.asterisk.verdict import find_caller_of_ours, find_facts, find_number, find_operator
from channels.touch import Direction

_REMEMBERED = 2_000
_FORGET_AFTER = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Phase:
    """One step of a call, to become a touch. `key` is the same whenever the same step is read again. `extension` is
    whose step it is, `maker` who made a call of ours."""

    call: str
    name: str
    key: str
    at: datetime
    direction: Direction
    number: str
    caller_name: str
    did: str
    extension: str | None
    maker: str | None
    facts: Mapping[str, Any]
    remarks: tuple[str, ...] = ()


@dataclass(slots=True)
class Calls:
    """The calls of one PBX as its events tell them. `keys()` maps extensions to operators."""

    endpoints: Endpoints
    keys: Callable[[], Mapping[str, str]]
    live: dict[str, Call] = field(default_factory=dict)
    done: OrderedDict[str, Call] = field(default_factory=OrderedDict)
    bridges: Bridges = field(default_factory=Bridges)
    owner: dict[str, Call] = field(default_factory=dict)
    members: dict[tuple[str, str], bool] = field(default_factory=dict)
    known_queues: set[str] = field(default_factory=set)
    strict: bool = False
    """Every call that lasts is known: what is heard of another one whose beginning was not heard is old news."""
    _phases: list[Phase] = field(default_factory=list)
    _expected: dict[str, str] = field(default_factory=dict)
    _routes: OrderedDict[str, str] = field(default_factory=OrderedDict)

    def feed(self, event: Event, now: datetime) -> list[Phase]:
        """Read one event; answers the phases that it completes, in order."""
        self._phases = []
        read = READERS.get(event.get("Event", ""))
        if read is not None:
            at = stamp(event, now)
            if not self._is_repeat(event):
                read(self, event, at)
        return self._phases

    def expect(self, call: str, number: str) -> None:
        """A call of this id will be made by us, to this number."""
        self._expected[call] = number

    def forget_expected(self, call: str) -> None:
        """It will not be made after all."""
        self._expected.pop(call, None)

    def routed(self, call: str, answer: str) -> None:
        """What the dialplan was told about a call; it may be told before the first event is read."""
        found = self.live.get(call)
        if found is not None:
            found.route = answer
        else:
            self._routes[call] = answer
            while len(self._routes) > _REMEMBERED:
                self._routes.popitem(last=False)

    def find(self, call: str) -> Call | None:
        """A call that lasts."""
        return self.live.get(call)

    # -- who is who ------------------------------------------------------------------------------------------------

    def leg(self, event: Event, at: datetime, prefix: str = "") -> tuple[Call, Leg] | None:
        """The leg that an event speaks of, and its call; both are made if this is the first that is heard of them."""
        uid, linked = event.get(f"{prefix}Uniqueid", ""), event.get(f"{prefix}Linkedid", "")
        if not uid:
            return None
        call = self.owner.get(uid)
        if call is None or (linked and linked != call.id):
            if (linked or uid) in self.done or not linked or self._is_old_news(event, uid, linked):
                return (call, call.legs[uid]) if call is not None else None
            call = self._move(uid, linked, at, call)
        leg = call.legs.get(uid)
        if leg is None:
            name = event.get(f"{prefix}Channel", "")
            leg = Leg(uid, name, at, self.endpoints.of(name))
            leg.number = given(event, f"{prefix}CallerIDNum")
            leg.caller_name = given(event, f"{prefix}CallerIDName")
            leg.exten, leg.context = event.get(f"{prefix}Exten", ""), event.get(f"{prefix}Context", "")
            call.legs[uid] = leg
            call.live.add(uid)
            self.bridges.note(uid, name)
        return call, leg

    def _is_old_news(self, event: Event, uid: str, linked: str) -> bool:
        """A call begins with the channel that it is named after."""
        if not self.strict or linked in self.live or linked in self._expected:
            return False
        return event.get("Event") != "Newchannel" or uid != linked

    def _move(self, uid: str, linked: str, at: datetime, before: Call | None) -> Call:
        """A channel belongs to a call, or joins an older one (attended transfer by the telephone itself)."""
        call = self.live.get(linked)
        if call is None:
            call = self.live[linked] = Call(linked, at)
            call.expected = self._expected.pop(linked, "")
            call.route = self._routes.pop(linked, "")
        self.owner[uid] = call
        if before is not None and before is not call:
            call.legs.setdefault(uid, _afresh(before.legs[uid]))  # it may have been heard in there already
            call.live.add(uid)
            before.live.discard(uid)
            self.end_if_over(before, at)
        return call

    def _is_repeat(self, event: Event) -> bool:
        """The very same event again: told by its time stamp of microseconds. Unstamped ones are taken as they come."""
        if "Timestamp" not in event:
            return False
        call = self.owner.get(event.get("Uniqueid") or event.get("DestUniqueid") or "")
        if call is None:
            return False
        print_ = hash(tuple(event.values()))
        if print_ in call.seen:
            return True
        call.seen.add(print_)
        return False

    # -- phases ----------------------------------------------------------------------------------------------------

    def emit(self, call: Call, name: str, what: str, at: datetime, extension: str | None = None) -> None:
        """Tell a phase, unless it was told."""
        key = f"{call.id}|{name}|{what}" if what else f"{call.id}|{name}"
        direction = call.find_direction()
        if key in call.emitted or direction is None:
            return
        call.emitted.add(key)
        number, caller_name = find_number(call)
        origin = call.origin
        did = origin.exten if origin is not None and direction is Direction.INBOUND else ""
        call.told = find_facts(call, self.keys())
        talker = extension or find_operator(call)
        maker = find_caller_of_ours(call) if direction is not Direction.INBOUND else None
        told, remarks = call.told, tuple(call.remarks)
        self._phases.append(
            Phase(call.id, name, key, at, direction, number, caller_name, did, talker or maker, maker, told, remarks)
        )
        call.remarks = []

    def settle(self, call: Call, at: datetime) -> None:
        """Who talks with whom, after something changed in a bridge or on hold."""
        if call.find_direction() is None or call.ended_at is not None:
            return
        ours: list[str] = []
        alone = False
        for other in call.others():
            heard = self.bridges.heard_by(other.uid)
            alone = alone or bool(heard)
            found = [uid for uid in heard if self._is_ours(call, uid, at)]
            ours += [uid for uid in found if uid not in ours]
        self._turn(call, ours, alone, at)

    def _is_ours(self, call: Call, uid: str, at: datetime) -> bool:
        leg = call.legs.get(uid)
        if leg is None and (other := self.owner.get(uid)) is not None:
            leg = call.legs[uid] = _afresh(other.legs[uid])
        if leg is None or any(leg is one for one in call.others()):
            return False
        return call.is_person(leg)

    def _turn(self, call: Call, ours: list[str], alone: bool, at: datetime) -> None:
        talk = call.talk
        was, mode_was = set(talk.present), talk.mode
        if ours:
            mode = "hold" if any(uid in talk.holding for uid in ours) else "talk"
        else:  # held while the operator asks somebody else
            keeps = any(call.legs[uid].ended_at is None for uid in talk.holding if uid in call.legs)
            mode = "hold" if talk.mode == "hold" and alone and keeps else ""
        talk.turn(mode, at)
        talk.present = tuple(ours)
        for uid in was.difference(ours):
            if mode != "hold" or uid not in talk.holding:  # who asks somebody else is still in the call
                call.legs[uid].left_at = at
        fresh = [uid for uid in ours if uid not in was]
        for uid in fresh:
            leg = call.legs[uid]
            first = leg.talked_at is None
            leg.talked_at, leg.left_at, leg.asked_by = leg.talked_at or at, None, None
            again, talk.last = talk.last is not None, uid
            if first:
                talk.told_hold = False
                self.emit(call, "transferred" if again else "answered", uid, at)
        if not fresh and ours and talk.last not in ours:
            talk.last = ours[-1]
        self._tell_hold(call, mode, mode_was, at)

    def _tell_hold(self, call: Call, mode: str, mode_was: str, at: datetime) -> None:
        began = mode == "hold" and mode_was != "hold"
        if began or (mode == "talk" and call.talk.told_hold):
            call.talk.told_hold = began
            self.emit(call, "held" if began else "resumed", str(int(at.timestamp() * 1_000_000)), at)

    def end_if_over(self, call: Call, at: datetime) -> None:
        """A call whose last channel is gone is over."""
        if call.live or call.ended_at is not None:
            return
        call.talk.turn("", at)
        for uid in call.talk.present:
            call.legs[uid].left_at = call.legs[uid].left_at or at
        call.talk.present = ()
        call.ended_at = at
        visit = call.waits_in()
        if visit is not None and call.talk.answered_at is not None:
            visit.left_at = call.talk.answered_at
        self.emit(call, "ended", "", at)
        self.live.pop(call.id, None)
        self.done[call.id] = call
        self._forget(at)

    def _forget(self, at: datetime) -> None:
        while self.done:
            oldest = next(iter(self.done.values()))
            recent = oldest.ended_at is not None and oldest.ended_at > at - _FORGET_AFTER
            if recent and len(self.done) <= _REMEMBERED:
                return
            self.done.pop(oldest.id)
            for uid in oldest.legs:
                if self.owner.get(uid) is oldest:
                    del self.owner[uid]

    def tell_late(self, call: Call, at: datetime) -> None:
        """What comes to light after the end (recording, voice mail, why) is one more phase."""
        if call.ended_at is None or call.find_direction() is None:
            return
        facts = find_facts(call, self.keys())
        if facts != call.told:
            digest = hashlib.sha1(orjson.dumps(facts, option=orjson.OPT_SORT_KEYS), usedforsecurity=False).hexdigest()
            self.emit(call, "completed", digest[:12], max(at, call.ended_at))

    def drop(self, call: Call) -> None:
        """Forget a call without a word: it is told by other means."""
        self.live.pop(call.id, None)
        for uid in call.legs:
            self.owner.pop(uid, None)
            self.bridges.forget(uid)

    def close_unseen(self, call: Call, at: datetime, remark: str) -> list[Phase]:
        """End a call whose end nobody saw."""
        self._phases = []
        self.live.setdefault(call.id, call)
        call.lost = True
        call.remarks.append(remark)
        call.live.clear()
        self.end_if_over(call, at)
        return self._phases

    def staffing(self, queue: str, interface: str, available: bool | None) -> None:
        """A member of a queue can be rung, cannot, or is no longer one (None)."""
        self.known_queues.add(queue)
        if available is None:
            self.members.pop((queue, interface), None)
        else:
            self.members[queue, interface] = available
        if available:
            for call in self.live.values():
                visit = call.waits_in()
                if visit is not None and visit.queue == queue:
                    visit.staffed = True

    def is_staffed(self, queue: str) -> bool:
        """Whether somebody in the queue can be rung; a queue that nothing is known about is given the benefit."""
        if queue not in self.known_queues:
            return True
        return any(available for (name, _), available in self.members.items() if name == queue)


def _afresh(leg: Leg) -> Leg:
    """A channel that talked in one call and comes to another has not yet talked in that one."""
    return replace(leg, talked_at=None, left_at=None, asked_by=None)
