"""Update, resolve, recurring, gate and broadcast: what starts, keeps and ends them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from routing.blocking import find_blocking
from routing.decisions import CancelObligation, MeetObligation, ReopenObligation, StartObligation
from routing.engine import decide
from routing.facts import ClientFacts, Facts, InteractionFacts, ObligationFacts
from routing.ticking import tick

from .judging import after, names, only
from .world import book_of, call, client, conversation, event, facts_of, message, msk

UPDATE = book_of(
    """
[regulation.progress]
title = "Word of progress every working day"
kind = "update"
within = "8 working hours"
calendar = "office"
pause_while = ["waiting_client"]
"""
)


def step(facts: Facts) -> list[ObligationFacts]:
    """The promises after what happened."""
    return after(decide(facts), facts.obligations, facts)


def test_update_runs_from_one_word_of_ours_to_the_next() -> None:
    first = message(1, "2026-09-14 10:00", "outbound")
    (running,) = step(facts_of(UPDATE, "2026-09-14 10:00", interaction=first))
    assert running.due == msk("2026-09-14 18:00")
    second = message(2, "2026-09-14 15:00", "outbound")
    met, again = step(facts_of(UPDATE, "2026-09-14 15:00", interaction=second, obligations=(running,)))
    assert (met.state, again.state, again.started) == ("met", "running", second.at)
    client_writes = facts_of(
        UPDATE, "2026-09-14 16:00", interaction=message(3, "2026-09-14 16:00"), obligations=(again,)
    )
    assert not decide(client_writes)
    solved = conversation(state="solved", closed_why="answered")
    facts = facts_of(UPDATE, "2026-09-14 17:00", conversation=solved, obligations=(again,))
    assert only(decide(facts), CancelObligation).why == "answered"


def test_update_is_not_promised_for_a_closed_case() -> None:
    closed = conversation(state="solved")
    assert not decide(
        facts_of(
            UPDATE, "2026-09-14 10:00", interaction=message(1, "2026-09-14 10:00", "outbound"), conversation=closed
        )
    )


RESOLVE = """
[regulation.solve]
title = "Solved in two working days"
kind = "resolve"
within = "16 working hours"
calendar = "office"
counts_in = ["open"]
"""


def test_resolve_from_opening_to_solution_with_the_time_we_wait_left_out() -> None:
    book = book_of(RESOLVE)
    opened = facts_of(book, "2026-09-14 10:00", interaction=message(1, "2026-09-14 10:00"))
    state = step(opened)
    assert state[0].due == msk("2026-09-15 17:00")
    assert not step(replace(opened, interaction=message(2, "2026-09-14 10:10"), obligations=tuple(state)))[1:]
    waits = conversation(state="waiting_client")
    state = step(facts_of(book, "2026-09-14 11:00", conversation=waits, obligations=state))
    assert (state[0].state, state[0].due) == ("paused", None)
    state = step(facts_of(book, "2026-09-14 16:00", interaction=message(3, "2026-09-14 16:00"), obligations=state))
    assert (state[0].state, state[0].due) == ("running", msk("2026-09-16 13:00"))
    solved = conversation(state="solved", closed_why="answered", closed_by="operator:anna")
    state = step(facts_of(book, "2026-09-16 12:00", conversation=solved, obligations=state))
    assert (state[0].state, state[0].met_at) == ("met", msk("2026-09-16 12:00"))


@pytest.mark.parametrize(("policy", "found"), [("continue", ["running"]), ("new", ["met", "running"])])
def test_a_case_that_comes_back(policy: str, found: list[str]) -> None:
    book = book_of(RESOLVE + f'reopen = "{policy}"\n')
    state = step(facts_of(book, "2026-09-14 10:00", interaction=message(1, "2026-09-14 10:00")))
    solved = conversation(state="solved", closed_why="answered")
    state = step(facts_of(book, "2026-09-14 12:00", conversation=solved, obligations=state))
    back = facts_of(
        book,
        "2026-09-15 12:00",
        interaction=message(2, "2026-09-15 12:00"),
        conversation=conversation(),
        conversation_before=solved,
        obligations=state,
    )
    state = step(back)
    assert [each.state for each in state] == found
    if policy == "continue":
        assert state[0].due == msk("2026-09-16 17:00")


@pytest.mark.parametrize("policy", ["continue", "new"])
@pytest.mark.parametrize("why", ["answered", "junk"])
def test_a_case_that_a_person_reopens(policy: str, why: str) -> None:
    book = book_of(RESOLVE + f'reopen = "{policy}"\n')
    state = step(facts_of(book, "2026-09-14 10:00", interaction=message(1, "2026-09-14 10:00")))
    closed = conversation(state="junk" if why == "junk" else "solved", closed_why=why)
    state = step(facts_of(book, "2026-09-14 12:00", conversation=closed, obligations=state))
    state = step(
        facts_of(
            book, "2026-09-15 12:00", conversation=conversation(), conversation_before=closed, obligations=tuple(state)
        )
    )
    goes_on = policy == "continue" or why == "junk"
    assert [each.state for each in state] == (["running"] if goes_on else ["met", "running"])
    assert state[-1].due == msk("2026-09-16 17:00" if goes_on else "2026-09-17 10:00")


def test_a_call_opens_a_case_too() -> None:
    touch = call(1, "2026-09-14 10:00", outcome="answered")
    assert only(decide(facts_of(book_of(RESOLVE), "2026-09-14 10:00", interaction=touch)), StartObligation)


VIP = book_of(
    """
