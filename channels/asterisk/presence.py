"""How operators and queues are now, folded from queue members, device states and waiting callers. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from channels.asterisk.endpoints import Endpoints
from channels.asterisk.events import Event, stamp
from channels.contract import OperatorPresence, OperatorState, Presence, QueuePresence

_OFFLINE = frozenset({"UNAVAILABLE", "INVALID"})
_RINGING = frozenset({"RINGING"})
_TALKING = frozenset({"INUSE", "BUSY", "ONHOLD", "RINGINUSE"})
_DEVICE_OF_STATUS = {"1": "NOT_INUSE", "2": "INUSE", "3": "BUSY", "4": "INVALID", "5": "UNAVAILABLE", "6": "RINGING"}
_DEVICE_OF_STATUS |= {"7": "RINGINUSE", "8": "ONHOLD"}
_MEMBERS = {"QueueMember", "QueueMemberAdded", "QueueMemberPause", "QueueMemberStatus", "QueueMemberRemoved"}
_READ = frozenset(_MEMBERS | {"DeviceStateChange", "QueueCallerJoin", "QueueCallerLeave", "Hangup"})


@dataclass(slots=True)
class _Phone:
    """What is known of one extension. `pauses` maps a queue to the reason of the pause."""

    device: str = "UNKNOWN"
    queues: dict[str, bool] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    state: OperatorState = OperatorState.OFFLINE
    since: datetime | None = None


@dataclass(slots=True)
class Board:
    """The live picture of one PBX. Feed it the same events as the calls; `changed` says that it is worth telling."""

    line: str
    endpoints: Endpoints
    keys: Callable[[], Mapping[str, str]]
    queues: dict[str, dict[str, datetime]] = field(default_factory=dict)
    changed: bool = False
    _phones: dict[str, _Phone] = field(default_factory=dict)

    def feed(self, event: Event, now: datetime) -> None:
        """Read one event."""
        name = event.get("Event", "")
        if name not in _READ:
            return
        at = stamp(event, now)
        if name == "DeviceStateChange":
            self._device(event.get("Device", ""), event.get("State", ""), at)
        elif name == "QueueCallerJoin":
            self.queues.setdefault(event.get("Queue", ""), {}).setdefault(event.get("Uniqueid", ""), at)
            self.changed = True
        elif name == "QueueCallerLeave":
            self.queues.get(event.get("Queue", ""), {}).pop(event.get("Uniqueid", ""), None)
            self.changed = True
        elif name == "Hangup":
            for waiting in self.queues.values():
                self.changed = waiting.pop(event.get("Uniqueid", ""), None) is not None or self.changed
        else:
            self._member(event, at)

    def begin_again(self, queues: list[str], waiting: dict[str, dict[str, datetime]]) -> None:
        """Start from what the PBX says of its queues; members and devices follow as events."""
        self.queues = {queue: dict(waiting.get(queue, {})) for queue in queues}
        for phone in self._phones.values():
            phone.queues.clear()
            phone.reasons.clear()
        self.changed = True

    def picture(self, now: datetime) -> Presence:
        """The whole of it. Phones that belong to nobody are shown only when they are in a queue."""
        keys = self.keys()
        operators = [
            OperatorPresence(
                extension,
                keys.get(extension),
                phone.state,
                phone.since or now,
                tuple(sorted(phone.queues)),
                _is_paused(phone),
                next((reason for reason in phone.reasons.values() if reason), ""),
            )
            for extension, phone in sorted(self._phones.items())
            if extension in keys or phone.queues
        ]
        queues = [
            QueuePresence(queue, len(waiting), min(waiting.values(), default=None))
            for queue, waiting in sorted(self.queues.items())
        ]
        return Presence(self.line, now, tuple(operators), tuple(queues))

    def _device(self, device: str, state: str, at: datetime) -> None:
        extension = self._extension(device)
        if extension is not None:
            phone = self._phones.setdefault(extension, _Phone())
            phone.device = state
            self._judge(phone, at)

    def _member(self, event: Event, at: datetime) -> None:
        interface = event.get("StateInterface") or event.get("Interface") or event.get("Location", "")
        self.endpoints.note_member(interface)
        extension = self._extension(interface)
        if extension is None:
            return
        phone = self._phones.setdefault(extension, _Phone())
        queue = event.get("Queue", "")
        self.queues.setdefault(queue, {})
        if event.get("Event") == "QueueMemberRemoved":
            phone.queues.pop(queue, None)
            phone.reasons.pop(queue, None)
        else:
            phone.queues[queue] = event.get("Paused", "0") == "1"
            phone.reasons[queue] = event.get("PausedReason", "") if phone.queues[queue] else ""
            phone.device = _DEVICE_OF_STATUS.get(event.get("Status", ""), phone.device)
        self.changed = True
        self._judge(phone, at)

    def _extension(self, device: str) -> str | None:
        found = self.endpoints.extension_of(device.removesuffix("/n"))
        return found if found is not None else None

    def _judge(self, phone: _Phone, at: datetime) -> None:
        state = _state_of(phone)
        if state is not phone.state or phone.since is None:
            phone.state, phone.since = state, at
            self.changed = True


def _state_of(phone: _Phone) -> OperatorState:
    if phone.device in _TALKING:
        return OperatorState.TALKING
    if phone.device in _RINGING:
        return OperatorState.RINGING
    if phone.device in _OFFLINE:
        return OperatorState.OFFLINE
    return OperatorState.PAUSED if _is_paused(phone) else OperatorState.FREE


def _is_paused(phone: _Phone) -> bool:
    """Paused in every queue he is in: one queue paused of two still lets calls through."""
    return bool(phone.queues) and all(phone.queues.values())
