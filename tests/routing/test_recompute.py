"""A running promise and what changes around it: category, owner, calendar, regulation, a hand-set due."""

from __future__ import annotations

from dataclasses import replace

import pytest

from routing.book import Definition, RuleBook
from routing.changes import retarget
from routing.decisions import BreachObligation, Decision, HandOver, RaiseAlert, RecomputeObligation, WithdrawBreach
from routing.engine import decide
from routing.facts import Facts, ObligationFacts, Pause
from routing.ticking import tick

from .judging import after, names, only
from .world import OFFICE, book_of, client, conversation, definitions, facts_of, message, msk, obligation

REACTION = """
[regulation.reaction]
title = "Answer"
kind = "respond"
within = { VIP = "2 working hours", A = "4 working hours", other = "8 working hours" }
calendar = "office"
on_change = "retroactive"
warn = ["50%"]
"""
C, A, VIP = (client(category=each) for each in ("C", "A", "VIP"))


def started(book: RuleBook) -> ObligationFacts:
    facts = facts_of(book, "2026-09-14 10:00", interaction=message(1, "2026-09-14 10:00"), client=C)
    (found,) = after(decide(facts), (), facts)
    assert found.due == msk("2026-09-14 18:00")
    return found


def raised(book: RuleBook, at: str, who: object, running: ObligationFacts) -> tuple[list[Decision], ObligationFacts]:
    facts = facts_of(book, at, client=who, client_before=C, obligations=(running,))
    decisions = decide(facts)
    (found,) = after(decisions, (running,), facts)
    return list(decisions), found


def test_golden_23b_retroactive() -> None:
    book = book_of(REACTION)
    decisions, found = raised(book, "2026-09-14 11:00", A, started(book))
    assert names(decisions) == ["RecomputeObligation"]
    assert (found.due, found.started, found.next_at) == (
        msk("2026-09-14 14:00"),
        msk("2026-09-14 10:00"),
        msk("2026-09-14 12:00"),
    )


def test_golden_23c_a_due_already_past_breaches_at_once_with_one_alert() -> None:
    book = book_of(REACTION)
    decisions, found = raised(book, "2026-09-14 15:00", VIP, started(book))
    breach = only(decisions, BreachObligation)
    assert (breach.at, breach.noticed_at, breach.cause) == (
        msk("2026-09-14 12:00"),
        msk("2026-09-14 15:00"),
        "recomputed",
    )
    assert only(decisions, RaiseAlert).to == "vera"
    assert (found.state, found.next_at) == ("breached", None)
    assert not tick(found, msk("2026-09-14 15:01"), book, book.roster)


def test_golden_23d_restart() -> None:
    book = book_of(REACTION.replace("retroactive", "restart"))
    _, found = raised(book, "2026-09-14 15:00", VIP, started(book))
    assert (found.due, found.state) == (msk("2026-09-14 17:00"), "running")


def test_keep() -> None:
    book = book_of(REACTION.replace("retroactive", "keep"))
    assert not decide(facts_of(book, "2026-09-14 11:00", client=A, client_before=C, obligations=(started(book),)))


def test_a_later_due_withdraws_a_breach() -> None:
    book = book_of(REACTION)
    broken = replace(started(book), state="breached", breached_at=msk("2026-09-14 14:00"), target="4 working hours")
    broken = replace(broken, due=msk("2026-09-14 14:00"))
    facts = facts_of(book, "2026-09-14 15:00", client=C, client_before=A, obligations=(broken,))
    decisions = decide(facts)
    assert only(decisions, WithdrawBreach).cause == "category"
    (found,) = after(decisions, (broken,), facts)
    assert (found.state, found.due) == ("running", msk("2026-09-14 18:00"))


def test_a_pinned_due_stays() -> None:
    book = book_of(REACTION)
    pinned = replace(started(book), pinned=True)
    assert not decide(facts_of(book, "2026-09-14 11:00", client=A, client_before=C, obligations=(pinned,)))


