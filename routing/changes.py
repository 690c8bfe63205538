"""What changes about a promise while it runs: its client's category, its owner, its regulation, its calendar. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from routing.book import calendar_of
from routing.calendar import Calendar
from routing.decisions import (
    BreachObligation,
    CancelObligation,
    CloseTask,
    Decision,
    FireStep,
    HandOver,
    MoveObligation,
    RaiseAlert,
    RecomputeObligation,
    WithdrawAlert,
    WithdrawBreach,
)
from routing.duration import Duration
from routing.facts import ClientFacts, Facts, ObligationFacts
from routing.rule import Rule
from routing.timing import due_of, length_of, loud_again, next_look


def follow_changes(obligation: ObligationFacts, rule: Rule, facts: Facts, out: list[Decision]) -> None:
    """What an edit of the client or of the conversation means for one open promise."""
    if facts.conversation_before is not None:
        _follow_conversation(obligation, rule, facts, out)
    if facts.client_before is not None and facts.client is not None:
        _follow_client(obligation, rule, facts, out)
    touch, before = facts.interaction, facts.before
    if touch is None or before is None or touch.id != obligation.started_by or touch.client is None:
        return
    if touch.client != obligation.client and before.client == obligation.client:
        out.append(MoveObligation(obligation.id, facts.now, touch.client, "corrected"))


def _follow_conversation(obligation: ObligationFacts, rule: Rule, facts: Facts, out: list[Decision]) -> None:
    before, after = facts.conversation_before, facts.conversation
    if before is None or after is None or obligation.conversation != after.id:
        return
    owned = obligation.owner in (before.owner, None) and before.owner != after.owner
    moved = before.team != after.team
    if owned or moved:
        owner = after.owner if owned else obligation.owner
        team = after.team or obligation.team
        out.append(HandOver(obligation.id, facts.now, owner, team, "conversation", facts.actor))
        if team != obligation.team and facts.client is not None:
            retarget(replace(obligation, team=team), rule, facts.client, facts, out, "team")


def _follow_client(obligation: ObligationFacts, rule: Rule, facts: Facts, out: list[Decision]) -> None:
    before, after = facts.client_before, facts.client
    assert before is not None and after is not None
    if rule.per_client and not rule.applies(facts):
        out.append(CancelObligation(obligation.id, facts.now, "no_longer_applies", facts.actor))
        out.append(CloseTask(facts.now, f"regulation:{rule.key}", "cancelled", obligation.id))
        out.append(WithdrawAlert(obligation.id, facts.now, "no_longer_applies"))
        return
    his = obligation.owner == before.responsible and (obligation.owner is not None or rule.per_client)
    if before.responsible != after.responsible and his:
        out.append(HandOver(obligation.id, facts.now, after.responsible, obligation.team, "responsible", facts.actor))
    if before.category != after.category:
        retarget(obligation, rule, after, facts, out, "category")
    elif calendar_of(before) != calendar_of(after):
        retarget(obligation, rule, after, facts, out, "calendar")


def retarget(
    obligation: ObligationFacts, rule: Rule, client: ClientFacts, facts: Facts, out: list[Decision], cause: str
) -> None:
    """Judge an open promise by a (new) rule and calendar for a client as he is now; pinned ones stay as they are."""
    if obligation.pinned or rule.common.on_change == "keep":
        return
    category = client.category or (facts.company.category if facts.company else None)
    target = rule.target(category)
    if length_of(obligation.target) is None or target is None:
        return
    calendar = facts.book.calendar_for(rule.common.calendar, obligation.team, client, facts.company)
    same = (str(target), calendar.key, calendar.version, rule.version)
    if same == (obligation.target, obligation.calendar, obligation.calendar_version, obligation.version):
        return
    if rule.common.on_change == "restart":
        recompute(obligation, rule, calendar, target, cause, facts, out, facts.at, obligation.started_by, True)
    else:
        recompute(obligation, rule, calendar, target, cause, facts, out, obligation.started, obligation.started_by)


def recompute(
    obligation: ObligationFacts,
    rule: Rule,
    calendar: Calendar,
    target: Duration | None,
    cause: str,
    facts: Facts,
    out: list[Decision],
    started: datetime,
    started_by: int | None,
    restarted: bool = False,
) -> None:
    """A new due. One already past breaches at once, with one alert; a breach whose due moves ahead is withdrawn."""
    pauses = () if restarted else obligation.pauses
    due = due_of(rule, calendar, target, started, pauses) if target is not None else obligation.due
    past = due is not None and facts.now > due
    earlier = [step.key(due) for step in rule.steps if not step.after_due] if past and due is not None else []
    keys = tuple(key for key in earlier if key not in obligation.steps_done)
    done = (*obligation.steps_done, *keys)
    look = next_look(rule, calendar, target, started, due, pauses, done, past)
    words = obligation.target if target is None else str(target)
    number = obligation.id
    out.append(
        RecomputeObligation(
            number,
            facts.now,
            cause,
            rule.version,
            started,
            started_by,
            words,
            calendar.key,
            calendar.version,
            due,
            look,
            obligation.pinned,
            facts.actor,
            restarted,
        )
    )
    if past and obligation.breached_at is None:
        assert due is not None
        out.append(BreachObligation(number, due, facts.now, "recomputed", look))
        out.extend(FireStep(number, key, facts.now, look, skipped=True) for key in keys)
        out.extend(_one_alert(obligation, rule, calendar, due, cause, facts))
    elif not past and obligation.breached_at is not None:
        out.append(WithdrawBreach(number, facts.now, cause))
        out.append(WithdrawAlert(number, facts.now, cause))


def _one_alert(
    obligation: ObligationFacts, rule: Rule, calendar: Calendar, due: datetime, cause: str, facts: Facts
) -> list[RaiseAlert]:
    """Instead of all the warnings whose time is past, one alert that says why it comes so late."""
    people = facts.roster.recipients("lead", obligation.owner, obligation.team, facts.now)
    data = {"due": due.isoformat(), "client": obligation.client, "cause": "recomputed", "because": cause}
    push_at = loud_again(rule.common.quiet_hours, calendar, facts.now)
    storm = (rule.common.storm.more_than, int(rule.common.storm.within.span.total_seconds()))
    return [
        RaiseAlert(
            obligation.id,
            "recomputed",
            facts.now,
            person,
            rule.common.title_in(facts.roster.language(person)),
            f"{rule.key}|recomputed",
            push_at,
            data,
            storm,
        )
        for person in people
    ]
