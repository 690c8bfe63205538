"""Who writes to us is answered: what starts the promise, what keeps it, what ends it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from routing.decisions import (
    BreachObligation,
    CancelObligation,
    Decision,
    MeetObligation,
    PauseObligation,
    RecomputeObligation,
    ReopenObligation,
    ResumeObligation,
    StartObligation,
    WithdrawAlert,
    WithdrawBreach,
)
from routing.engine import decide
from routing.facts import InteractionFacts, Pause

from .world import book_of, call, client, conversation, facts_of, message, msk, obligation

REACTION = """
[regulation.reaction]
title = "Answer in four working hours"
kind = "respond"
for = { team = ["support"] }
within = { VIP = "1 working hours", A = "2 working hours", other = "4 working hours" }
calendar = "office"
pause_while = ["waiting_client"]
warn = ["50%", "-30 min"]
"""
BOOK = book_of(REACTION)
NOW = "2026-09-14 10:00"


def names(decisions: tuple[Decision, ...]) -> list[str]:
    return [type(each).__name__ for each in decisions]


def only(decisions: tuple[Decision, ...], kind: type) -> Any:
    found = [each for each in decisions if isinstance(each, kind)]
    assert len(found) == 1, decisions
    return found[0]


def starts(interaction: InteractionFacts, **more: Any) -> list[StartObligation]:
    found = decide(facts_of(BOOK, NOW, interaction=interaction, **more))
    return [each for each in found if isinstance(each, StartObligation)]


@pytest.mark.parametrize(
    ("why", "touch", "count"),
    [
        ("a mail", message(1, NOW), 1),
        ("a form", message(1, NOW, kind="form", channel="form"), 1),
        ("a letter", message(1, NOW, kind="letter", channel="post"), 1),
        ("our own words", message(1, NOW, "outbound"), 0),
        ("an automatic mail", message(1, NOW, automatic="auto_reply"), 0),
        ("a newsletter", message(1, NOW, automatic="bulk"), 0),
        ("suspicious", message(1, NOW, quarantined=True), 0),
        ("sent twice", message(1, NOW, again=True), 0),
        ("nobody's yet", message(1, NOW, client=None), 0),
        ("a note", message(1, NOW, kind="note", direction="internal"), 0),
    ],
)
def test_what_starts_it(why: str, touch: InteractionFacts, count: int) -> None:
    assert len(starts(touch)) == count, why


def test_a_call_never_starts_it() -> None:
    started = starts(call(1, NOW, outcome="missed", reason="abandoned", ended="2026-09-14 10:01"))
    assert [each.slot for each in started] == ["call_back"]


@pytest.mark.parametrize(("category", "due"), [("VIP", "11:00"), ("A", "12:00"), ("C", "14:00"), (None, "14:00")])
def test_targets_by_category(category: str | None, due: str) -> None:
    (start,) = starts(message(1, NOW), client=client(category=category))
    assert start.due == msk(f"2026-09-14 {due}")


def test_another_team_is_promised_nothing() -> None:
    assert not starts(message(1, NOW, team="sales"), conversation=conversation(team="sales"))


def test_next_look_is_the_first_warning() -> None:
    (start,) = starts(message(1, NOW))
    assert start.next_at == msk("2026-09-14 12:00")


def test_the_task_is_the_responsibles_in_his_language() -> None:
    (start,) = starts(message(1, NOW), client=client(responsible="anna"))
    assert start.owner == "anna"
    assert start.task is not None
    assert start.task.title == "Ответить клиенту: Answer in four working hours"
    assert start.task.due == start.due


def test_the_conversations_owner_comes_before_the_responsible() -> None:
    (start,) = starts(message(1, NOW), client=client(responsible="anna"), conversation=conversation(owner="boris"))
    assert start.owner == "boris"


def test_one_runs_per_conversation() -> None:
    facts = facts_of(BOOK, NOW, interaction=message(2, "2026-09-14 10:20"), obligations=(obligation(),))
    assert not decide(facts)


def test_an_edit_starts_nothing_twice() -> None:
    touch = message(1, NOW)
    assert not starts(replace(touch, words="changed"), before=touch)


def test_release_from_quarantine_starts_it_from_its_own_time() -> None:
    touch = message(1, "2026-09-14 09:30")
    (start,) = starts(touch, before=replace(touch, quarantined=True))
    assert start.started == msk("2026-09-14 09:30")


@pytest.mark.parametrize(
    ("why", "touch", "met"),
    [
        ("a mail", message(2, "2026-09-14 11:00", "outbound"), "11:00"),
        ("a mail by program found in Sent", message(2, "2026-09-14 11:00", "outbound", delivery=None), "11:00"),
        ("a mail not out yet", message(2, "2026-09-14 11:00", "outbound", delivery="pending"), None),
        ("a mail that came back", message(2, "2026-09-14 11:00", "outbound", delivery="failed"), None),
        ("an acknowledgement", message(2, "2026-09-14 10:00:05", "outbound", automatic="own"), None),
        ("the client again", message(2, "2026-09-14 11:00"), None),
        ("a note", message(2, "2026-09-14 11:00", kind="note", direction="internal"), None),
        ("another mail thread", message(2, "2026-09-14 11:00", "outbound", conversation=7), None),
        ("an SMS instead", message(2, "2026-09-14 11:00", "outbound", conversation=7, channel="sms"), "11:00"),
        ("an answered call", call(2, "2026-09-14 11:00", outcome="answered", answered="2026-09-14 11:01"), "11:01"),
        ("a call nobody answered", call(2, "2026-09-14 11:00", direction="outbound", outcome="missed"), None),
        ("a call of no length", call(2, "2026-09-14 11:00", outcome="answered", talk_s=0), None),
        ("before the question", message(2, "2026-09-14 09:00", "outbound"), None),
        ("at the very same instant, logged after it", message(2, "2026-09-14 10:00", "outbound"), "10:00"),
        ("at the very same instant, logged before it", message(0, "2026-09-14 10:00", "outbound"), None),
    ],
)
def test_what_keeps_it(why: str, touch: InteractionFacts, met: str | None) -> None:
    found = decide(facts_of(BOOK, "2026-09-14 11:05", interaction=touch, obligations=(obligation(),)))
    kept = [each for each in found if isinstance(each, MeetObligation)]
    assert [each.at for each in kept] == ([msk(f"2026-09-14 {met}")] if met else []), why


def test_an_answer_at_the_second_of_the_due_is_in_time() -> None:
    touch = message(2, "2026-09-14 14:00", "outbound")
    found = decide(facts_of(BOOK, "2026-09-14 14:00", interaction=touch, obligations=(obligation(),)))
    assert names(found) == ["MeetObligation", "CloseTask"]
    late = replace(touch, at=touch.at + timedelta(microseconds=1))
    found = decide(facts_of(BOOK, "2026-09-14 14:01", interaction=late, obligations=(obligation(),)))
    assert names(found) == ["BreachObligation", "MeetObligation", "CloseTask"]
    assert only(found, BreachObligation).at == msk("2026-09-14 14:00")


def test_a_late_touch_takes_a_breach_back() -> None:
    broken = obligation(state="breached", breached_at=msk("2026-09-14 14:00"))
    touch = call(2, "2026-09-14 13:05", outcome="answered", direction="outbound", talk_s=60)
    found = decide(facts_of(BOOK, "2026-09-14 16:00", interaction=touch, obligations=(broken,)))
    assert names(found) == ["WithdrawBreach", "WithdrawAlert", "MeetObligation", "CloseTask"]


def test_an_earlier_answer_that_arrives_late_corrects_a_late_one() -> None:
    broken = msk("2026-09-14 14:00")
    met = obligation(state="met", breached_at=broken, met_at=msk("2026-09-14 15:30"), met_by=2)
    touch = message(3, "2026-09-14 13:00", "outbound")
    found = decide(facts_of(BOOK, "2026-09-14 16:00", interaction=touch, obligations=(met,)))
    assert only(found, MeetObligation).at == touch.at
    assert only(found, WithdrawBreach)
    assert only(found, WithdrawAlert)


def test_a_bounce_reopens_with_the_time_that_was_left() -> None:
    met = obligation(state="met", met_at=msk("2026-09-14 11:00"), met_by=2)
    sent = message(2, "2026-09-14 11:00", "outbound")
    facts = facts_of(
        BOOK,
        "2026-09-14 16:00",
        at="2026-09-14 16:00",
        interaction=replace(sent, delivery="failed"),
        before=sent,
        obligations=(met,),
    )
    found = only(decide(facts), ReopenObligation)
    assert found.due == msk("2026-09-15 10:00")
    assert found.cause == "bounced"
    assert found.pause == Pause(msk("2026-09-14 11:00"), msk("2026-09-14 16:00"), "seemed_kept", "bounced")


def test_a_bounce_of_one_answer_while_another_arrived_changes_only_the_proof() -> None:
    met = obligation(state="met", met_at=msk("2026-09-14 11:00"), met_by=2)
    sent = message(2, "2026-09-14 11:00", "outbound")
    other = message(3, "2026-09-14 12:00", "outbound")
    facts = facts_of(
        BOOK,
        "2026-09-14 16:00",
        at="2026-09-14 16:00",
        interaction=replace(sent, delivery="failed"),
        before=sent,
        obligations=(met,),
        later=(sent, other),
    )
    found = decide(facts)
    assert names(found)[:2] == ["ReopenObligation", "ReopenTask"]
    assert only(found, MeetObligation).met_by == 3


@pytest.mark.parametrize(("state", "why"), [("junk", "junk"), ("solved", "no_answer_needed")])
def test_closing_ends_it_with_who_and_why(state: str, why: str) -> None:
    closed = conversation(state=state, closed_why=why, closed_by="anna")
    found = decide(facts_of(BOOK, "2026-09-14 11:00", conversation=closed, obligations=(obligation(),), actor="anna"))
    ended = only(found, CancelObligation)
    assert (ended.why, ended.by) == (why, "anna")


def test_waiting_for_the_client_pauses_until_he_writes() -> None:
    waiting = conversation(state="waiting_client")
    facts = facts_of(BOOK, "2026-09-14 11:00", conversation=waiting, obligations=(obligation(),), actor="anna")
    paused = only(decide(facts), PauseObligation)
    assert (paused.why, paused.by, paused.due) == ("waiting_client", "anna", None)
    standing = obligation(
        state="paused", due=None, pauses=(Pause(msk("2026-09-14 11:00"), None, "waiting_client", "anna"),)
    )
    touch = message(2, "2026-09-15 09:30")
    found = decide(facts_of(BOOK, "2026-09-15 09:30", interaction=touch, obligations=(standing,)))
    assert only(found, ResumeObligation).due == msk("2026-09-15 12:30")


def test_the_late_arrival_of_an_older_question_pulls_the_start_back() -> None:
    later = obligation(started=msk("2026-09-14 10:20"), due=msk("2026-09-14 14:20"))
    touch = message(0, "2026-09-14 10:00")
    found = decide(facts_of(BOOK, "2026-09-14 10:30", interaction=touch, obligations=(later,)))
    moved = only(found, RecomputeObligation)
    assert (moved.started, moved.due, moved.cause) == (touch.at, msk("2026-09-14 14:00"), "late_touch")


def test_a_question_already_answered_when_it_arrives_late_starts_nothing() -> None:
    answered = conversation(answered_at=msk("2026-09-14 11:00"))
    assert not starts(message(1, "2026-09-14 10:30"), conversation=answered)


def test_an_answer_that_arrives_late_leaves_the_later_question_open() -> None:
    waits = conversation(waiting_since=msk("2026-09-14 12:00"), waiting_id=3)
    touch = message(2, "2026-09-14 11:00", "outbound")
    facts = facts_of(BOOK, "2026-09-14 12:30", interaction=touch, conversation=waits, obligations=(obligation(),))
    found = decide(facts)
    assert only(found, MeetObligation).at == touch.at
    assert only(found, StartObligation).started == msk("2026-09-14 12:00")


def test_note_31_next_reply() -> None:
    """Client 10:00 and 10:20, acknowledgement, agent 11:00, client 12:00: two instances."""
    (first,) = starts(message(1, NOW))
    running = obligation(due=first.due)
    assert not decide(facts_of(BOOK, NOW, interaction=message(2, "2026-09-14 10:20"), obligations=(running,)))
    answer = message(4, "2026-09-14 11:00", "outbound")
    found = decide(facts_of(BOOK, "2026-09-14 11:00", interaction=answer, obligations=(running,)))
    assert only(found, MeetObligation).met_by == 4
    met = replace(running, state="met", met_at=answer.at, met_by=4)
    again = decide(facts_of(BOOK, "2026-09-14 12:00", interaction=message(5, "2026-09-14 12:00"), obligations=(met,)))
    assert only(again, StartObligation).started == msk("2026-09-14 12:00")


FIRST = book_of(REACTION.replace('kind = "respond"', 'kind = "respond"\nanswers = "first"'))


def test_first_promises_the_opening_only() -> None:
    opening = facts_of(FIRST, NOW, interaction=message(1, NOW), conversation=conversation(new=True))
    assert only(decide(opening), StartObligation)
    met = obligation(state="met", met_at=msk("2026-09-14 11:00"), met_by=2)
    later = facts_of(FIRST, NOW, interaction=message(3, "2026-09-14 12:00"), obligations=(met,))
    assert not decide(later)
    answered = conversation(answered_at=msk("2026-09-13 11:00"))
    assert not decide(facts_of(FIRST, NOW, interaction=message(3, "2026-09-14 12:00"), conversation=answered))


SAME = book_of(REACTION + 'channel = "same"\n')


def test_note_38_only_the_same_channel_when_the_regulation_says_so() -> None:
    touch = call(2, "2026-09-14 11:00", outcome="answered", talk_s=60)
    assert not decide(facts_of(SAME, NOW, interaction=touch, obligations=(obligation(),)))
    mail = message(2, "2026-09-14 11:00", "outbound")
    assert decide(facts_of(SAME, NOW, interaction=mail, obligations=(obligation(),)))


def test_note_37_a_transfer_is_one_call_and_keeps_it_once() -> None:
    first = call(2, "2026-09-14 11:00", outcome="answered", answered="2026-09-14 11:01", operator="anna")
    found = decide(facts_of(BOOK, NOW, interaction=first, obligations=(obligation(),)))
    assert only(found, MeetObligation).at == msk("2026-09-14 11:01")
    met = obligation(state="met", met_at=msk("2026-09-14 11:01"), met_by=2)
    moved = replace(first, operator="boris")
    assert not decide(facts_of(BOOK, NOW, interaction=moved, before=first, obligations=(met,)))


def test_the_first_fitting_regulation_of_a_slot_wins() -> None:
    two = book_of(REACTION + REACTION.replace("regulation.reaction", "regulation.other"))
    assert only(decide(facts_of(two, NOW, interaction=message(1, NOW))), StartObligation).regulation == "reaction"
    named = message(1, NOW, kind="form", regulation="other")
    assert only(decide(facts_of(two, NOW, interaction=named)), StartObligation).regulation == "other"


def test_enforce_from_keeps_it_from_judging_the_past() -> None:
    book = book_of(REACTION + 'enforce_from = "2026-09-15"\n')
    assert not decide(facts_of(book, NOW, interaction=message(1, NOW)))
    assert decide(facts_of(book, NOW, interaction=message(1, "2026-09-15 10:00")))
