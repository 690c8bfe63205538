"""Regulations as managers write them: what loads as written, and how a slip of the pen is answered."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from routing.regulations import compile_rule, kinds, read_settings
from routing.settings import BadRegulation

from .world import book_of, definitions

GOLDEN = Path(__file__).parents[1] / "golden"
AS_WRITTEN = """
[regulation.vip-contact]
title     = "VIP: встреча или разговор не реже раза в две недели"
for       = { category = ["VIP"] }
kind      = "recurring"
every     = "14 days"
met_by    = { any = ["meeting", "call"], by = "responsible", min_talk = "30 s" }
calendar  = "office"
roll      = "back"
remind    = [ { when = "-3 working days", do = "task:Звонок вежливости" } ]
escalate  = [ { when = "due", to = "team-lead" }, { when = "+1 working days", to = "director" } ]

[regulation.service-reaction]
title        = "Сервис отвечает за четыре рабочих часа"
for          = { queue = ["service"] }
kind         = "respond"
within       = { VIP = "1 working hours", A = "2 working hours", other = "4 working hours" }
pause_while  = ["waiting_client"]
warn         = ["50%", "-30 min"]
on_change    = "retroactive"

[regulation.materials]
title   = "Обещанные материалы — через два часа после разговора"
kind    = "follow_up"
after   = { event = "call.ended", field = { materials_requested = true } }
action  = { send = ["email", "messenger"], with = "attachment" }
within  = "2 hours"

[regulation.source]
title   = "Первый звонок — узнать источник"
kind    = "gate"
for     = { first_contact = true }
require = ["source"]

[regulation.novelty]
title  = "Новинка — сообщить всем клиентам"
kind   = "broadcast"
after  = { event = "product.published" }
within = "5 working days"
reach  = "95%"
"""
RESPOND = {"title": "x", "kind": "respond", "within": "4 working hours"}


def test_every_kind_is_a_file() -> None:
    assert kinds() == ("broadcast", "follow_up", "gate", "recurring", "resolve", "respond", "update")


def test_the_samples_load_as_they_are_written() -> None:
    book = book_of(AS_WRITTEN)
    assert [rule.key for rule in book.rules] == [*tomllib.loads(AS_WRITTEN)["regulation"], "call-back"]
    assert book.warnings == ()
    office = definitions((GOLDEN / "office.toml").read_text("utf-8"))
    rules = {each.key: compile_rule(each.key, 1, each.body) for each in office if each.kind == "regulation"}
    assert {key: [step.name for step in rule.steps] for key, rule in rules.items()} == {
        "service-reaction": ["50% alert owner", "-30 min alert owner", "due alert lead"],
        "materials": ["due alert lead"],
    }


@pytest.mark.parametrize(
    ("change", "place", "said"),
    [
        ({"kind": "respnd"}, "kind", 'did you mean "respond"?'),
        ({"witin": "1 hour"}, "witin", 'did you mean "within"?'),
        ({"within": "4 working huors"}, "within", 'did you mean "hours"?'),
        ({"within": {"VIP": "1 huor"}}, "within", 'did you mean "hour"?'),
        ({"for": {"categry": ["VIP"]}}, "for.categry", 'did you mean "category"?'),
        ({"for": {"kind": ["cal"]}}, "for.kind", 'did you mean "call"?'),
        ({"warn": ["half"]}, "warn.0.when", 'write "50%"'),
        ({"steps": [{"when": "due", "too": "lead"}]}, "steps.0.too", 'did you mean "to"?'),
        ({"steps": [{"when": "due", "do": "shout"}]}, "steps.0.do", 'write "alert"'),
        ({"pause_while": ["waiting"]}, "pause_while", 'did you mean "waiting_client"?'),
        ({"on_change": "retroactiv"}, "on_change", 'did you mean "retroactive"?'),
        ({"met_by": {"by": "humans"}}, "met_by.by", 'did you mean "human"?'),
        ({"enforce_from": "soon"}, "enforce_from", 'write it as "2026-12-01"'),
        ({"title": {"cz": "x"}}, "title", "known are ru, uk, pl, en"),
    ],
)
def test_a_slip_of_the_pen(change: dict[str, object], place: str, said: str) -> None:
    with pytest.raises(BadRegulation) as caught:
        read_settings("k", {**RESPOND, **change})
    assert caught.value.key.startswith(f"regulation.k.{place}")
    assert said in str(caught.value)


def test_an_event_nobody_reports() -> None:
    table = {"title": "x", "kind": "follow_up", "within": "1 hour", "after": {"event": "call.endet"}}
    with pytest.raises(BadRegulation, match=r'did you mean "call\.ended"'):
        read_settings("k", table)
    read_settings("k", {**table, "after": {"event": "own.wedding"}})


def test_what_misses() -> None:
    with pytest.raises(BadRegulation, match='"within" is missing'):
        read_settings("k", {"title": "x", "kind": "respond"})
    with pytest.raises(BadRegulation, match="on_dates"):
        compile_rule("k", 1, {"title": "x", "kind": "recurring"})


def test_settings_write_back_what_a_manager_could_have_written() -> None:
    for key, table in tomllib.loads(AS_WRITTEN)["regulation"].items():
        settings = read_settings(key, table)
        again = settings.model_dump(mode="json", by_alias=True, exclude_unset=True)
        assert read_settings(key, again) == settings


def test_a_calendar_that_is_not_there_yet_is_a_warning() -> None:
    book = book_of('[regulation.r]\ntitle = "x"\nkind = "respond"\nwithin = "1 working hours"\ncalendar = "nowhere"\n')
    assert "nowhere" in book.warnings[0]
    alone = book_of('[regulation.r]\ntitle = "x"\nkind = "respond"\nwithin = "1 working hours"\n', "")
    assert "counts every hour" in alone.warnings[0]


def test_a_broken_regulation_never_breaks_the_rest() -> None:
    book = book_of(AS_WRITTEN + '[regulation.bad]\ntitle = "x"\nkind = "respond"\nwithin = "4 huors"\n')
    assert len(book.rules) == 6
    assert "bad" in book.warnings[0]


def test_a_company_may_switch_off_the_call_back() -> None:
    off = """
[regulation.call-back]
title = "x"
kind = "follow_up"
after = { event = "call.missed" }
within = "1 hour"
enabled = false
"""
    assert [rule.key for rule in book_of(off).rules] == []
    own = off.replace("enabled = false", "").replace("call-back", "ring-again")
    assert [rule.key for rule in book_of(own).rules] == ["ring-again"]
