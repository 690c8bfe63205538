"""Who gets a touch: rules, strategies, absence, capacity, passing on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from routing.assignment import Desk, assign, choose, compile_route, compile_routes
from routing.facts import Facts
from routing.settings import BadRegulation
from tests.routing.world import OFFICE, book_of, client, conversation, facts_of, message, msk

PEOPLE = """
[team.desk]
title = "Desk"
calendar = "office"
[operator.ann]
teams = ["desk"]
language = "pl"
skills = ["crm"]
[operator.bob]
teams = ["desk"]
language = "en"
skills = ["crm", "billing"]
[operator.cid]
teams = ["desk"]
language = "ru"
capacity = 2
[[operator.cid.away]]
from = "2026-09-20"
to = "2026-09-27"
"""
BOOK = book_of(PEOPLE, OFFICE)


def facts(**more: Any) -> Facts:
    touch = more.pop("touch", None) or message(1, "2026-09-14 10:00", **more.pop("message", {}))
    more.setdefault("conversation", conversation(team="desk"))
    return facts_of(BOOK, more.pop("now", "2026-09-14 10:00"), interaction=touch, **more)


def given(desk: Desk, strategy: Any = "round_robin", *, told: Facts | None = None, **more: Any) -> str | None:
    route = compile_route("r", {"team": "desk", "strategy": strategy, **more})
    found = assign([route], told or facts(), desk)
    return found.operator if found else None


def test_round_robin_gives_to_who_waited_longest() -> None:
    assert given(Desk(turn={"ann": 5, "bob": 3, "cid": 9})) == "bob"
    assert given(Desk(turn={"ann": 5, "bob": 6, "cid": 9})) == "ann"


def test_least_busy() -> None:
    assert given(Desk(busy={"ann": 2, "bob": 1, "cid": 1}, turn={"bob": 8, "cid": 2}), "least_busy") == "cid"


@pytest.mark.parametrize(
    ("desk", "who"),
    [
        (Desk(present=frozenset({"bob"})), "bob"),
        (Desk(present=frozenset()), None),
        (Desk(on_call=frozenset({"ann", "bob"})), "cid"),
        (Desk(on_call=frozenset({"ann", "bob"}), busy={"cid": 2}), None),
    ],
)
def test_the_absent_the_talking_and_the_full_are_passed_by(desk: Desk, who: str | None) -> None:
    assert given(desk) == who


def test_who_is_on_leave_gets_nothing() -> None:
    desk = Desk(on_call=frozenset({"ann", "bob"}))
    assert given(desk, told=facts(now="2026-09-21 10:00")) is None
    assert given(desk, told=facts(now="2026-09-28 10:00")) == "cid"


def test_skills_and_language() -> None:
    assert given(Desk(), "skills", skills=["billing"]) == "bob"
    assert given(Desk(), "skills", skills=["law"]) is None
    assert given(Desk(), "skills", told=facts(client=client(language="ru"))) == "cid"
    assert given(Desk(turn={"ann": 1}), ["skills", "round_robin"], told=facts(message={"language": "uk"})) == "bob"


def test_capacity_of_the_route() -> None:
    assert given(Desk(busy={"ann": 3, "bob": 2}), ["capacity"], capacity=3) in ("bob", "cid")
    assert given(Desk(busy={"ann": 3, "bob": 3, "cid": 1}), ["capacity"], capacity=3) == "cid"


def test_sticky_to_the_last_else_the_responsible_else_anybody() -> None:
    assert given(Desk(last="cid"), "sticky") == "cid"
    told = facts(client=client(responsible="bob"))
    assert given(Desk(last="gone"), "sticky", told=told) == "bob"
    assert given(Desk(turn={"ann": 1, "bob": 2}), "sticky") == "cid"
    assert given(Desk(last="cid", present=frozenset({"ann"})), "sticky") == "ann"


def test_what_has_an_owner_or_is_ours_or_automatic_is_left_alone() -> None:
    assert given(Desk(), told=facts(conversation=conversation(owner="anna"))) is None
    assert given(Desk(), told=facts(touch=message(1, "2026-09-14 10:00", "outbound"))) is None
    assert given(Desk(), told=facts(message={"automatic": "bulk"})) is None


def test_the_first_route_that_fits() -> None:
    text = """
[route.vip]
when = { category = ["VIP"] }
team = "desk"
strategy = "responsible"
[route.words]
when = { words = ["invoice"], during = ["09:00-18:00"] }
team = "sales"
[route.rest]
team = "desk"
"""
    routes = compile_routes(book_of(PEOPLE + text, OFFICE))
    told = facts(message={"words": "where is my invoice"})
    found = assign(routes, told, Desk())
    assert found is not None
    assert (found.team, found.reason) == ("sales", "route:words:round_robin")
    night = assign(routes, replace(told, at=msk("2026-09-14 20:00")), Desk())
    assert night is not None
    assert night.reason == "route:rest:round_robin"
    vip = assign(routes, replace(told, client=client(category="VIP", responsible="bob")), Desk())
    assert vip is not None
    assert vip.operator == "bob"


def test_nobody_free_leaves_it_with_the_team() -> None:
    route = compile_route("r", {"team": "sales"})
    found = assign([route], facts(), Desk(present=frozenset()))
    assert found is not None
    assert (found.operator, found.team) == (None, "sales")


def test_passing_on_after_a_time_without_an_answer() -> None:
    route = compile_route("r", {"team": "desk", "pass_on_after": "15 working min"})
    found = assign([route], facts(now="2026-09-14 17:50"), Desk())
    assert found is not None
    assert found.pass_on_at == msk("2026-09-15 09:05")
    again = choose(route, facts(), Desk(), frozenset({"ann", "bob"}))
    assert again is not None
    assert again.operator == "cid"


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"team": "desk", "strategy": "round"}, 'did you mean "round_robin"'),
        ({"team": "desk", "when": {"categry": "VIP"}}, 'did you mean "category"'),
        ({"team": "desk", "pas_on_after": "1 hour"}, 'did you mean "pass_on_after"'),
        ({"team": "desk", "pass_on_after": "1 huor"}, 'did you mean "hour"'),
    ],
)
def test_slips(table: dict[str, Any], said: str) -> None:
    with pytest.raises(BadRegulation, match=said):
        compile_route("r", table)