[regulation.vip]
title = "VIP: meeting or talk at least every two weeks"
for = { category = ["VIP"] }
kind = "recurring"
every = "14 days"
met_by = { any = ["meeting", "call"], by = "responsible", min_talk = "30 s" }
calendar = "office"
roll = "back"
remind = [{ when = "-3 working days", do = "task:Courtesy call" }]
escalate = [{ when = "due", to = "team-lead" }, { when = "+1 working days", to = "director" }]
"""
)
ANNAS = client(category="VIP", responsible="anna")


def talk(number: int, at: str, **more: object) -> InteractionFacts:
    values = {"direction": "outbound", "outcome": "answered", "talk_s": 60, "operator": "anna", "ended": at, **more}
    return call(number, at, **values)  # type: ignore[arg-type]


def test_becoming_vip_starts_the_interval() -> None:
    facts = facts_of(
        VIP, "2026-09-14 10:00", client=ANNAS, client_before=replace(ANNAS, category="A"), conversation=None
    )
    (running,) = step(facts)
    assert (running.owner, running.due) == ("anna", msk("2026-09-28 10:00"))


def test_losing_the_category_ends_it() -> None:
    (running,) = step(facts_of(VIP, "2026-09-14 10:00", client=ANNAS))
    facts = facts_of(
        VIP, "2026-09-15 10:00", client=replace(ANNAS, category="C"), client_before=ANNAS, obligations=(running,)
    )
    assert only(decide(facts), CancelObligation).why == "no_longer_applies"


@pytest.mark.parametrize(
    ("why", "touch", "met"),
    [
        ("a talk", talk(2, "2026-09-20 12:00"), True),
        (
            "a meeting",
            message(2, "2026-09-20 12:00", "outbound", kind="meeting", channel="visit", operator="anna"),
            True,
        ),
        ("he called, and she took it", talk(2, "2026-09-20 12:00", direction="inbound"), True),
        ("too short", talk(2, "2026-09-20 12:00", talk_s=20), False),
        ("a colleague", talk(2, "2026-09-20 12:00", operator="boris"), False),
        ("nobody answered", talk(2, "2026-09-20 12:00", outcome="missed"), False),
        ("a mail", message(2, "2026-09-20 12:00", "outbound", operator="anna"), False),
    ],
)
def test_what_counts_as_a_vip_contact(why: str, touch: InteractionFacts, met: bool) -> None:
    (running,) = step(facts_of(VIP, "2026-09-14 10:00", client=ANNAS))
    state = step(facts_of(VIP, "2026-09-20 12:00", client=ANNAS, interaction=touch, obligations=(running,)))
    assert [each.state for each in state] == (["met", "running"] if met else ["running"]), why
    if met:
        assert (state[1].started, state[1].due) == (touch.at, msk("2026-10-02 18:00"))


def test_golden_20a_falls_back_before_the_holidays() -> None:
    touch = talk(2, "2026-12-24 11:00")
    (running,) = step(facts_of(VIP, "2026-12-24 11:00", client=ANNAS, interaction=touch))
    assert running.due == msk("2026-12-30 18:00")


def test_the_courtesy_call_is_asked_for_three_working_days_before() -> None:
    (running,) = step(facts_of(VIP, "2026-09-14 10:00", client=ANNAS))
    at = msk("2026-09-23 09:00")
    assert running.next_at == at
    assert names(tick(running, at, VIP, VIP.roster)) == ["FireStep", "MakeTask"]
    asked = next(each for each in tick(running, at, VIP, VIP.roster) if type(each).__name__ == "MakeTask")
    assert (asked.title, asked.owner) == ("Courtesy call", "anna")  # type: ignore[union-attr]


def test_the_promise_is_the_companys_and_any_person_of_it_will_do() -> None:
    company = ClientFacts(9, "company", category="VIP", responsible="anna")
    person = client(company=9)
    (running,) = step(facts_of(VIP, "2026-09-14 10:00", client=person, company=company))
    assert running.client == 9
    other = client(2, company=9)
    touch = talk(2, "2026-09-20 12:00")
    facts = facts_of(VIP, "2026-09-20 12:00", client=other, company=company, interaction=touch, obligations=(running,))
    assert [each.state for each in step(facts)] == ["met", "running"]


def test_an_old_contact_that_arrives_late_does_not_shorten_the_interval() -> None:
    (running,) = step(facts_of(VIP, "2026-09-14 10:00", client=ANNAS))
    facts = facts_of(
        VIP, "2026-09-15 10:00", client=ANNAS, interaction=talk(2, "2026-09-10 12:00"), obligations=(running,)
    )
    assert not decide(facts)


DATES = """
[regulation.birthday]
title = "Congratulate"
kind = "recurring"
on_dates = ["birthday", "03-08"]
calendar = "office"
"""


@pytest.mark.parametrize(
    ("born", "today", "setting", "due"),
    [
        ("1980-09-16", "2026-09-14 10:00", "", "2026-09-17 00:00"),
        ("02-29", "2027-02-20 10:00", "", "2027-03-01 00:00"),
        ("02-29", "2027-02-20 10:00", 'feb_29 = "03-01"', "2027-03-02 00:00"),
        ("02-29", "2028-02-20 10:00", "", "2028-03-01 00:00"),
        ("09-19", "2026-09-14 10:00", 'roll = "back"', "2026-09-18 18:00"),
    ],
)
def test_congratulations(born: str, today: str, setting: str, due: str) -> None:
    book = book_of(DATES + setting)
    who = replace(client(responsible="anna"), dates={"birthday": born})
    (first, *_) = step(facts_of(book, today, client=who))
    assert first.due == msk(due)
    assert first.target.startswith("on 20")
    early = talk(3, today)
    assert not [
        d
        for d in decide(facts_of(book, today, client=who, interaction=early, obligations=(first,)))
        if isinstance(d, MeetObligation)
    ]
    assert first.due is not None
    on_the_day = replace(early, at=first.started + (first.due - first.started) / 2)
    facts = facts_of(book, today, client=who, interaction=on_the_day, obligations=(first,))
    assert only(decide(replace(facts, now=on_the_day.at)), MeetObligation)
    by_another = replace(on_the_day, operator="boris")
    assert not [d for d in decide(replace(facts, interaction=by_another)) if isinstance(d, MeetObligation)]


GATES = book_of(
    """
