"""After an event, a named action: materials, letters of thanks, quality sheets, call-backs, chains."""

from __future__ import annotations

from dataclasses import replace

import pytest

from routing.decisions import CancelObligation, MeetObligation, NoteAttempt, ReopenObligation, StartObligation
from routing.engine import decide
from routing.facts import InteractionFacts, ObligationFacts

from .judging import after, names, only
from .world import OFFICE, book_of, call, conversation, event, facts_of, message, msk

MATERIALS = """
[regulation.materials]
title = "Promised materials within two hours"
kind = "follow_up"
after = { event = "call.ended", field = { materials_requested = true } }
action = { send = ["email", "messenger"], with = "attachment" }
within = "2 hours"
"""
BOOK = book_of(
    MATERIALS
    + """
[regulation.thanks]
title = "Thank for the meeting"
kind = "follow_up"
after = { event = "meeting.ended" }
action = { send = ["email"] }
within = "1 working days"
calendar = "office"
[regulation.quality]
title = "Ask for a quality sheet"
kind = "follow_up"
after = { event = "contract.closed" }
action = { send = ["email"] }
within = "3 working days"
calendar = "office"
"""
)
TALK = call(1, "2026-09-15 17:00", ended="2026-09-15 17:30", outcome="answered", talk_s=1700, operator="anna")
ASKED = replace(TALK, fields={"materials_requested": True})


def running(touch: InteractionFacts, now: str = "2026-09-15 17:31") -> ObligationFacts:
    facts = facts_of(BOOK, now, interaction=touch)
    (found,) = after(decide(facts), (), facts)
    return found


def test_materials_are_due_two_clock_hours_after_the_call_ended() -> None:
    found = running(ASKED)
    assert (found.regulation, found.due, found.owner) == ("materials", msk("2026-09-15 19:30"), "anna")


@pytest.mark.parametrize(
    "touch",
    [
        TALK,
        replace(ASKED, ended_at=None),
        replace(ASKED, fields={"materials_requested": False}),
        replace(ASKED, quarantined=True),
    ],
)
def test_what_starts_nothing(touch: InteractionFacts) -> None:
    assert not decide(facts_of(BOOK, "2026-09-15 17:31", interaction=touch))


def test_a_field_filled_late_starts_it_from_the_calls_end() -> None:
    facts = facts_of(BOOK, "2026-09-15 18:40", interaction=ASKED, before=TALK, at="2026-09-15 18:40", actor="anna")
    assert only(decide(facts), StartObligation).due == msk("2026-09-15 19:30")
    again = facts_of(BOOK, "2026-09-15 18:41", interaction=replace(ASKED, disposition="x"), before=ASKED)
    assert not decide(again)


def test_materials_sent_before_the_field_was_filled_count() -> None:
    sent = message(2, "2026-09-15 17:20", "outbound", has_files=True)
    facts = facts_of(BOOK, "2026-09-15 18:40", interaction=ASKED, before=TALK, later=(sent,))
    assert only(decide(facts), StartObligation).met == (sent.at, 2)


@pytest.mark.parametrize(
    ("touch", "met"),
    [
        (message(2, "2026-09-15 18:00", "outbound", has_files=True), True),
        (message(2, "2026-09-15 18:00", "outbound", has_files=True, channel="telegram", conversation=9), True),
        (message(2, "2026-09-15 18:00", "outbound", has_files=True, channel="sms"), False),
        (message(2, "2026-09-15 18:00", "outbound"), False),
        (message(2, "2026-09-15 18:00", "outbound", has_files=True, automatic="bulk"), False),
        (message(2, "2026-09-15 18:00", "outbound", has_files=True, delivery="pending"), False),
        (message(2, "2026-09-15 18:00", has_files=True), False),
        (call(2, "2026-09-15 18:00", direction="outbound", outcome="answered", talk_s=60), False),
    ],
)
def test_only_the_named_action_keeps_it(touch: InteractionFacts, met: bool) -> None:
    facts = facts_of(BOOK, "2026-09-15 18:00", interaction=touch, obligations=(running(ASKED),))
    assert any(isinstance(each, MeetObligation) for each in decide(facts)) is met


