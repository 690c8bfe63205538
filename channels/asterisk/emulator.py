"""A small AMI server of ours that plays recorded streams: a PBX for `touchline demo` and for tests, without a PBX.

It signs in, answers what the line asks, keeps a list of the channels that the played events imply, and sends events
with the time of their playing. It knows who is in its queues and who pauses. It places no calls: what an operator
clicks is refused with a reason.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Self

from channels.asterisk.wire import read_frame

Event = Mapping[str, str]

_BLANK = re.compile(rb"\r?\n\r?\n")
_LISTS = {
    "QueueStatus": "QueueStatusComplete",
    "CoreShowChannels": "CoreShowChannelsComplete",
    "DeviceStateList": "DeviceStateListComplete",
    "PJSIPShowEndpoints": "EndpointListComplete",
}
_EPOCH = re.compile(r"(?P<before>(?:^|-))(?P<epoch>\d{9,})\.(?P<counter>\d+)$")
_IDS = ("Uniqueid", "Linkedid", "DestUniqueid", "DestLinkedid", "UniqueID", "LinkedID")


@dataclass
class Emulator:
    """Listens on `port` (0 = any). `queues` maps a queue to the interfaces of its members, `now` tells the time.

    `segment` cuts what is sent into pieces of so many bytes; while it is `deaf`, nothing that is asked is answered.
    """

    now: Callable[[], datetime]
    username: str = "hub"
    secret: str = "demo"  # noqa: S105 (nothing is behind it)
    queues: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    port: int = 0
    segment: int = 0
    deaf: bool = False
    asked: list[dict[str, str]] = field(default_factory=list)
    _channels: dict[str, dict[str, str]] = field(default_factory=dict)
    _members: dict[str, dict[str, str]] = field(default_factory=dict)
    _played: int = 0
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)
    _server: asyncio.Server | None = None

    def __post_init__(self) -> None:
        """Nobody pauses yet: the reason of a member's pause is empty."""
        self._members = {queue: dict.fromkeys(members, "") for queue, members in self.queues.items()}

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        self.drop()
        if self._server is not None:
            await self._server.wait_closed()

    @property
    def pausing(self) -> frozenset[str]:
        """The interfaces that pause in every queue they are in."""
        reasons: dict[str, list[str]] = {}
        for members in self._members.values():
            for interface, reason in members.items():
                reasons.setdefault(interface, []).append(reason)
        return frozenset(interface for interface, several in reasons.items() if all(several))

    def drop(self) -> None:
        """Break every connection."""
        for writer in list(self._writers):
            writer.transport.abort()

    async def say(self, event: Event) -> None:
        """Send one event to everybody who is signed in."""
        self._follow(event)
        await self.send("".join(f"{key}: {value}\r\n" for key, value in event.items()).encode() + b"\r\n")

    async def send(self, data: bytes) -> None:
        """Send bytes as they are, in segments if `segment` says so."""
        size = self.segment or len(data) or 1
        for start in range(0, len(data), size):
            for writer in list(self._writers):
                writer.write(data[start : start + size])
                with contextlib.suppress(ConnectionError):
                    await writer.drain()
            if self.segment:
                await asyncio.sleep(0)

    async def play(self, events: Iterable[Event], speed: float = 1.0) -> None:
        """Play a stream with its own pauses (divided by `speed`; 0 = without), as if it happened now."""
        loop = asyncio.get_running_loop()
        began, first = loop.time(), None
        self._played += 1
        for event in retime(events, self.now().timestamp(), self._played):
            at = float(event["Timestamp"]) if "Timestamp" in event else None
            if at is not None and speed:
                first = at if first is None else first
                await asyncio.sleep(max(0.0, began + (at - first) / speed - loop.time()))
            await self.say(event)

    def _follow(self, event: Event) -> None:
        """The channels that there are now."""
        uid = event.get("Uniqueid", "")
        name = event.get("Event")
        if name == "Newchannel":
            self._channels[uid] = {**event, "Event": "CoreShowChannel", "Duration": "00:00:00", "BridgeId": ""}
        elif name == "Hangup":
            self._channels.pop(uid, None)
        elif uid in self._channels and name in ("BridgeEnter", "BridgeLeave"):
            self._channels[uid]["BridgeId"] = event.get("BridgeUniqueid", "") if name == "BridgeEnter" else ""

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"Asterisk Call Manager/11.0.0\r\n")
        try:
            while True:
                action = read_frame((await reader.readuntil(b"\r\n\r\n"))[:-4])
                self.asked.append(action)
                if not self.deaf:
                    self._answer(action, writer)
                    await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.LimitOverrunError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    def _answer(self, action: Event, writer: asyncio.StreamWriter) -> None:
        name = action.get("Action", "")
        if name == "Login":
            self._sign_in(action, writer)
        elif writer not in self._writers:
            _write(writer, action, {"Response": "Error", "Message": "Permission denied"})
        elif name in _LISTS:
            _write(writer, action, {"Response": "Success", "EventList": "start", "Message": "will follow"})
            for item in self._items(name):
                _write(writer, action, item)
            _write(writer, action, {"Event": _LISTS[name], "EventList": "Complete"})
        elif name == "Ping":
            _write(
                writer, action, {"Response": "Success", "Ping": "Pong", "Timestamp": f"{self.now().timestamp():.6f}"}
            )
        elif name in ("Originate", "Redirect", "BlindTransfer", "Atxfer"):
            _write(writer, action, {"Response": "Error", "Message": "There is no PBX behind this demonstration"})
        else:
            _write(writer, action, {"Response": "Success", "Message": "Done"})
            self._tell_members(action)

    def _tell_members(self, action: Event) -> None:
        """Everybody hears who pauses, comes to a queue, or leaves it."""
        interface, name = action.get("Interface", ""), action.get("Action")
        wanted = (action["Queue"],) if action.get("Queue") else tuple(self._members)
        for queue in wanted:
            members = self._members.setdefault(queue, {})
            if name == "QueueAdd":
                members[interface] = ""
                self._tell("QueueMemberAdded", queue, interface)
            elif name == "QueueRemove" and interface in members:
                self._tell("QueueMemberRemoved", queue, interface)
                del members[interface]
            elif name == "QueuePause" and interface in members:
                pauses = action.get("Paused", "").lower() in ("true", "1", "yes")
                members[interface] = (action.get("Reason") or "pause") if pauses else ""
                self._tell("QueueMemberPause", queue, interface)

    def _tell(self, name: str, queue: str, interface: str) -> None:
        said = {"Event": name, "Timestamp": f"{self.now().timestamp():.6f}", **self._member(queue, interface)}
        for writer in self._writers:
            _write(writer, {}, said)

    def _member(self, queue: str, interface: str) -> dict[str, str]:
        reason = self._members[queue][interface]
        return {
            "Queue": queue,
            "MemberName": interface,
            "Interface": interface,
            "StateInterface": interface,
            "Status": "1",
            "Paused": "1" if reason else "0",
            "PausedReason": reason,
        }

    def _sign_in(self, action: Event, writer: asyncio.StreamWriter) -> None:
        if (action.get("Username"), action.get("Secret")) != (self.username, self.secret):
            _write(writer, action, {"Response": "Error", "Message": "Authentication failed"})
            return
        _write(writer, action, {"Response": "Success", "Message": "Authentication accepted"})
        self._writers.add(writer)
        _write(writer, {}, {"Event": "FullyBooted", "Status": "Fully Booted"})

    def _items(self, name: str) -> Iterator[dict[str, str]]:
        if name == "CoreShowChannels":
            yield from self._channels.values()
        elif name == "QueueStatus":
            for queue, members in self._members.items():
                yield {"Event": "QueueParams", "Queue": queue}
                for interface in members:
                    member = {**self._member(queue, interface), "Name": interface, "Location": interface}
                    yield {"Event": "QueueMember", **member}


