"""What the PBX wrote down itself: Master.csv (CDR) and queue_log, to fill in what happened while nobody listened. Pure
but for reading the ends of the two files.

cdr.conf should have `loguniqueid=yes`, `loguserfield=yes` and `newcdrcolumns=yes`, else rows cannot be told apart.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from channels.asterisk.endpoints import device_of

_TAIL = 16 << 20
_UNIQUEID, _USERFIELD, _LINKEDID = 16, 17, 19
_QUARTER = 900


@dataclass(frozen=True, slots=True)
class CdrRow:
    """One dial attempt. Instants are UTC."""

    uid: str
    linkedid: str
    source: str
    destination: str
    context: str
    name: str
    channel: str
    dest_channel: str
    application: str
    application_data: str
    start: datetime
    answer: datetime | None
    end: datetime
    disposition: str
    userfield: str = ""


@dataclass(slots=True)
class QueueStory:
    """What the queue log tells of one caller, oldest first: (at, queue, agent, event, data)."""

    uid: str
    lines: list[tuple[datetime, str, str, str, list[str]]] = field(default_factory=list)


def read_cdr(path: Path, since: datetime) -> dict[str, list[CdrRow]]:
    """Rows of calls that ended at `since` or later, by linked id (by unique id where the file has none)."""
    found: dict[str, list[CdrRow]] = {}
    for cells in csv.reader(io.StringIO(_tail(path))):
        row = _cdr_row(cells)
        if row is not None and row.end >= since:
            found.setdefault(row.linkedid, []).append(row)
    return found


def read_queue_log(path: Path, since: datetime) -> dict[str, QueueStory]:
    """Stories with anything at `since` or later, by the caller's unique id."""
    found: dict[str, QueueStory] = {}
    fresh: set[str] = set()
    for line in _tail(path).splitlines():
        cells = line.split("|")
        if len(cells) < 5 or cells[1] in ("NONE", "REALTIME", "MANAGER", ""):
            continue
        at = _epoch(cells[0])
        if at is None:
            continue
        story = found.setdefault(cells[1], QueueStory(cells[1]))
        story.lines.append((at, cells[2], cells[3], cells[4], cells[5:]))
        if at >= since:
            fresh.add(cells[1])
    return {uid: story for uid, story in found.items() if uid in fresh}


def _tail(path: Path) -> str:
    """The end of a file that only grows; a first line that was cut is left out."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, io.SEEK_END)
            file.seek(max(0, size - _TAIL))
            data = file.read()
    except OSError:
        return ""
    if size > _TAIL:
        data = data.partition(b"\n")[2]
    return data.decode("utf-8", "replace")


def _cdr_row(cells: list[str]) -> CdrRow | None:
    if len(cells) <= _UNIQUEID or not cells[_UNIQUEID]:
        return None
    uid = cells[_UNIQUEID]
    start, answer, end = (_instant(cells[number]) for number in (9, 10, 11))
    if start is None or end is None:
        return None
    shift = _shift(uid, start)
    return CdrRow(
        uid=uid,
        linkedid=cells[_LINKEDID] if len(cells) > _LINKEDID and cells[_LINKEDID] else uid,
        source=cells[1],
        destination=cells[2],
        context=cells[3],
        name=cells[4].partition('"')[2].partition('"')[0],
        channel=cells[5],
        dest_channel=cells[6],
        application=cells[7],
        application_data=cells[8],
        start=start + shift,
        answer=answer + shift if answer is not None else None,
        end=end + shift,
        disposition=cells[14],
        userfield=cells[_USERFIELD] if len(cells) > _USERFIELD else "",
    )


def _shift(uid: str, start: datetime) -> timedelta:
    """The file has the PBX's local time; the unique id has the epoch, so their difference is the zone of that day."""
    began = _epoch(uid.rpartition("-")[2])
    if began is None:
        return timedelta(0)
    quarters = round((began - start).total_seconds() / _QUARTER)
    return timedelta(seconds=quarters * _QUARTER) if abs(quarters) <= 60 else timedelta(0)