def test_the_mail_came_back() -> None:
    sent = message(2, "2026-09-15 18:00", "outbound", has_files=True)
    facts = facts_of(BOOK, "2026-09-15 18:00", interaction=sent, obligations=(running(ASKED),))
    (met,) = after(decide(facts), facts.obligations, facts)
    bounced = facts_of(
        BOOK,
        "2026-09-15 18:10",
        interaction=replace(sent, delivery="failed"),
        before=sent,
        at="2026-09-15 18:10",
        obligations=(met,),
    )
    assert only(decide(bounced), ReopenObligation).due == msk("2026-09-15 19:40")


def test_the_field_was_a_mistake() -> None:
    facts = facts_of(BOOK, "2026-09-15 18:00", interaction=TALK, before=ASKED, obligations=(running(ASKED),))
    assert only(decide(facts), CancelObligation).why == "corrected"


def test_two_calls_make_two_promises_and_one_mail_keeps_both() -> None:
    second = replace(ASKED, id=5, at=msk("2026-09-15 17:40"), ended_at=msk("2026-09-15 17:50"))
    facts = facts_of(BOOK, "2026-09-15 17:51", interaction=second, obligations=(running(ASKED),))
    both = after(decide(facts), facts.obligations, facts)
    assert len(both) == 2
    sent = message(6, "2026-09-15 18:00", "outbound", has_files=True)
    facts = facts_of(BOOK, "2026-09-15 18:00", interaction=sent, obligations=both)
    assert {each.state for each in after(decide(facts), both, facts)} == {"met"}


def test_thanks_after_a_meeting() -> None:
    meeting = message(1, "2026-09-15 12:00", "outbound", kind="meeting", channel="visit", ended_at=None)
    found = running(meeting)
    assert (found.regulation, found.due) == ("thanks", msk("2026-09-16 18:00"))


def test_a_quality_sheet_after_the_contract() -> None:
    facts = facts_of(BOOK, "2026-09-15 12:00", event=event("contract.closed", "2026-09-15 11:00"))
    start = only(decide(facts), StartObligation)
    assert (start.started, start.due) == (msk("2026-09-15 11:00"), msk("2026-09-18 18:00"))
    again = facts_of(BOOK, "2026-09-15 12:01", event=facts.event, obligations=after(decide(facts), (), facts))
    assert not decide(again)


def missed(number: int, at: str) -> InteractionFacts:
    return call(number, at, outcome="missed", reason="abandoned", ended=at)


def test_ten_missed_calls_are_one_promise_due_by_the_first() -> None:
    state: list[ObligationFacts] = []
    for number in range(1, 11):
        facts = facts_of(BOOK, "2026-09-14 10:30", interaction=missed(number, f"2026-09-14 10:{number:02}"))
        facts = replace(facts, obligations=tuple(state))
        state = after(decide(facts), state, facts)
    (found,) = state
    assert found.due == msk("2026-09-14 11:01")
    assert found.details["attempts"] == 10


def test_another_attempt_is_noted() -> None:
    first = running(missed(1, "2026-09-14 10:00"), "2026-09-14 10:01")
    facts = facts_of(BOOK, "2026-09-14 10:05", interaction=missed(2, "2026-09-14 10:05"), obligations=(first,))
    assert names(decide(facts)) == ["NoteAttempt"]
    assert only(decide(facts), NoteAttempt).interaction == 2


@pytest.mark.parametrize(
    ("why", "touch", "met"),
    [
        ("called back", call(2, "2026-09-14 10:20", direction="outbound", outcome="answered", talk_s=30), True),
        ("he got through", call(2, "2026-09-14 10:20", outcome="answered", talk_s=30), True),
        ("written to", message(2, "2026-09-14 10:20", "outbound", channel="telegram"), True),
        ("not reached", call(2, "2026-09-14 10:20", direction="outbound", outcome="missed", reason="no_answer"), False),
        ("automatic words", message(2, "2026-09-14 10:20", "outbound", automatic="own"), False),
        ("he writes", message(2, "2026-09-14 10:20"), False),
    ],
)
def test_what_closes_a_call_back(why: str, touch: InteractionFacts, met: bool) -> None:
    first = running(missed(1, "2026-09-14 10:00"), "2026-09-14 10:01")
    facts = facts_of(BOOK, "2026-09-14 10:20", interaction=touch, obligations=(first,))
    assert any(isinstance(each, MeetObligation) for each in decide(facts)) is met, why


