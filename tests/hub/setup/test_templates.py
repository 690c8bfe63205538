"""Templates in a set-up: what is refused by its key, what waits, and how a text reads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from hub.canned import say_moment
from hub.setup import blanks
from hub.setup.crosscheck import crosscheck
from hub.setup.definition import Version
from hub.setup.problem import SetUpRefused
from hub.setup.reading import read_setup
from hub.setup.snapshot import SetUp, build_setup
from hub.setup.writing import write_toml

EXAMPLES = Path(__file__).parents[3] / "examples"
AT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def build(text: str) -> SetUp:
    found = read_setup([("a.toml", text)]).definitions
    return build_setup(
        Version(number, one.kind, one.key, 1, one.body, one.digest, AT, "test", False)
        for number, one in enumerate(found, 1)
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[template.a]\ntext = "Hello {{ name }}"', "template.a.text: there is no {{ name }} to fill in"),
        ('[template.a]\ntext = "Hello {{ cleint }}"', "Did you mean client"),
        ('[template.a]\ntext = { ru = "Привет", en = "Hello {{ due" }', "template.a.text: a blank is not closed"),
        ('[template.a]\ntext = "x"\nsubject = "{{ x }}"', "template.a.subject"),
        ('[template.a]\ntext = "x"\nchannels = { sms = "{{ x }}" }', "template.a.channels: sms: there is no {{ x }}"),
        ('[template.a]\ntext = "x"\napproved = { name = "n", parameters = ["{{ x }}"] }', "approved.parameters"),
        ('[template.a]\ntext = " "', "the text is empty"),
        ('[template.a]\ntitle = "x"', "template.a.text: is missing"),
        ('[template.a]\ntext = "x"\nwords = "y"', "template.a.words: no such key"),
        ('[line.a]\nchannel = "telegram"\ntoken = "1:x"\nacknowledge = "Until {{ due }}!"', "line.a.acknowledge"),
        ('[line.a]\nchannel = "telegram"\ntoken = "1:x"\nrate = { en = "{{ operator }}?" }', "line.a.rate"),
    ],
)
def test_a_blank_that_nobody_knows_is_refused_by_its_key(text: str, told: str) -> None:
    with pytest.raises(SetUpRefused) as refused:
        read_setup([("a.toml", text)])
    assert told in str(refused.value)


def test_what_waits_is_told() -> None:
    setup = build(
        '[line.a]\nchannel = "telegram"\ntoken = "1:x"\nacknowledge = "template:hi"\nrate = "template:no"\n'
        '[template.hi]\ntext = "{{ client }}, {{ field.order|—}}"\nteam = "nobody"\n'
    )
    found = {(one.kind, one.key, one.below): one.message for one in crosscheck(setup)}
    assert "no template 'no'" in found["line", "a", ("rate",)]
    assert "goes out only when nothing is missing" in found["line", "a", ("acknowledge",)]
    assert "no team" in found["template", "hi", ("team",)]
    assert "'order'" in found["template", "hi", ("text",)]


def test_the_examples_are_in_force_and_leave_as_they_came() -> None:
    text = (EXAMPLES / "templates.toml").read_text(encoding="utf-8")
    found = read_setup([("templates.toml", text)]).definitions
    assert [one for one in crosscheck(build(text)) if one.kind in ("company", "line", "template")] == []
    assert {each.name: each.body for each in read_setup([("x.toml", write_toml(found))]).definitions} == {
        each.name: each.body for each in found
    }
    words = build(text).templates["order-late"]
    assert words.words("pl", "sms") == "Zamówienie się opóźnia. {{ company }}" and "wkrótce" in words.words("pl", "bot")


def test_blanks_are_filled_and_those_without_value_stay() -> None:
    text = "{{client}}, {{ due|soon }}: {{ field.order }} {{ operator| }}{{ company }}"
    filled = blanks.fill(text, {"client": "Ivan {{ due }}", "company": "", "operator": None})
    assert filled == blanks.Filled("Ivan {{ due }}, soon: {{ field.order }} {{ company }}", ("field.order", "company"))
    assert blanks.left_in("{{ client }} {{ theirs }} {{ field.order }}") == ("client", "field.order")


@pytest.mark.parametrize(
    ("language", "hours", "said"),
    [
        ("en", 2, "today at 12:00"),
        ("ru", 24, "завтра в 10:00"),
        ("uk", 50, "22 листопада о 12:00"),
        ("pl", 50, "22 listopada o 12:00"),
        ("ru", 50, "22 ноября в 12:00"),
    ],
)
def test_a_due_is_told_as_people_say_it(language: str, hours: float, said: str) -> None:
    assert say_moment(AT + timedelta(hours=hours), ZoneInfo("Europe/Warsaw"), language, AT) == said
