"""What happened while nobody listened, out of the PBX's own records.

The PBX writes them when it likes: after the last channel is gone, one row after the other, or in batches every few
minutes; and their database may be away. So they are looked at again and again, a call is told when two looks have found
the same of it, and what nobody finds is closed with a word, to be corrected should its record still come.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from channels.asterisk import cel, records
from channels.asterisk.call import Call
from channels.asterisk.calls import Calls, Phase
from channels.asterisk.ledgers import Ledgers, read_ledgers
from channels.asterisk.settings import Settings
from channels.asterisk.tables import is_address

UNSEEN = "The end of this call was not seen: the connection to the PBX was lost, and its records do not tell."
PATIENCE_S = 20.0
DELAYS_S = (0.0, 0.5, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 15.0, 30.0, 60.0, 120.0, 180.0)
"""Together seven minutes: a batch of records is written every five."""
_SLACK = timedelta(minutes=2)
"""The clocks of hub and PBX differ, and a frozen PBX is noticed late. What was told before is told again to nobody: the
end of a call has one key."""


@dataclass(slots=True)
class LookBack:
    """One gap: from `since` (None: only `vanished` are looked for) until the line listened again at `until`.

    `vanished` are calls that were going on before and are gone; `names` are queue members' names -> interfaces.
    """

    settings: Settings
    calls: Calls
    since: datetime | None
    until: datetime
    vanished: dict[str, Call]
    names: Mapping[str, str]
    faults: Mapping[str, str] = field(default_factory=dict)
    _found: dict[str, Any] = field(default_factory=dict)
    _told: set[str] = field(default_factory=set)
    _given_up: set[str] = field(default_factory=set)
    _stamp: Any = None
    _last: Ledgers | None = None

    @property
    def has_records(self) -> bool:
        """Whether there is anything to look into."""
        return bool(self.settings.records())

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to look for."""
        return not self.vanished and (self.since is None or not self.has_records)

    def look(self) -> Ledgers:
        """Read what there is, unless nothing has changed since the last look. Blocks."""
        begins = [call.at for call in self.vanished.values()]
        since = min([*begins, *([self.since] if self.since is not None else [])], default=self.until) - _SLACK
        stamp = _stamp_of(self.settings.records())
        if self._last is None or stamp is None or stamp != self._stamp:
            self._last = read_ledgers(self.settings.records(), since)
        self._stamp = stamp
        return self._last

    def tell(self, ledgers: Ledgers) -> list[Phase]:
        """The calls that this look has found as the one before it did."""
        self.faults = dict(ledgers.faults)
        found = {call: _weight(ledgers, call) for call in ledgers.calls() if self._concerns(ledgers, call)}
        settled = [call for call, weight in found.items() if self._found.get(call) == weight]
        self._found = found
        phases: list[Phase] = []
        for call in settled:
            self._told.add(call)
            self.vanished.pop(call, None)
            phases += self._retell(ledgers, call)
        return phases

    def give_up(self, lost_at: datetime) -> list[Phase]:
        """Close what was not found."""
        phases: list[Phase] = []
        for call in self.vanished.values():
            self._given_up.add(call.id)
            phases += self.calls.close_unseen(call, max(lost_at, call.at), UNSEEN)
        self.vanished = {}
        return phases

    def _concerns(self, ledgers: Ledgers, call: str) -> bool:
        if call in self._told:
            return False
        if call in self.vanished or call in self._given_up:
            return True
        end, done = ledgers.end_of(call), self.calls.done.get(call)
        if call in self.calls.live or (done is not None and not done.lost):
            return False
        return self.since is not None and end is not None and self.since - _SLACK <= end <= self.until + _SLACK

    def _retell(self, ledgers: Ledgers, call: str) -> list[Phase]:
        """Only its end is told, with all that is known."""
        alone = Calls(self.calls.endpoints, self.calls.keys)
        phases: list[Phase] = []
        for event in _events(ledgers, call, self.names):
            phases += alone.feed(event, self.until)
        told = [phase for phase in phases if phase.name in ("ended", "completed")]
        if not told:
            return []
        ended = replace(told[0], facts=told[-1].facts)
        if call in self._given_up:
            ended = replace(ended, name="completed", key=f"{call}|completed|records")
        return [ended]


def _events(ledgers: Ledgers, call: str, names: Mapping[str, str]) -> Sequence[Mapping[str, Any]]:
    rows, story = ledgers.cdr.get(call, []), ledgers.stories.get(call)
    events = ledgers.cel.get(call, [])
    if any(one.name == "LINKEDID_END" for one in events):
        return cel.as_events(call, events, story, [row.userfield for row in rows])
    return records.as_events(call, rows, story, names)


def _weight(ledgers: Ledgers, call: str) -> tuple[int, int, int]:
    """How much is written down of a call."""
    story = ledgers.stories.get(call)
    return len(ledgers.cdr.get(call, ())), len(ledgers.cel.get(call, ())), len(story.lines) if story else 0


def _stamp_of(sources: Mapping[str, str]) -> Any:
    """What changes when any of the files does; None where that cannot be known."""
    found = []
    for source in sources.values():
        if is_address(source):
            return None
        try:
            about = Path(source).stat()
        except OSError:
            return None
        found.append((about.st_size, about.st_mtime_ns))
    return found
