"""After a gap: what the PBX says now becomes events, and is folded by the same rules as any other news.

A snapshot is told as if its channels had just appeared; for what is no longer there, `lookback` looks into the
PBX's own records. Pure but for the questions to the PBX.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from channels.asterisk.call import Call
from channels.asterisk.calls import Calls, Phase
from channels.asterisk.events import Event
from channels.asterisk.presence import Board
from channels.asterisk.wire import Mark, Wire
from channels.contract import OpenCall
from channels.errors import Rejected
from channels.touch import Direction

_DIALLED = ("AppDial", "AppQueue", "(Outgoing Line)")


@dataclass(slots=True)
class Snapshot:
    """What the PBX says now. `channels` is None when it does not say."""

    at: datetime
    channels: list[Event] | None = None
    queues: list[str] = field(default_factory=list)
    members: list[Event] = field(default_factory=list)
    entries: list[Event] = field(default_factory=list)
    devices: list[Event] = field(default_factory=list)

    @property
    def names(self) -> dict[str, str]:
        """Names of queue members -> interfaces."""
        return {one.get("Name", ""): one.get("Location", "") for one in self.members}


async def take_snapshot(wire: Wire, at: datetime) -> Snapshot:
    """Ask for channels, queues and devices; what the manager user may not ask is left open. A `Mark` about the
    snapshot comes among the events where its channels were told."""
    snapshot = Snapshot(at)
    status = await _ask(wire, "QueueStatus") or []
    for item in status:
        name = item.get("Event")
        if name == "QueueParams":
            snapshot.queues.append(item.get("Queue", ""))
        elif name == "QueueMember":
            snapshot.members.append(item)
        elif name == "QueueEntry":
            snapshot.entries.append(item)
    snapshot.devices = await _ask(wire, "DeviceStateList") or []
    snapshot.channels = await _ask(wire, "CoreShowChannels", Mark(snapshot))
    return snapshot


def snapshot_of(mark: Mark) -> Snapshot:
    """The snapshot that a mark among the events is about, with the channels as they were there."""
    snapshot = mark.about
    assert isinstance(snapshot, Snapshot)
    snapshot.channels = mark.listed
    return snapshot


async def _ask(wire: Wire, action: str, mark: Mark | None = None) -> list[Event] | None:
    try:
        return await wire.ask_list(action, mark=mark)
    except Rejected:
        return None


def restore_board(board: Board, snapshot: Snapshot) -> None:
    """Operators and queues as they are now."""
    waiting: dict[str, dict[str, datetime]] = {}
    for entry in snapshot.entries:
        since = snapshot.at - timedelta(seconds=_seconds(entry.get("Wait", "0")))
        waiting.setdefault(entry.get("Queue", ""), {})[entry.get("Uniqueid", "")] = since
    board.begin_again(snapshot.queues, waiting)
    for event in (*snapshot.members, *snapshot.devices):
        board.feed(event, snapshot.at)


@dataclass(slots=True)
class Rebuild:
    """What is to be told after a gap, and the calls whose end is to be looked for."""

    phases: list[Phase] = field(default_factory=list)
    vanished: list[Call] = field(default_factory=list)


def restore_calls(calls: Calls, snapshot: Snapshot, open_calls: Sequence[OpenCall]) -> Rebuild:
    """Go on with calls that last, begin those that are new, and find those that are gone. From now on all that last are
    known: who is heard of in the middle of his call is somebody whose call has ended, and told by the records."""
    result = Rebuild()
    calls.known_queues.update(snapshot.queues)
    for member in snapshot.members:
        calls.feed({**member, "Event": "QueueMember"}, snapshot.at)
    if snapshot.channels is None:
        return result
    calls.strict = False
    grouped: dict[str, list[Event]] = {}
    for channel in snapshot.channels:
        grouped.setdefault(channel.get("Linkedid") or channel.get("Uniqueid", ""), []).append(channel)
    logged = {one.external_id: one for one in open_calls}
    for call in list(calls.live.values()):
        if not any(channel.get("Uniqueid") in call.live for channel in snapshot.channels):
            calls.drop(call)
            result.vanished.append(call)
    for linked, channels in grouped.items():
        known = logged.pop(linked, None)
        if known is not None and linked not in calls.live:
            _take_up(calls, known)
        result.phases += _tell(calls, linked, channels, snapshot, known)
    calls.strict = True
    gone = {call.id for call in result.vanished}
    result.vanished += [_from_log(one) for one in logged.values() if one.external_id not in gone | calls.done.keys()]
    return result


def _take_up(calls: Calls, known: OpenCall) -> None:
    call = calls.live[known.external_id] = _from_log(known)
    calls.live[call.id] = call


def _from_log(known: OpenCall) -> Call:
    call = Call(known.external_id, known.at, before=known.call, direction=Direction(known.direction))
    answered = known.call.get("answered_at")
    if answered:
        call.talk.answered_at = datetime.fromisoformat(str(answered))
    return call


def _tell(calls: Calls, linked: str, channels: list[Event], snapshot: Snapshot, known: OpenCall | None) -> list[Phase]:
    """One call's channels as the events that would have led here. Times that nobody knows are those of the snapshot."""
    channels = sorted(channels, key=lambda one: (one.get("Uniqueid") != linked, -_seconds(one.get("Duration", "0"))))
    call = calls.live.get(linked)
    present = {one.get("Uniqueid", "") for one in channels}
    gone = sorted((call.live if call is not None else set()) - present)
    said: list[dict[str, str]] = [{"Event": "Hangup", "Uniqueid": uid, "Linkedid": linked} for uid in gone]
    said += [_began(one, snapshot.at) for one in channels]
    for entry in snapshot.entries:
        if entry.get("Uniqueid") in present:
            joined = snapshot.at - timedelta(seconds=_seconds(entry.get("Wait", "0")))
            said.append(
                {**_of(entry, linked), "Event": "QueueCallerJoin", "Queue": entry.get("Queue", ""), **_at(joined)}
            )
    for one in channels:
        said += _dialled(one, linked, snapshot.at)
    talking = known.call.get("answered_at") if known is not None else None
    since = datetime.fromisoformat(str(talking)) if talking else snapshot.at
    for one in channels:
        bridge = one.get("BridgeId", "")
        name = "BridgeEnter" if bridge else "BridgeLeave"
        fields = {"BridgeUniqueid": bridge} if bridge else {}
        said.append({**_of(one, linked), "Event": name, **fields, **_at(since)})
    return [phase for event in said for phase in calls.feed(event, snapshot.at)]