def test_elapsed_pauses_are_kept() -> None:
    book = book_of(REACTION)
    paused = replace(
        started(book), pauses=(Pause(msk("2026-09-14 10:00"), msk("2026-09-14 11:00"), "waiting_client", "anna"),)
    )
    _, found = raised(book, "2026-09-14 11:30", A, paused)
    assert found.due == msk("2026-09-14 15:00")


def test_raised_while_paused_it_stands_still_with_the_new_target() -> None:
    book = book_of(REACTION)
    paused = replace(
        started(book),
        state="paused",
        due=None,
        next_at=None,
        pauses=(Pause(msk("2026-09-14 11:00"), None, "waiting_client", "anna"),),
    )
    decisions, found = raised(book, "2026-09-14 12:00", A, paused)
    assert names(decisions) == ["RecomputeObligation"]
    assert (found.state, found.due, found.target) == ("paused", None, "4 working hours")


def test_golden_24_a_day_off_added_later_moves_the_open_one() -> None:
    off = definitions(
        '[calendar.office]\nzone = "Europe/Moscow"\nweek.mon = ["09:00-18:00"]\nweek.wed = ["09:00-18:00"]\n', 2
    )
    book = RuleBook.build([*definitions(OFFICE + REACTION), *off])
    running = obligation(
        started=msk("2026-09-14 16:00"), due=msk("2026-09-15 11:00"), target="4 working hours", calendar_version=1
    )
    facts = Facts(msk("2026-09-14 17:00"), msk("2026-09-14 17:00"), book, book.roster, client=A)
    out: list[Decision] = []
    rule = book.current("reaction")
    assert rule is not None
    retarget(running, rule, A, facts, out, "calendar")
    found = only(out, RecomputeObligation)
    assert (found.due, found.calendar_version, found.cause) == (msk("2026-09-16 11:00"), 2, "calendar")


def test_old_versions_stay_reachable() -> None:
    newer = definitions(REACTION.replace("8 working hours", "6 working hours"), 2)
    book = RuleBook.build([*definitions(OFFICE + REACTION), *newer])
    assert [rule.version for rule in book.rules if rule.key == "reaction"] == [2]
    old, new = book.rule("reaction", 1).target(None), book.rule("reaction", 2).target(None)
    assert (str(old), str(new)) == ("8 working hours", "6 working hours")


def test_a_retired_regulation_is_not_current() -> None:
    gone = Definition("regulation", "reaction", 2, {}, retired=True)
    book = RuleBook.build([*definitions(OFFICE + REACTION), gone])
    assert book.current("reaction") is None
    assert book.rule("reaction", 1).key == "reaction"


@pytest.mark.parametrize(("owner", "handed"), [("anna", True), (None, True), ("boris", False)])
def test_who_takes_a_conversation_takes_its_promises(owner: str | None, handed: bool) -> None:
    book = book_of(REACTION)
    before, now = conversation(owner="anna"), conversation(owner="vera")
    running = replace(started(book), owner=owner)
    facts = facts_of(book, "2026-09-14 11:00", conversation=now, conversation_before=before, obligations=(running,))
    found = [each for each in decide(facts) if isinstance(each, HandOver)]
    assert [each.owner for each in found] == (["vera"] if handed else [])


def test_a_new_responsible_inherits_what_the_old_one_owned() -> None:
    book = book_of(REACTION)
    running = replace(started(book), owner="anna")
    facts = facts_of(
        book,
        "2026-09-14 11:00",
        client=client(responsible="boris"),
        client_before=client(responsible="anna"),
        obligations=(running,),
    )
    assert only(decide(facts), HandOver).owner == "boris"


TEAMS = """
[regulation.support]
title = "Support"
kind = "respond"
for = { team = ["support"] }
within = "4 working hours"
calendar = "office"
[regulation.sales]
title = "Sales"
kind = "respond"
for = { team = ["sales"] }
within = "2 working hours"
calendar = "office"
"""


