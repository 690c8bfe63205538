"""A call out of the channel event log (CEL), told as the events that would have told it. Pure.

CEL knows channels, bridges and who hung up, to the microsecond; why a queue let a caller go is said by the queue log.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from channels.asterisk.ledgers import EXITS, CelRow, QueueStory

_AT_ONCE = timedelta(seconds=1)
_STATUSES = {17: "BUSY", 21: "CONGESTION", 26: "CANCEL", 20: "CHANUNAVAIL", 3: "CHANUNAVAIL"}


def as_events(
    call: str, rows: Iterable[CelRow], story: QueueStory | None, recordings: Sequence[str]
) -> list[dict[str, Any]]:
    """`recordings` are the user fields of the call's CDR."""
    told = _Telling(call, sorted(rows, key=lambda row: row.at), story).events()
    return [*told, *({"Event": "Cdr", "UniqueID": call, "UserField": one} for one in recordings if one)]


@dataclass(slots=True)
class _Telling:
    call: str
    rows: list[CelRow]
    story: QueueStory | None
    out: list[dict[str, Any]] = field(default_factory=list)
    dialled: set[str] = field(default_factory=set)

    def events(self) -> list[dict[str, Any]]:
        for number, row in enumerate(self.rows):
            getattr(self, f"_{row.name.lower()}", self._nothing)(row, number)
        return self.out

    def say(self, event: str, row: CelRow, **fields: str) -> None:
        stamp = f"{row.at.timestamp():.6f}"
        known = {"Event": event, "Timestamp": stamp, "Uniqueid": row.uid, "Linkedid": self.call, "Channel": row.channel}
        self.out.append({**known, **fields})

    def _nothing(self, row: CelRow, number: int) -> None:
        """Of no use here."""

    def _chan_start(self, row: CelRow, number: int) -> None:
        told = {"CallerIDNum": row.number, "CallerIDName": row.caller_name, "Exten": row.exten, "Context": row.context}
        self.say("Newchannel", row, **told)
        if row.uid != self.call and not row.channel.startswith("Local/"):
            self.dialled.add(row.uid)
            self._dial("DialBegin", row)

    def _dial(self, event: str, row: CelRow, **fields: str) -> None:
        dest = {"DestUniqueid": row.uid, "DestLinkedid": self.call, "DestChannel": row.channel, "DialString": ""}
        self.say(event, row, **{"Uniqueid": self.call, "Channel": "", **dest, **fields})

    def _answer(self, row: CelRow, number: int) -> None:
        if row.uid in self.dialled:
            self.dialled.discard(row.uid)
            self._dial("DialEnd", row, DialStatus="ANSWER")

    def _bridge_enter(self, row: CelRow, number: int) -> None:
        self.say("BridgeEnter", row, BridgeUniqueid=str(row.extra.get("bridge_id", "")))

    def _bridge_exit(self, row: CelRow, number: int) -> None:
        self.say("BridgeLeave", row, BridgeUniqueid=str(row.extra.get("bridge_id", "")))

    def _app_start(self, row: CelRow, number: int) -> None:
        if row.application == "Queue":
            self.say("QueueCallerJoin", row, Queue=row.application_data.partition(",")[0])

    def _app_end(self, row: CelRow, number: int) -> None:
        if row.application != "Queue":
            return
        if self._hangs_up(row, number):
            self.say("HangupRequest", row)
        self.say("QueueCallerLeave", row, Queue=row.application_data.partition(",")[0])
        told = [line[3] for line in self.story.lines] if self.story is not None else []
        status = next((EXITS[word] for word in reversed(told) if word in EXITS), None)
        if status is not None:
            self.say("VarSet", row, Variable="QUEUESTATUS", Value=status)

    def _hangs_up(self, row: CelRow, number: int) -> bool:
        """A caller who leaves the queue by hanging up is written down after he has left."""
        later = (one for one in self.rows[number + 1 :] if one.uid == row.uid and one.name == "HANGUP")
        end = next(later, None)
        return end is not None and end.at - row.at < _AT_ONCE and end.extra.get("hangupsource") == row.channel

    def _hangup(self, row: CelRow, number: int) -> None:
        cause = row.extra.get("hangupcause", 0)
        if row.extra.get("hangupsource") == row.channel:
            self.say("HangupRequest", row)
        if row.uid in self.dialled:
            self.dialled.discard(row.uid)
            status = _STATUSES.get(cause if isinstance(cause, int) else 0) or self._why_it_stopped(row)
            self._dial("DialEnd", row, DialStatus=status)

    def _why_it_stopped(self, row: CelRow) -> str:
        """Somebody hung up while it rang, or it rang in vain."""
        near = (one for one in self.rows if one.uid == self.call and one.name == "HANGUP")
        return "CANCEL" if any(abs(one.at - row.at) < _AT_ONCE for one in near) else "NOANSWER"

    def _chan_end(self, row: CelRow, number: int) -> None:
        cause = next(
            (one.extra.get("hangupcause") for one in self.rows if one.uid == row.uid and one.name == "HANGUP"), 0
        )
        self.say("Hangup", row, Cause=str(cause or 0))
