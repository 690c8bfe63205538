"""The history of a promise in words: not only what happened, but why, by whom, and what it changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any

from hub.desk.language import Speech
from hub.desk.names import Names
from hub.desk.reading.promises import Tick
from hub.desk.vocabulary import Vocabulary
from routing.conditions import KINDS


def _(message: str) -> str:
    """Marks a message for the catalogs."""
    return message


_EVENTS = {
    "attempted": _("another attempt"),
    "acknowledged": _("acknowledged"),
    "handed_over": _("handed over"),
    "moved": _("moved to another client"),
    "looked": _("looked at again"),
    "noted": _("noted"),
    "skipped": _("passed over"),
}
_CAUSES = {
    "category": _("the client's category changed"),
    "calendar": _("the calendar changed"),
    "tables": _("the table of time zones or holidays is a new one"),
    "regulation": _("the regulation changed"),
    "team": _("another team has the case"),
    "late_touch": _("a contact was logged later than it took place"),
    "late": _("it was done before we heard of it"),
    "pinned": _("set by hand"),
    "unpinned": _("the regulation's due holds again"),
    "merge": _("clients merged"),
    "unmerge": _("a merge was undone"),
    "bounced": _("the message came back"),
    "corrected": _("the log was corrected"),
    "conversation": _("the conversation changed hands"),
    "conversation_reopened": _("the conversation was opened again"),
    "responsible": _("the client has another responsible"),
    "hand_over": _("handed over by a person"),
    "leave": _("leave"),
    "returned": _("back from leave"),
    "met_late": _("it was kept too late"),
    "recomputed": _("the new due was past already"),
    "reached": _("enough clients were told"),
    "merged": _("joined with another promise of the same client"),
    "joined": _("joined with another promise of the same client"),
    "no_answer_needed": _("no answer needed"),
    "answered": _("answered"),
    "solved": _("the case is closed"),
    "junk": _("junk"),
    "quarantined": _("the touch is in quarantine"),
    "other_team": _("another team has the case"),
    "no_longer_needed": _("needed no more"),
    "no_longer_applies": _("the regulation no longer speaks of this client"),
    "regulation_retired": _("the regulation was retired"),
    "exempt": _("the client does not want it"),
    "seemed_kept": _("it seemed to be kept"),
}
_UNSAID = frozenset({"time", "touch", "event", "client", "state"})
"""Causes that the event itself says."""
_CLIENT = _("the client")
_NOTICED = _("noticed %(when)s")
_LATE_BY = _("%(time)s late")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: when, what, and the rest in words."""

    at: datetime
    event: str
    what: str
    more: str


class Historian:
    """Tells histories in one language and one zone."""

    def __init__(
        self, speech: Speech, names: Names, zone: tzinfo, now: datetime, steps: Mapping[str, str] | None = None
    ) -> None:
        """`steps` are the regulation's, by name, in words."""
        self._speech = speech
        self._steps = steps or {}
        self._names = names
        self._zone = zone
        self._now = now
        self._vocabulary = Vocabulary(speech)
        self._tellers: Mapping[str, Callable[[Mapping[str, Any]], Iterable[str]]] = {
            "recomputed": self._moved_due,
            "pinned": self._moved_due,
            "warned": self._step,
            "skipped": self._step,
            "breached": self._noticed,
            "handed_over": self._hands,
        }

    def tell(self, ticks: Iterable[Tick]) -> list[Entry]:
        """Everything that says something; what only moved the clock's own alarm is left out."""
        return [self._entry(tick) for tick in ticks if tick.event != "looked"]

    def why(self, word: str | None) -> str:
        """A cause, or why something was closed."""
        if not word or word in _UNSAID:
            return ""
        if (known := _CAUSES.get(word)) is not None:
            return self._speech.say(known)
        return self._vocabulary("kind" if word in KINDS else "conversation", word)

    def _entry(self, tick: Tick) -> Entry:
        known = _EVENTS.get(tick.event)
        what = self._speech.say(known) if known else self._vocabulary("event", tick.event)
        parts = [self.why(tick.data.get("cause") or tick.data.get("why"))]
        if (teller := self._tellers.get(tick.event)) is not None:
            parts += teller(tick.data)
        if isinstance(by := tick.data.get("by"), str) and by not in ("clock", "setup"):
            parts.append(self._speech.say(_CLIENT) if by == "client" else self._names.operator(by))
        return Entry(tick.at, tick.event, what, " · ".join(part for part in parts if part))

    def _moved_due(self, data: Mapping[str, Any]) -> Iterable[str]:
        yield f"{self._moment(data.get('old_due'))} → {self._moment(data.get('new_due'))}"

    def _noticed(self, data: Mapping[str, Any]) -> Iterable[str]:
        noticed = data.get("noticed_at")
        if noticed and (data.get("late_by") or data.get("cause") in ("recomputed", "met_late")):
            yield self._speech.say(_NOTICED) % {"when": self._moment(noticed)}

    def _step(self, data: Mapping[str, Any]) -> Iterable[str]:
        name = str(data.get("step", "")).rpartition("@")[0]
        yield self._steps.get(name, name)
        if late := data.get("late_by"):
            late_by = self._speech.duration(timedelta(seconds=int(late)))
            yield self._speech.say(_LATE_BY) % {"time": late_by}

    def _hands(self, data: Mapping[str, Any]) -> Iterable[str]:
        changed = data.get("set", {})
        before = self._names.operator(data.get("from")) or self._names.team(data.get("from_team")) or "–"
        after = self._names.operator(changed.get("owner")) or self._names.team(changed.get("team")) or "–"
        yield f"{before} → {after}"

    def _moment(self, written: str | None) -> str:
        if not written:
            return "–"
        return self._speech.moment(datetime.fromisoformat(written), self._zone, self._now)