[regulation.source]
title = "First call: ask for the source"
kind = "gate"
for = { first_contact = true }
require = ["source"]
[regulation.refusal]
title = "Why did he refuse?"
kind = "gate"
for = { disposition = ["refused"] }
require = ["refusal_reason"]
within = "1 working days"
calendar = "office"
"""
)
FIRST_CALL = call(1, "2026-09-14 10:00", ended="2026-09-14 10:05", outcome="answered", talk_s=200, operator="boris")


def test_the_source_is_asked_on_the_first_call() -> None:
    new = client(first_contact=True)
    facts = facts_of(GATES, "2026-09-14 10:05", interaction=FIRST_CALL, client=new)
    (running,) = step(facts)
    standing = replace(facts, obligations=(running,))
    assert find_blocking(standing, {1: FIRST_CALL})[0].missing == ("source",)
    assert (running.due, running.next_at, running.owner) == (None, None, "boris")
    told = replace(new, source="fair")
    done = facts_of(GATES, "2026-09-14 10:06", client=told, client_before=new, obligations=(running,))
    assert only(decide(done), MeetObligation)
    assert not find_blocking(replace(standing, client=told), {1: FIRST_CALL})
    asked = replace(FIRST_CALL, fields={"source": "radio"})
    assert not find_blocking(standing, {1: asked})
    assert not decide(
        facts_of(GATES, "2026-09-14 10:05", interaction=FIRST_CALL, client=client(source="fair", first_contact=True))
    )


def test_a_later_call_asks_nothing() -> None:
    assert not decide(facts_of(GATES, "2026-09-14 10:05", interaction=FIRST_CALL))


def test_a_refusal_needs_its_reason() -> None:
    refused = replace(FIRST_CALL, disposition="refused")
    facts = facts_of(GATES, "2026-09-14 10:06", interaction=refused, before=FIRST_CALL)
    (running,) = step(facts)
    assert running.due == msk("2026-09-15 18:00")
    filled = replace(refused, fields={"refusal_reason": "price"})
    done = facts_of(GATES, "2026-09-14 10:30", interaction=filled, before=refused, obligations=(running,))
    assert names(decide(done)) == ["MeetObligation", "CloseTask"]
    mistaken = facts_of(GATES, "2026-09-14 10:30", interaction=FIRST_CALL, before=refused, obligations=(running,))
    assert only(decide(mistaken), CancelObligation).why == "corrected"


NOVELTY = book_of(
    """