def _write(writer: asyncio.StreamWriter, action: Event, answer: Mapping[str, str]) -> None:
    lines = [f"{key}: {value}\r\n" for key, value in answer.items() if key != "ActionID"]
    if action.get("ActionID"):
        lines.insert(1, f"ActionID: {action['ActionID']}\r\n")
    writer.write("".join(lines).encode() + b"\r\n")


def read_stream(path: Path) -> list[dict[str, str]]:
    """The events of a recorded stream; answers to somebody else's actions are left out."""
    found = []
    for block in _BLANK.split(path.read_bytes()):
        event = read_frame(b"\r\n".join(block.splitlines()))
        if "Event" in event and ("ActionID" not in event or event["Event"] == "OriginateResponse"):
            found.append(event)
    return found


def retime(events: Iterable[Event], now: float, number: int = 0) -> Iterator[dict[str, str]]:
    """The same story, beginning now: time stamps and the epochs in unique ids are moved alike.

    `number` tells stories apart that begin in the same second: it goes into the counters of the unique ids.
    """
    shift: float | None = None
    for event in events:
        told = dict(event)
        stamp = told.get("Timestamp")
        if stamp is not None:
            shift = now - float(stamp) if shift is None else shift
            told["Timestamp"] = f"{float(stamp) + shift:.6f}"
        for key in _IDS:
            if key in told and shift is not None:
                told[key] = _moved(told[key], int(shift), number)
        yield told


def _moved(uid: str, shift: int, number: int) -> str:
    found = _EPOCH.search(uid)
    if found is None:
        return f"{uid}-{number}" if number and uid else uid
    counter = number * 1000 + int(found["counter"])
    return f"{uid[: found.start()]}{found['before']}{int(found['epoch']) + shift}.{counter}"
