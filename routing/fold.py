"""The state of a promise is the fold of its history: every event says which columns it set, and why. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any

from routing import decisions as d
from routing.facts import ObligationFacts, Pause

INSTANTS = frozenset({"started", "due", "next_at", "breached_at", "met_at", "closed_at"})
COLUMNS = tuple(each.name for each in fields(ObligationFacts) if each.name != "id")
SET = "set"


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of a history: what happened, when it took effect, which columns it set, and what else to remember."""

    event: str
    at: datetime
    set: Mapping[str, Any]
    data: Mapping[str, Any] = field(default_factory=dict)


def fold(obligation: ObligationFacts, change: Change) -> ObligationFacts:
    """The state after one more event."""
    return replace(obligation, **change.set)


def fold_history(number: int, history: Iterable[tuple[str, Mapping[str, Any]]]) -> ObligationFacts:
    """The state that a stored history, oldest first, adds up to. Raises ValueError when its beginning is missing."""
    state: dict[str, Any] = {}
    for event, data in history:
        if not state and event != "applied":
            raise ValueError(f"obligation {number} has no beginning: its history starts with {event!r}")
        state.update(data.get(SET, {}))
    return ObligationFacts(id=number, **{name: decoded(name, value) for name, value in state.items()})


def begun(number: int, start: d.StartObligation) -> ObligationFacts:
    """The promise a decision starts."""
    return ObligationFacts(
        number,
        start.regulation,
        start.version,
        start.start_key,
        start.slot,
        start.client,
        start.conversation,
        start.started_by,
        start.owner,
        start.team,
        "paused" if start.pauses and start.pauses[-1].end is None else "running",
        start.started,
        start.target,
        start.calendar,
        start.calendar_version,
        start.due,
        start.next_at,
        pauses=start.pauses,
        details=start.details,
    )


def beginning(obligation: ObligationFacts) -> dict[str, Any]:
    """What the first event of its history sets, as JSON: everything that is not a default."""
    found: dict[str, Any] = {
        "regulation": obligation.regulation,
        "version": obligation.version,
        "start_key": obligation.start_key,
        "slot": obligation.slot,
        "client": obligation.client,
        "conversation": obligation.conversation,
        "started_by": obligation.started_by,
        "owner": obligation.owner,
        "team": obligation.team,
        "state": obligation.state,
        "started": obligation.started.isoformat(),
        "target": obligation.target,
        "calendar": obligation.calendar,
        "calendar_version": obligation.calendar_version,
        "due": obligation.due.isoformat() if obligation.due else None,
        "next_at": obligation.next_at.isoformat() if obligation.next_at else None,
    }
    if obligation.pauses:
        found["pauses"] = encoded("pauses", obligation.pauses)
    if obligation.details:
        found["details"] = dict(obligation.details)
    return found


def encoded(name: str, value: Any) -> Any:
    """A column's value as JSON."""
    if value is None:
        return None
    if name in INSTANTS:
        return value.isoformat()
    if name == "pauses":
        return [[p.start.isoformat(), p.end.isoformat() if p.end else None, p.why, p.who] for p in value]
    return list(value) if name == "steps_done" else dict(value) if isinstance(value, Mapping) else value


def decoded(name: str, value: Any) -> Any:
    """A column's value from JSON."""
    if value is None:
        return None
    if name in INSTANTS:
        return datetime.fromisoformat(value) if isinstance(value, str) else value
    if name == "pauses":
        return tuple(
            Pause(datetime.fromisoformat(start), datetime.fromisoformat(end) if end else None, why, who)
            for start, end, why, who in value
        )
    return tuple(value) if name == "steps_done" else value


def _met(o: ObligationFacts, x: d.MeetObligation, now: datetime) -> Change:
    changes = {
        "state": "met",
        "met_at": x.at,
        "met_by": x.met_by,
        "closed_at": x.at,
        "closed_why": None,
        "next_at": None,
        "pauses": _ended(o, x.at),
    }
    return Change("fulfilled", x.at, changes, {"by": x.met_by, "cause": x.cause})


def _cancelled(o: ObligationFacts, x: d.CancelObligation, now: datetime) -> Change:
    changes = {
        "state": "cancelled",
        "closed_at": x.at,
        "closed_why": x.why,
        "next_at": None,
        "pauses": _ended(o, x.at),
    }
    if x.details:
        changes["details"] = {**o.details, **x.details}
    return Change("cancelled", x.at, changes, {"why": x.why, "by": x.by})


def _ended(o: ObligationFacts, at: datetime) -> tuple[Pause, ...]:
    if not o.standing:
        return o.pauses
    return (*o.pauses[:-1], replace(o.pauses[-1], end=max(at, o.pauses[-1].start)))


def _reset(o: ObligationFacts, x: d.ResetObligation, now: datetime) -> Change:
    changes = {
        "state": "running",
        "started": x.started,
        "started_by": x.started_by,
        "due": x.due,
        "next_at": x.next_at,
        "pauses": (),
        "steps_done": (),
        "breached_at": None,
    }
    return Change("reset", x.at, changes, {"cause": x.cause})


def _paused(o: ObligationFacts, x: d.PauseObligation, now: datetime) -> Change:
    last = o.pauses[-1] if o.pauses else None
    if last is not None and (last.end, last.why, last.who) == (x.at, x.why, x.by):
        pauses = (*o.pauses[:-1], replace(last, end=None))
    else:
        pauses = (*o.pauses, Pause(x.at, None, x.why, x.by))
    changes = {"state": "paused", "due": x.due, "next_at": x.next_at, "pauses": pauses}
    return Change("paused", x.at, changes, {"why": x.why, "by": x.by})