def _instant(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return None


def _epoch(text: str) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(text.partition(".")[0]), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def as_events(
    uid: str, rows: Iterable[CdrRow], story: QueueStory | None, devices: Mapping[str, str]
) -> list[dict[str, Any]]:
    """A call that nobody watched, as the events that would have told it: folded by the same rules as any other.

    `devices` maps names of queue members to interfaces: the queue log has only the names.
    """
    return _Retelling(uid, sorted(rows, key=lambda row: row.start), story, devices).events()


@dataclass(slots=True)
class _Retelling:
    uid: str
    rows: list[CdrRow]
    story: QueueStory | None
    devices: Mapping[str, str]
    out: list[dict[str, Any]] = field(default_factory=list)
    talking: str | None = None
    legs: dict[str, str] = field(default_factory=dict)

    def events(self) -> list[dict[str, Any]]:
        first = next((row for row in self.rows if row.uid == self.uid), self.rows[0])
        end = max(row.end for row in self.rows)
        self.say("Newchannel", first.start, Channel=first.channel, CallerIDNum=first.source, CallerIDName=first.name)
        self.out[-1] |= {"Exten": first.destination, "Context": first.context}
        if self.story is not None:
            self._queue()
        for number, row in enumerate(self.rows):
            if row.dest_channel and not (self.story is not None and row.application == "Queue"):
                self._dial(row, number)
            if row.userfield:
                self.out.append({"Event": "Cdr", "UniqueID": self.uid, "UserField": row.userfield})
        self._close(end)
        return sorted(self.out, key=lambda event: float(event.get("Timestamp", "inf")))

    def say(self, event: str, at: datetime, uid: str | None = None, **fields: str) -> None:
        stamp = f"{at.timestamp():.6f}"
        self.out.append(
            {"Event": event, "Timestamp": stamp, "Uniqueid": uid or self.uid, "Linkedid": self.uid, **fields}
        )

    def _queue(self) -> None:
        assert self.story is not None
        for number, (at, queue, agent, event, data) in enumerate(self.story.lines):
            if event == "ENTERQUEUE":
                self.say("QueueCallerJoin", at, Queue=queue)
            elif event == "RINGNOANSWER":
                channel = f"{self.devices.get(agent, agent)}-00000000"
                self._ring(f"{self.uid}/q{number}", channel, queue, at - _milliseconds(data), at, "NOANSWER")
            elif event == "CONNECT":
                leg = data[1] if len(data) > 1 and data[1] else f"{self.uid}/q{number}"
                rang = at - timedelta(seconds=_number(data[2] if len(data) > 2 else ""))
                self._ring(leg, self._channel_of(agent), queue, rang, at, "ANSWER")
                self.say("QueueCallerLeave", at, Queue=queue)
                self._talk(leg, at)
            elif event in ("COMPLETEAGENT", "COMPLETECALLER"):
                asked = self.talking if event == "COMPLETEAGENT" else self.uid
                self.say("HangupRequest", at, asked)
            elif event in ("BLINDTRANSFER", "ATTENDEDTRANSFER"):
                self._part(at)
            elif event == "ABANDON":
                self.say("HangupRequest", at)
                self.say("QueueCallerLeave", at, Queue=queue)
            elif event in ("EXITWITHTIMEOUT", "EXITEMPTY", "EXITWITHKEY"):
                self.say("QueueCallerLeave", at, Queue=queue)
                status = "LEAVEEMPTY" if event == "EXITEMPTY" else "TIMEOUT"
                self.say("VarSet", at, Variable="QUEUESTATUS", Value=status)

    def _dial(self, row: CdrRow, number: int) -> None:
        leg = f"{self.uid}/c{number}"
        status = {"ANSWERED": "ANSWER", "BUSY": "BUSY", "NO ANSWER": "NOANSWER"}.get(row.disposition, "CONGESTION")
        ended = row.answer if status == "ANSWER" and row.answer is not None else row.end
        dialled = row.application_data.partition(",")[0]
        self._ring(leg, row.dest_channel, "", row.start, ended, status, dialled)
        if status == "ANSWER":
            self._talk(leg, ended)

    def _ring(
        self, leg: str, channel: str, queue: str, begin: datetime, end: datetime, status: str, dialled: str = ""
    ) -> None:
        dest = {"DestUniqueid": leg, "DestLinkedid": self.uid, "DestChannel": channel, "DialString": dialled}
        if queue:
            self.say("AgentCalled", begin, Queue=queue, Interface=device_of(channel), **dest)
        self.say("DialBegin", begin, **dest)
        self.say("DialEnd", end, DialStatus=status, **dest)
        self.legs[leg] = channel
        if status != "ANSWER":
            self.say("Hangup", end, leg)

    def _channel_of(self, agent: str) -> str:
        """The channel of who answered: by his name in the queue, else by what the CDR says was answered."""
        if agent not in self.devices and "/" not in agent:
            for row in self.rows:
                if row.application == "Queue" and row.disposition == "ANSWERED" and row.dest_channel:
                    return row.dest_channel
        return f"{self.devices.get(agent, agent)}-00000000"

    def _talk(self, leg: str, at: datetime) -> None:
        self._part(at)
        bridge = f"{leg}/bridge"
        self.say("BridgeEnter", at, leg, BridgeUniqueid=bridge, Channel=self.legs[leg])
        self.say("BridgeEnter", at, BridgeUniqueid=bridge)
        self.talking = leg

    def _part(self, at: datetime) -> None:
        if self.talking is not None:
            self.say("BridgeLeave", at)
            self.say("Hangup", at, self.talking)
            self.talking = None

    def _close(self, end: datetime) -> None:
        self._part(end)
        self.say("Hangup", end)


def _milliseconds(data: list[str]) -> timedelta:
    return timedelta(milliseconds=_number(data[0] if data else ""))


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0