def test_another_team_takes_over_what_waits_with_its_own_promise() -> None:
    book = book_of(TEAMS)
    waits = conversation(waiting_since=msk("2026-09-14 10:00"), waiting_id=1)
    facts = facts_of(book, "2026-09-14 10:00", interaction=message(1, "2026-09-14 10:00"), conversation=waits)
    running = after(decide(facts), (), facts)
    moved = replace(waits, team="sales")
    facts = facts_of(
        book, "2026-09-14 10:30", conversation=moved, conversation_before=waits, obligations=tuple(running)
    )
    state = after(decide(facts), running, facts)
    assert [(each.regulation, each.state, each.closed_why) for each in state] == [
        ("support", "cancelled", "other_team"),
        ("sales", "running", None),
    ]
    assert (state[1].started, state[1].due) == (msk("2026-09-14 10:00"), msk("2026-09-14 12:00"))


def test_a_conversation_that_comes_back_is_promised_again_since_it_waits() -> None:
    book = book_of(TEAMS)
    waits = conversation(waiting_since=msk("2026-09-14 10:00"), waiting_id=1)
    facts = facts_of(book, "2026-09-14 10:00", interaction=message(1, "2026-09-14 10:00"), conversation=waits)
    state = after(decide(facts), (), facts)
    there = replace(waits, team="sales")
    for at, old, new in (("10:30", waits, there), ("10:45", there, waits)):
        facts = facts_of(book, f"2026-09-14 {at}", conversation=new, conversation_before=old, obligations=tuple(state))
        state = after(decide(facts), state, facts)
    assert [(each.regulation, each.state) for each in state] == [
        ("support", "cancelled"),
        ("sales", "cancelled"),
        ("support", "running"),
    ]
    assert (state[2].started, state[2].due) == (msk("2026-09-14 10:00"), msk("2026-09-14 14:00"))


@pytest.mark.parametrize(("answered", "count"), [(None, 2), ("2026-09-14 09:30", 1)])
def test_a_first_answer_is_promised_by_the_other_team_too_while_nobody_answered(
    answered: str | None, count: int
) -> None:
    book = book_of(TEAMS.replace('within = "2 working hours"', 'within = "2 working hours"\nanswers = "first"'))
    came, asked = (msk(answered) if answered else None), msk("2026-09-14 10:00")
    waits = conversation(waiting_since=asked, waiting_id=1, answered_at=came)
    facts = facts_of(book, "2026-09-14 10:00", interaction=message(1, "2026-09-14 10:00"), conversation=waits)
    state = after(decide(facts), (), facts)
    moved = replace(waits, team="sales")
    facts = facts_of(book, "2026-09-14 10:30", conversation=moved, conversation_before=waits, obligations=tuple(state))
    assert len(after(decide(facts), state, facts)) == count


def test_what_a_general_regulation_promises_begins_where_a_teams_own_ends() -> None:
    general = TEAMS.replace('for = { team = ["sales"] }\n', "")
    book = book_of(general)
    waits = conversation(waiting_since=msk("2026-09-14 10:00"), waiting_id=1)
    facts = facts_of(book, "2026-09-14 10:00", interaction=message(1, "2026-09-14 10:00"), conversation=waits)
    state = after(decide(facts), (), facts)
    moved = replace(waits, team="sales")
    facts = facts_of(book, "2026-09-14 10:30", conversation=moved, conversation_before=waits, obligations=tuple(state))
    state = after(decide(facts), state, facts)
    assert [(each.regulation, each.state) for each in state] == [("support", "cancelled"), ("sales", "running")]


CASES = """
[regulation.support-case]
title = "Support"
kind = "resolve"
for = { team = ["support"] }
within = "20 working hours"
pause_while = ["waiting_client"]
calendar = "office"
[regulation.sales-case]
title = "Sales"
kind = "resolve"
for = { team = ["sales"] }
within = "10 working hours"
pause_while = ["waiting_client"]
calendar = "office"
[regulation.support-news]
title = "News of support"
kind = "update"
for = { team = ["support"] }
within = "8 working hours"
calendar = "office"
[regulation.sales-news]
title = "News of sales"
kind = "update"
for = { team = ["sales"] }
within = "4 working hours"
calendar = "office"
"""