def test_an_outbound_call_nobody_took_is_no_missed_call() -> None:
    touch = call(
        1, "2026-09-14 10:00", direction="outbound", outcome="missed", reason="no_answer", ended="2026-09-14 10:01"
    )
    assert not decide(facts_of(BOOK, "2026-09-14 10:01", interaction=touch))


def test_a_call_back_survives_the_closing_of_a_conversation() -> None:
    first = running(missed(1, "2026-09-14 10:00"), "2026-09-14 10:01")
    closed = conversation(state="solved", closed_why="answered")
    assert not decide(facts_of(BOOK, "2026-09-14 10:20", conversation=closed, obligations=(first,)))


CHAIN = book_of(
    """
[regulation.offer-call]
title = "Ask whether the offer is of interest"
kind = "follow_up"
after = { event = "offer.sent" }
met_by = { any = ["call"], direction = "outbound", min_talk = "20 s" }
within = "3 working days"
calendar = "office"
cancel_when = { event = "purchase.made" }
[regulation.meeting]
title = "Arrange a meeting"
kind = "follow_up"
after = { event = "call.ended", disposition = "interested" }
met_by = { any = ["meeting"], by = "any" }
within = "5 working days"
calendar = "office"
cancel_when = { event = "purchase.made" }
[regulation.delivery]
title = "Goods arrive in time"
kind = "follow_up"
after = { event = "order.placed" }
met_by = { event = "shipment.delivered" }
within = "10 working days"
calendar = "office"
"""
)


def test_the_chain_from_offer_to_delivery() -> None:
    offer = message(1, "2026-09-14 10:00", "outbound", disposition="offer")
    facts = facts_of(CHAIN, "2026-09-14 10:00", interaction=offer)
    state = after(decide(facts), (), facts)
    assert [each.regulation for each in state] == ["offer-call"]
    talk = call(2, "2026-09-15 11:00", direction="outbound", ended="2026-09-15 11:05", outcome="answered", talk_s=200)
    facts = facts_of(CHAIN, "2026-09-15 11:05", interaction=replace(talk, disposition="interested"), obligations=state)
    state = after(decide(facts), state, facts)
    assert [(each.regulation, each.state) for each in state] == [("offer-call", "met"), ("meeting", "running")]
    facts = facts_of(CHAIN, "2026-09-16 11:00", event=event("purchase.made", "2026-09-16 10:00"), obligations=state)
    state = after(decide(facts), state, facts)
    assert [each.state for each in state] == ["met", "cancelled"]
    facts = facts_of(
        CHAIN, "2026-09-16 11:00", event=event("order.placed", "2026-09-16 10:00", "e2"), obligations=state
    )
    state = after(decide(facts), state, facts)
    delivered = event("shipment.delivered", "2026-09-20 10:00", "e3")
    facts = facts_of(CHAIN, "2026-09-20 10:00", event=delivered, obligations=state)
    state = after(decide(facts), state, facts)
    assert [(each.regulation, each.state) for each in state][2:] == [("delivery", "met")]
    assert state[2].met_at == msk("2026-09-20 10:00")


def test_who_is_away_is_stood_in_for() -> None:
    away = '[[operator.anna.away]]\nfrom = "2026-09-15"\nto = "2026-09-15"\ndeputy = "boris"\n'
    office = OFFICE.replace("[operator.boris]", f"{away}[operator.boris]")
    book = book_of(MATERIALS, office)
    facts = facts_of(book, "2026-09-15 17:31", interaction=ASKED)
    assert only(decide(facts), StartObligation).owner == "boris"
    facts = facts_of(book, "2026-09-16 09:31", interaction=ASKED)
    assert only(decide(facts), StartObligation).owner == "anna"