[regulation.novelty]
title = "Tell everybody of the novelty"
kind = "broadcast"
after = { event = "product.published" }
within = "5 working days"
calendar = "office"
reach = "95%"
consent = "mailing"
"""
)
READER = client(fields={"mailing": True})


def test_a_novelty_is_told_to_who_wants_to_hear_of_it() -> None:
    published = event("product.published", "2026-09-14 10:00")
    facts = facts_of(NOVELTY, "2026-09-14 10:00", event=published, client=READER)
    (running,) = step(facts)
    assert running.due == msk("2026-09-21 18:00")
    assert not decide(replace(facts, client=client()))
    assert not decide(replace(facts, client=replace(READER, opted_out=frozenset({"all"}))))
    assert decide(replace(facts, client=replace(client(), agreed=frozenset({"mailing"}))))
    mailing = message(2, "2026-09-15 10:00", "outbound", automatic="bulk")
    told = facts_of(NOVELTY, "2026-09-15 10:00", interaction=mailing, client=READER, obligations=(running,))
    (met,) = step(told)
    assert met.state == "met"
    bounced = replace(told, interaction=replace(mailing, delivery="failed"), before=mailing, obligations=(met,))
    assert only(decide(bounced), ReopenObligation)
    small_talk = replace(mailing, automatic=None)
    assert not decide(replace(told, interaction=small_talk))
    about = replace(small_talk, fields={"event": "e1"})
    assert only(decide(replace(told, interaction=about)), MeetObligation)
    gone = replace(READER, opted_out=frozenset({"mailing"}))
    left = facts_of(NOVELTY, "2026-09-15 10:00", client=gone, client_before=READER, obligations=(running,))
    assert only(decide(left), CancelObligation).why == "exempt"