def _resumed(o: ObligationFacts, x: d.ResumeObligation, now: datetime) -> Change:
    state = "running" if o.state == "paused" else o.state
    changes = {"state": state, "due": x.due, "next_at": x.next_at, "pauses": _ended(o, x.at)}
    return Change("resumed", x.at, changes, {"why": x.why, "by": x.by})


def _reopened(o: ObligationFacts, x: d.ReopenObligation, now: datetime) -> Change:
    changes: dict[str, Any] = {
        "state": x.state,
        "due": x.due,
        "next_at": x.next_at,
        "met_at": None,
        "met_by": None,
        "closed_at": None,
        "closed_why": None,
        "pauses": (*o.pauses, x.pause) if x.pause else o.pauses,
    }
    return Change("reopened", x.at, changes, {"cause": x.cause, "met_by": o.met_by})


def _recomputed(o: ObligationFacts, x: d.RecomputeObligation, now: datetime) -> Change:
    changes: dict[str, Any] = {
        "version": x.version,
        "started": x.started,
        "started_by": x.started_by,
        "target": x.target,
        "calendar": x.calendar,
        "calendar_version": x.calendar_version,
        "due": x.due,
        "next_at": x.next_at,
        "pinned": x.pinned,
    }
    if x.restarted:
        changes |= {"pauses": (), "steps_done": (), "state": "running" if o.state == "paused" else o.state}
    data = {"cause": x.cause, "by": x.by, "old_due": encoded("due", o.due), "new_due": encoded("due", x.due)}
    return Change("pinned" if x.pinned and not o.pinned else "recomputed", x.at, changes, data)


def _breached(o: ObligationFacts, x: d.BreachObligation, now: datetime) -> Change:
    changes = {"breached_at": x.at, "next_at": x.next_at, "state": "breached" if o.is_open else o.state}
    data: dict[str, Any] = {"cause": x.cause, "noticed_at": x.noticed_at.isoformat()}
    if x.late_by:
        data["late_by"] = x.late_by
    return Change("breached", x.at, changes, data)


def _withdrawn(o: ObligationFacts, x: d.WithdrawBreach, now: datetime) -> Change:
    state = "paused" if o.standing else "running"
    changes = {"breached_at": None, "state": state if o.state == "breached" else o.state}
    return Change("breach_withdrawn", x.at, changes, {"cause": x.cause})


def _stepped(o: ObligationFacts, x: d.FireStep, now: datetime) -> Change:
    if not x.key:
        return Change("looked", x.at, {"next_at": x.next_at})
    data: dict[str, Any] = {"step": x.key}
    if x.late_by:
        data["late_by"] = x.late_by
    event = "skipped" if x.skipped else "warned"
    return Change(event, x.at, {"steps_done": (*o.steps_done, x.key), "next_at": x.next_at}, data)


def _attempted(o: ObligationFacts, x: d.NoteAttempt, now: datetime) -> Change:
    details = {**o.details, "attempts": int(o.details.get("attempts", 1)) + 1}
    return Change("attempted", x.at, {"details": details}, {"interaction": x.interaction})


def _noted(o: ObligationFacts, x: d.NoteDetails, now: datetime) -> Change:
    details = {name: value for name, value in {**o.details, **x.details}.items() if value is not None}
    return Change("noted", x.at, {"details": details}, {"cause": x.cause})


def _handed(o: ObligationFacts, x: d.HandOver, now: datetime) -> Change:
    data = {"cause": x.cause, "by": x.by, "from": o.owner, "from_team": o.team}
    return Change("handed_over", x.at, {"owner": x.owner, "team": x.team}, data)


def _moved(o: ObligationFacts, x: d.MoveObligation, now: datetime) -> Change:
    return Change("moved", x.at, {"client": x.client}, {"cause": x.cause, "from": o.client})


def _excused(o: ObligationFacts, x: d.ExcuseObligation, now: datetime) -> Change:
    excuse = {"reason": x.reason, "by": x.by, "at": x.at.isoformat()}
    return Change("excused", x.at, {"excuse": excuse}, {"by": x.by})


def _acknowledged(o: ObligationFacts, x: d.AcknowledgeBreach, now: datetime) -> Change:
    details = {**o.details, "acknowledged": {"by": x.by, "at": x.at.isoformat()}}
    return Change("acknowledged", x.at, {"details": details}, {"by": x.by})


EFFECTS: Mapping[type, Callable[[ObligationFacts, Any, datetime], Change]] = {
    d.MeetObligation: _met,
    d.CancelObligation: _cancelled,
    d.ResetObligation: _reset,
    d.PauseObligation: _paused,
    d.ResumeObligation: _resumed,
    d.ReopenObligation: _reopened,
    d.RecomputeObligation: _recomputed,
    d.BreachObligation: _breached,
    d.WithdrawBreach: _withdrawn,
    d.FireStep: _stepped,
    d.NoteAttempt: _attempted,
    d.NoteDetails: _noted,
    d.HandOver: _handed,
    d.MoveObligation: _moved,
    d.ExcuseObligation: _excused,
    d.AcknowledgeBreach: _acknowledged,
}
"""What each decision about a running promise does to it."""
