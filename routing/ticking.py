"""What follows from the passing of time for one promise. Pure; `timers.py` finds the ones whose time has come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from routing.book import RuleBook
from routing.calendar import Calendar
from routing.decisions import BreachObligation, Decision, FireStep, MakeTask, RaiseAlert
from routing.facts import ObligationFacts
from routing.roster import Roster
from routing.rule import Rule
from routing.steps import RESPONSIBLE, TASK, Step
from routing.timing import length_of, loud_again, moves, next_look, stretches

PUNCTUAL = 60
"""Seconds; a step taken later than this says how late it was."""


@dataclass(frozen=True, slots=True)
class _Look:
    obligation: ObligationFacts
    rule: Rule
    calendar: Calendar
    roster: Roster
    due: datetime
    now: datetime
    responsible: str | None

    def recipients(self, to: str) -> tuple[str, ...]:
        """Whom a step means now; the client's responsible is the owner of the promise where nobody is named."""
        if to == RESPONSIBLE:
            to = self.responsible or "owner"
        return self.roster.recipients(to, self.obligation.owner, self.obligation.team, self.now)


def tick(
    obligation: ObligationFacts, now: datetime, book: RuleBook, roster: Roster, responsible: str | None = None
) -> tuple[Decision, ...]:
    """Every step whose time has come, once each, and the breach once the due is past.

    `responsible` is who answers for the client; only rules that `tells_responsible` need it.
    """
    due = obligation.due
    if not obligation.is_open or due is None or (obligation.standing and moves(obligation)):
        return ()
    rule = book.rule(obligation.regulation, obligation.version)
    calendar = book.calendar(obligation.calendar, obligation.calendar_version)
    look = _Look(obligation, rule, calendar, roster, due, now, responsible)
    ready = _ready(look)
    breaks = now > due and obligation.breached_at is None
    length = length_of(obligation.target)
    done = (*obligation.steps_done, *(step.key(due) for step, _ in ready))
    breached = breaks or obligation.breached_at is not None
    then = next_look(rule, calendar, length, obligation.started, due, obligation.pauses, done, breached)
    out: list[Decision] = []
    for step, at in ready:
        if breaks and not step.at_due and not step.after_due:
            _take(look, step, at, then, out)
    if breaks:
        out.append(BreachObligation(obligation.id, due, now, "time", then, _late(due, now)))
    for step, at in ready:
        if not breaks or step.at_due or step.after_due:
            _take(look, step, at, then, out)
    if not out and obligation.next_at is not None and obligation.next_at <= now and then != obligation.next_at:
        out.append(FireStep(obligation.id, "", now, then))
    return tuple(out)


def _ready(look: _Look) -> list[tuple[Step, datetime]]:
    obligation, rule = look.obligation, look.rule
    length, pauses = length_of(obligation.target), stretches(obligation.pauses)
    found = []
    for step in rule.steps:
        if step.key(look.due) in obligation.steps_done:
            continue
        at = step.at(length, obligation.started, look.due, look.calendar, pauses, rule.common.roll)
        if at is not None and at <= look.now:
            found.append((step, at))
    return found


def _late(at: datetime, now: datetime) -> int:
    seconds = int((now - at).total_seconds())
    return seconds if seconds > PUNCTUAL else 0


def _take(look: _Look, step: Step, at: datetime, then: datetime | None, out: list[Decision]) -> None:
    late = _late(at, look.now)
    obligation = look.obligation
    out.append(FireStep(obligation.id, step.key(look.due), look.now, then, late))
    if step.do == TASK:
        out.append(_task(look, step))
    elif not (step.after_due and obligation.details.get("acknowledged")):
        out.extend(_alerts(look, step, late))


def _task(look: _Look, step: Step) -> MakeTask:
    obligation, roster = look.obligation, look.roster
    own = step.to == "owner"
    owner = roster.deputy(obligation.owner, look.now) if own else next(iter(look.recipients(step.to)), None)
    title = step.title or look.rule.task_title(roster.language(owner))
    return MakeTask(
        title,
        owner,
        obligation.team,
        look.due,
        obligation.client,
        f"regulation:{look.rule.key}",
        obligation.conversation,
        obligation.id,
        obligation.started_by,
        step.name,
    )


def _alerts(look: _Look, step: Step, late: int) -> list[RaiseAlert]:
    obligation, rule, roster = look.obligation, look.rule, look.roster
    what = "breach" if step.at_due else "climb" if step.after_due else "warning"
    data = {"what": what, "due": look.due.isoformat(), "client": obligation.client, "owner": obligation.owner}
    if late:
        data["late_by"] = late
    push_at = loud_again(rule.common.quiet_hours, look.calendar, look.now) if rule.common.quiet_hours else look.now
    storm = (rule.common.storm.more_than, int(rule.common.storm.within.span.total_seconds()))
    return [
        RaiseAlert(
            obligation.id,
            step.name,
            look.now,
            person,
            rule.common.title_in(roster.language(person)),
            f"{rule.key}|{step.name}",
            push_at,
            data,
            storm,
        )
        for person in look.recipients(step.to)
    ]
