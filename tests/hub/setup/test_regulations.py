"""Regulations and routes in set-up files: the manager's words as they stand, and every slip named by its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.setup.definition import Version
from hub.setup.problem import SetUpRefused
from hub.setup.reading import read_files, read_setup
from hub.setup.snapshot import build_setup
from routing.sentence import sentence
from tests.hub.office import START

EXAMPLES = Path(__file__).parents[3] / "examples"
WORDS = """
[calendar.office-moscow]
zone = "Europe/Moscow"
week = { mon = ["09:00-18:00"], tue = ["09:00-18:00"], wed = ["09:00-18:00"], thu = ["09:00-18:00"] }

[regulation.vip-contact]
title     = "VIP: встреча или разговор не реже раза в две недели"
for       = { category = ["VIP"] }
kind      = "recurring"
every     = "14 days"
met_by    = { any = ["meeting", "call"], by = "responsible", min_talk = "30 s" }
calendar  = "office-moscow"
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
quiet_hours  = ["20:00-08:00"]
enforce_from = 2026-12-01

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

[route.urgent]
when = { words = ["авария"], language = ["ru", "uk"], during = ["09:00-18:00"] }
team = "support"
strategy = ["skills", "least_busy"]
skills = ["pumps"]
pass_on_after = "30 min"
"""


def test_what_a_manager_writes_is_taken_as_it_stands_and_read_back_as_sentences() -> None:
    reading = read_setup([("words.toml", WORDS)])
    versions = [
        Version(number, each.kind, each.key, 1, each.body, each.digest, START, "test", False)
        for number, each in enumerate(reading.definitions, 1)
    ]
    setup = build_setup(versions)
    assert (setup.problems, len(setup.regulations), len(setup.ways)) == ((), 5, 1)
    for key in setup.regulations:
        rule = setup.book.current(key)
        assert rule is not None
        assert len({sentence(rule, language) for language in ("ru", "uk", "pl", "en")}) == 4


def test_the_examples_are_taken_together() -> None:
    files = ("office.toml", "regulations.toml", "calendars.toml", "lines.toml")
    assert len(read_files([EXAMPLES / name for name in files]).definitions) > 25


@pytest.mark.parametrize(
    ("wrong", "right", "told"),
    [
        ("quiet_hours", "quiet_hour", "Did you mean quiet_hours?"),
        ('"20:00-08:00"', '"20-8"', "20-8"),
        ('on_change    = "retroactive"', 'on_change    = "retroactiv"', 'Did you mean "retroactive"?'),
        ("4 working hours", "4 workin hours", 'did you mean "working"?'),
        ("call.ended", "call.endet", 'Did you mean "call.ended"?'),
        ('by = "responsible"', 'by = "responsable"', 'Did you mean "responsible"?'),
        ('"-30 min"', '"-30 mn"', "min"),
        ("first_contact", "first_contract", "Did you mean first_contact?"),
        ('"recurring"', '"recuring"', "Did you mean recurring?"),
        ('"95%"', '"95 percent"', '"95%"'),
        ("2026-12-01", '"soon"', "2026-12-01"),
        ('strategy = ["skills"', 'strategy = ["skils"', 'Did you mean "skills"?'),
        ("language = [", "langauge = [", "Did you mean language?"),
        ('pass_on_after = "30 min"', 'pass_on_after = "soon"', "pass_on_after"),
    ],
)
def test_every_slip_is_named_by_its_line_with_what_was_meant(wrong: str, right: str, told: str) -> None:
    assert wrong in WORDS
    text = WORDS.replace(wrong, right, 1)
    with pytest.raises(SetUpRefused) as refused:
        read_setup([("words.toml", text)])
    (problem,) = refused.value.problems
    assert problem.line == WORDS[: WORDS.index(wrong)].count("\n") + 1
    assert told in str(problem)