def _began(channel: Event, now: datetime) -> dict[str, str]:
    at = now - timedelta(seconds=_seconds(channel.get("Duration", "0")))
    return {**channel, "Event": "Newchannel", **_at(at)}


def _dialled(channel: Event, linked: str, now: datetime) -> list[dict[str, str]]:
    """A channel that runs AppDial or AppQueue was dialled by somebody: by the first one, as far as anybody knows."""
    if channel.get("Uniqueid") == linked or not channel.get("Application", "").startswith(_DIALLED):
        return []
    at = _at(now - timedelta(seconds=_seconds(channel.get("Duration", "0"))))
    dest = {f"Dest{key}": channel.get(key, "") for key in ("Channel", "Uniqueid", "Linkedid", "CallerIDNum")}
    source = {"Uniqueid": linked, "Linkedid": linked}
    said = [{"Event": "DialBegin", **source, **dest, "DialString": "", **at}]
    if channel.get("ChannelState") == "6":
        said.append({"Event": "DialEnd", **source, **dest, "DialStatus": "ANSWER", **at})
    return said


def _of(event: Event, linked: str) -> dict[str, str]:
    return {"Uniqueid": event.get("Uniqueid", ""), "Linkedid": linked, "Channel": event.get("Channel", "")}


def _at(at: datetime) -> dict[str, str]:
    return {"Timestamp": f"{at.timestamp():.6f}"}


def _seconds(text: str) -> int:
    """`00:01:05` or `65`."""
    total = 0
    for part in text.split(":"):
        total = total * 60 + (int(part) if part.strip().isdecimal() else 0)
    return total
