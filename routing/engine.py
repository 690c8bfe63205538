"""What follows from a touch, an edit, a reported event: pure, no clock of its own, no I/O.

For every promise of the client, in this order: stop, cancel, reset, pause, resume; then new ones start. Regulations
never trigger regulations: decisions are made once per touch.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import replace
from datetime import datetime

from routing.calendar import Calendar
from routing.changes import follow_changes, recompute
from routing.decisions import (
    BreachObligation,
    CancelObligation,
    CloseTask,
    Decision,
    MakeTask,
    MeetObligation,
    NoteAttempt,
    PauseObligation,
    ReopenObligation,
    ReopenTask,
    ResetObligation,
    ResumeObligation,
    StartObligation,
    WithdrawAlert,
    WithdrawBreach,
)
from routing.duration import Duration
from routing.facts import Facts, InteractionFacts, ObligationFacts, Pause
from routing.rule import Ended, Rule, Start
from routing.tasks import follow_tasks
from routing.timing import due_of, length_of, moves, next_look, words_of

Slot = tuple[str, Hashable]
SEEMED_KEPT = "seemed_kept"
"""Why a clock stood still between an answer and the news that it was none."""


def decide(facts: Facts) -> tuple[Decision, ...]:
    """What follows from what happened to one client."""
    out: list[Decision] = []
    running: dict[Slot, ObligationFacts] = {}
    for obligation in facts.obligations:
        rule = facts.book.rule(obligation.regulation, obligation.version)
        if obligation.is_open:
            if judge(obligation, rule, facts, out):
                running[rule.slot, rule.scope(obligation.client, obligation.conversation, obligation.start_key)] = (
                    obligation
                )
        else:
            review(obligation, rule, facts, out)
    if facts.tasks and facts.interaction is not None:
        follow_tasks(facts, out)
    if facts.client is not None:
        _start_all(facts, running, out)
    return tuple(out)


def judge(obligation: ObligationFacts, rule: Rule, facts: Facts, out: list[Decision]) -> bool:
    """One open promise; true when it still runs afterwards."""
    met_at = rule.meets(obligation, facts)
    if met_at is not None:
        meet(obligation, met_at, facts, out)
        return False
    ended = rule.ends(obligation, facts)
    if ended is not None:
        cancel(obligation, ended, facts.at, out)
        return False
    anew = rule.resets(obligation, facts)
    if anew is not None:
        out.append(_reset(obligation, rule, anew, facts))
        return True
    if not _stand(obligation, rule, facts, out):
        follow_changes(obligation, rule, facts, out)
    return True


def meet(obligation: ObligationFacts, at: datetime, facts: Facts, out: list[Decision]) -> None:
    """It is kept: in time at the very second of its due, too. A late touch takes a breach back."""
    late = obligation.due is not None and at > obligation.due
    number = obligation.id
    if late and obligation.breached_at is None:
        assert obligation.due is not None
        out.append(BreachObligation(number, obligation.due, facts.now, "met_late", None))
    elif not late and obligation.breached_at is not None:
        out.append(WithdrawBreach(number, facts.now, "late_touch"))
        out.append(WithdrawAlert(number, facts.now, "kept_in_time"))
    interaction = facts.interaction
    cause = facts.event.event if facts.event else interaction.kind if interaction else "state"
    out.append(MeetObligation(number, at, interaction.id if interaction else None, cause))
    by = f"interaction:{interaction.id}" if interaction else f"event:{facts.event.id}" if facts.event else "regulation"
    out.append(CloseTask(at, by, obligation=number))


def cancel(obligation: ObligationFacts, ended: Ended, at: datetime, out: list[Decision]) -> None:
    """It no longer binds; neither its tasks nor its alerts do."""
    out.append(CancelObligation(obligation.id, at, ended.why, ended.by))
    out.append(CloseTask(at, f"regulation:{obligation.regulation}", "cancelled", obligation.id))
    out.append(WithdrawAlert(obligation.id, at, ended.why))


def review(obligation: ObligationFacts, rule: Rule, facts: Facts, out: list[Decision]) -> None:
    """A finished promise: its proof may prove void, an earlier proof may arrive late, what ended it may be undone."""
    interaction = facts.interaction
    proof = obligation.met_by is not None and interaction is not None and interaction.id == obligation.met_by
    met_at = rule.meets(obligation, facts) if obligation.state == "met" else None
    if proof and facts.before is not None and met_at is None:
        assert interaction is not None
        reopen(obligation, rule, "bounced" if interaction.delivery == "failed" else "corrected", facts, out)
    elif met_at is not None and obligation.met_at is not None and met_at < obligation.met_at:
        meet(obligation, met_at, facts, out)
    elif (why := rule.reopens(obligation, facts)) is not None:
        reopen(obligation, rule, why, facts, out)


def reopen(obligation: ObligationFacts, rule: Rule, cause: str, facts: Facts, out: list[Decision]) -> None:
    """It binds again with the time that was left, unless another touch has kept it meanwhile."""
    ended = obligation.met_at or obligation.closed_at or facts.at
    pause = Pause(ended, facts.at, SEEMED_KEPT, cause) if moves(obligation) and facts.at > ended else None
    pauses = (*obligation.pauses, pause) if pause else obligation.pauses
    calendar = facts.book.calendar(obligation.calendar, obligation.calendar_version)
    length = length_of(obligation.target)
    breached = obligation.breached_at is not None
    due = obligation.due if breached or not moves(obligation) else _due(rule, calendar, length, obligation, pauses)
    due = due if due is not None or length is None else _due(rule, calendar, length, obligation, pauses)
    look = next_look(rule, calendar, length, obligation.started, due, pauses, obligation.steps_done, breached)
    state = "breached" if breached else "running"
    out.append(ReopenObligation(obligation.id, facts.at, cause, state, due, look, pause))
    out.append(ReopenTask(facts.at, cause, obligation.id))
    again = replace(obligation, state=state, due=due, pauses=pauses, met_at=None, met_by=None)
    for touch in facts.later:
        seen = _seen(touch, facts)
        if touch.id != obligation.met_by and (at := rule.meets(again, seen)):
            meet(again, at, seen, out)
            return
    _join_younger(obligation, rule, facts, out)


def _join_younger(obligation: ObligationFacts, rule: Rule, facts: Facts, out: list[Decision]) -> None:
    """The oldest unanswered touch runs; a younger promise of the same slot adds nothing."""
    scope = rule.scope(obligation.client, obligation.conversation, obligation.start_key)
    for other in facts.obligations:
        if other.is_open and other.slot == obligation.slot and other.id != obligation.id:
            theirs = facts.book.rule(other.regulation, other.version)
            if theirs.scope(other.client, other.conversation, other.start_key) == scope:
                cancel(other, Ended("joined", None), facts.at, out)


def _due(
    rule: Rule, calendar: Calendar, length: Duration | None, obligation: ObligationFacts, pauses: tuple[Pause, ...]
) -> datetime | None:
    return obligation.due if length is None else due_of(rule, calendar, length, obligation.started, pauses)


def _reset(obligation: ObligationFacts, rule: Rule, anew: datetime, facts: Facts) -> ResetObligation:
    calendar = facts.book.calendar(obligation.calendar, obligation.calendar_version)
    length = length_of(obligation.target)
    due = due_of(rule, calendar, length, anew) if length else obligation.due
    look = next_look(rule, calendar, length, anew, due)
    by = facts.interaction.id if facts.interaction else None
    return ResetObligation(obligation.id, facts.at, anew, by, due, look, "reset")


def _stand(obligation: ObligationFacts, rule: Rule, facts: Facts, out: list[Decision]) -> bool:
    """Pause or resume; true when one of them happened."""
    why, standing = rule.stands(obligation, facts), obligation.standing
    if obligation.state == "breached" or (why is None and not standing):
        return False
    calendar = facts.book.calendar(obligation.calendar, obligation.calendar_version)
    if why is not None and not standing:
        if obligation.due is not None and facts.at > obligation.due:
            return False
        stays = not moves(obligation)
        due, look = (obligation.due, obligation.next_at) if stays else (None, None)
        out.append(PauseObligation(obligation.id, facts.at, why, facts.actor, due, look))
        return True
    if why is not None or facts.conversation is None or facts.conversation.id != obligation.conversation:
        return False
    last = obligation.pauses[-1]
    pauses = (*obligation.pauses[:-1], replace(last, end=max(facts.at, last.start)))
    length = length_of(obligation.target)
    due = _due(rule, calendar, length, obligation, pauses) if moves(obligation) else obligation.due
    look = next_look(rule, calendar, length, obligation.started, due, pauses, obligation.steps_done)
    by = facts.actor or ("client" if facts.interaction is not None else None)
    out.append(ResumeObligation(obligation.id, facts.at, last.why, by, due, look))
    return True


def _start_all(facts: Facts, running: dict[Slot, ObligationFacts], out: list[Decision]) -> None:
    named = facts.interaction.regulation if facts.interaction else None
    taken: set[Slot] = set()
    for rule in _ordered(facts.book.rules, named):
        if rule.many:
            if rule.applies(facts):
                for start in rule.starts(facts):
                    _consider(rule, start, facts, running, taken, out)
            continue
        found = rule.start(facts)
        if found is not None and (rule.key == named or rule.applies(facts)):
            _consider(rule, found, facts, running, taken, out)


def _consider(
    rule: Rule,
    start: Start,
    facts: Facts,
    running: dict[Slot, ObligationFacts],
    taken: set[Slot],
    out: list[Decision],
) -> None:
    """Begin it, unless its slot is taken, it began before, or it lies before the regulation is enforced."""
    slot = (rule.slot, rule.scope(start.client, start.conversation, start.key))
    if slot in taken or (rule.enforce_from is not None and start.anchor < rule.enforce_from):
        return
    taken.add(slot)
    if (there := running.get(slot)) is not None:
        _join(there, rule, start, facts, out)
    elif not any(o.start_key == start.key and o.regulation == rule.key for o in facts.obligations):
        begin(rule, start, facts, out)


def _ordered(rules: tuple[Rule, ...], named: str | None) -> Iterable[Rule]:
    """The regulation that a form names comes first; the others in their order."""
    return rules if named is None else sorted(rules, key=lambda rule: rule.key != named)


def _join(there: ObligationFacts, rule: Rule, start: Start, facts: Facts, out: list[Decision]) -> None:
    """One runs already: another attempt is noted; an older cause that arrives late pulls its start back."""
    if rule.joins_attempts and there.started_by != start.interaction:
        out.append(NoteAttempt(there.id, start.anchor, start.interaction))
    older = rule.pulls_back and start.anchor < there.started and not there.pinned
    if older and there.regulation == rule.key:
        current = facts.book.rule(there.regulation, there.version)
        calendar = facts.book.calendar(there.calendar, there.calendar_version)
        length = length_of(there.target)
        recompute(there, current, calendar, length, "late_touch", facts, out, start.anchor, start.interaction)


def begin(rule: Rule, start: Start, facts: Facts, out: list[Decision]) -> None:
    """A new promise, with its task."""
    category = facts.client.category if facts.client else None
    if category is None and facts.company is not None:
        category = facts.company.category
    target = rule.target(category)
    if target is None and start.due is None and rule.needs_target:
        return
    calendar = facts.book.calendar_for(rule.common.calendar, start.team, facts.client, facts.company)
    due = start.due
    if target is not None and due is None:
        due = due_of(rule, calendar, target, start.anchor, start.pauses)
    length = None if start.due is not None else target
    look = next_look(rule, calendar, length, start.anchor, due, start.pauses)
    task = _task(rule, start, due, facts) if rule.makes_task else None
    words = words_of(target) if length is not None and target is not None else rule.target_words(start)
    out.append(
        StartObligation(
            rule.key,
            rule.version,
            start.key,
            rule.slot,
            start.client,
            start.conversation,
            start.interaction,
            start.owner,
            start.team,
            start.anchor,
            words,
            calendar.key,
            calendar.version,
            due,
            look,
            "event" if facts.event is not None else "touch" if start.interaction is not None else "client",
            task,
            start.details,
            _met_before(rule, start, facts) if facts.later else None,
            start.pauses,
        )
    )


def _task(rule: Rule, start: Start, due: datetime | None, facts: Facts) -> MakeTask:
    title = rule.task_title(facts.roster.language(start.owner))
    made_by = f"regulation:{rule.key}"
    return MakeTask(
        title, start.owner, start.team, due, start.client, made_by, start.conversation, None, start.interaction
    )


def _met_before(rule: Rule, start: Start, facts: Facts) -> tuple[datetime, int] | None:
    """Whether a touch that the log knew already keeps what only now turns out to have been promised."""
    mirror = ObligationFacts(
        0,
        rule.key,
        rule.version,
        start.key,
        rule.slot,
        start.client,
        start.conversation,
        start.interaction,
        start.owner,
        start.team,
        "running",
        start.anchor,
        "",
        "",
        0,
        None,
        details=start.details,
    )
    for touch in facts.later:
        at = rule.meets(mirror, _seen(touch, facts))
        if at is not None:
            return at, touch.id
    return None


def _seen(touch: InteractionFacts, facts: Facts) -> Facts:
    """What the log knew already, looked at as if it came now."""
    return replace(facts, interaction=touch, before=None, event=None)