def test_another_team_takes_over_the_case_with_its_pauses_and_the_next_word() -> None:
    book = book_of(CASES)
    talk = conversation(opened_at=msk("2026-09-14 10:00"))
    facts = facts_of(book, "2026-09-14 10:00", interaction=message(1, "2026-09-14 10:00"), conversation=talk)
    state = after(decide(facts), (), facts)
    asked = replace(talk, state="waiting_client", answered_at=msk("2026-09-14 11:00"))
    words = message(2, "2026-09-14 11:00", "outbound")
    facts = facts_of(
        book, "2026-09-14 11:00", interaction=words, conversation=asked, conversation_before=talk,
        obligations=tuple(state),
    )  # fmt: skip
    state = after(decide(facts), state, facts)
    assert [(each.regulation, each.state) for each in state] == [
        ("support-case", "paused"),
        ("support-news", "running"),
    ]
    moved = replace(asked, team="sales")
    facts = facts_of(book, "2026-09-14 12:00", conversation=moved, conversation_before=asked, obligations=tuple(state))
    state = after(decide(facts), state, facts)
    case, news = state[2:]
    assert [each.closed_why for each in state[:2]] == ["other_team"] * 2
    assert (case.regulation, case.state, case.due, case.started) == (
        "sales-case", "paused", None, msk("2026-09-14 10:00")
    )  # fmt: skip
    assert (news.regulation, news.started, news.due) == (
        "sales-news", msk("2026-09-14 11:00"), msk("2026-09-14 15:00")
    )  # fmt: skip
    again = replace(moved, state="open")
    facts = facts_of(
        book, "2026-09-14 14:00", interaction=message(3, "2026-09-14 14:00"), conversation=again,
        conversation_before=moved, obligations=tuple(state),
    )  # fmt: skip
    case = after(decide(facts), state, facts)[2]
    assert (case.state, case.due) == ("running", msk("2026-09-15 14:00"))


BRANCHES = """
[regulation.reaction]
title = "Answer"
kind = "respond"
within = "4 working hours"
"""
WARSAW = """
[calendar.warsaw]
zone = "Europe/Warsaw"
week = { mon = ["08:00-16:00"], tue = ["08:00-16:00"], wed = ["08:00-16:00"], thu = ["08:00-16:00"], fri = ["08:00-16:00"] }
"""  # noqa: E501


def test_the_calendar_of_the_clients_branch_beats_the_teams() -> None:
    book = book_of(BRANCHES, OFFICE + WARSAW)
    elsewhere = client(fields={"calendar": "warsaw"})
    for who, company, due in (
        (client(), None, "2026-09-15 11:00"),
        (elsewhere, None, "2026-09-15 12:00"),
        (client(company=2), client(2, kind="company", fields={"calendar": "warsaw"}), "2026-09-15 12:00"),
        (client(fields={"calendar": "no such"}), None, "2026-09-15 11:00"),
    ):
        facts = facts_of(
            book, "2026-09-14 16:00", interaction=message(1, "2026-09-14 16:00"), client=who, company=company
        )
        (found,) = after(decide(facts), (), facts)
        assert found.due == msk(due), (who, company)


def test_a_client_who_moves_to_another_branch_is_judged_by_its_calendar() -> None:
    book = book_of(BRANCHES, OFFICE + WARSAW)
    facts = facts_of(book, "2026-09-14 16:00", interaction=message(1, "2026-09-14 16:00"), client=client())
    (running,) = after(decide(facts), (), facts)
    moved = facts_of(
        book,
        "2026-09-14 17:00",
        client=client(fields={"calendar": "warsaw"}),
        client_before=client(),
        obligations=(running,),
    )
    (found,) = after(decide(moved), (running,), moved)
    assert (found.due, found.calendar) == (msk("2026-09-15 12:00"), "warsaw")
