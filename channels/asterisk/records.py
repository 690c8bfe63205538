"""A call out of the CDR and the queue log, told as the events that would have told it: folded by the same rules as any
other. Pure. Both know whole seconds only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from channels.asterisk.endpoints import device_of
from channels.asterisk.ledgers import EXITS, CdrRow, QueueStory


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
        # The queue log may tell of the hang-up a second after the CDR: both cut off what is below a second.
        told = [line[0] for line in self.story.lines] if self.story is not None else []
        end = max([*(row.end for row in self.rows), *told])
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
            elif event in EXITS:
                self.say("QueueCallerLeave", at, Queue=queue)
                self.say("VarSet", at, Variable="QUEUESTATUS", Value=EXITS[event])

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
