"""A faulty set-up is refused whole, and every fault names file, line, key and a way out."""

import pytest

from hub.setup.problem import Problem, SetUpRefused
from hub.setup.reading import read_setup
from tests.hub.setup.conftest import golden


def refused(text: str) -> list[Problem]:
    with pytest.raises(SetUpRefused) as caught:
        read_setup([("some.toml", text)])
    return list(caught.value.problems)


@pytest.mark.parametrize(
    ("text", "line", "key", "says"),
    [
        ("[operator.anna]\nname = 'A'\nrole = 'operater'", 3, "operator.anna.role", "Did you mean operator?"),
        ("[operator.anna]\nname = 'A'\nteam = ['x']", 3, "operator.anna.team", "no such key. Did you mean teams?"),
        ("[operator.anna]\nrole = 'admin'", 1, "operator.anna.name", "is missing"),
        ("[operator.anna]\nname = 'A'\nemail = 'anna'", 3, "operator.anna.email", "no email address"),
        ("[operators.anna]\nname = 'A'", 1, "operators", "Did you mean [operator.KEY]?"),
        ("[komanda.x]\na = 1", 1, "komanda", "a set-up has no such table"),
        ("operator = 3", 1, "operator", "is a table, not a value"),
        ("[operator]\nanna = 3", 2, "operator.anna", "is a table, not a value"),
        ("[operator.owner]\nname = 'A'", 1, "operator.owner", "has a meaning of its own"),
        ("[line.desk]\nchannel = 'telegram'\ntoken = '1:a'", 1, "line.desk", "has a meaning of its own"),
        ('[team."отдел"]\ntitle = "x"', 1, "team.отдел", "is no key"),
        ("[team.x]\ntitle = { de = 'X' }", 2, "team.x.title", "no language 'de'"),
        ("[company]\ndefault_region = 'Russia'", 2, "company.default_region", "no such region"),
        ("[company]\nname = 'a\\u0000b'", 2, "company.name", "basic"),
        (
            "[operator.a]\nname='A'\n[[operator.a.away]]\nfrom = 2026-12-24\nto = 2026-12-01",
            3,
            "operator.a.away.0",
            "ends before it begins",
        ),
        (
            "[operator.a]\nname='A'\naway = [{ from = 2026-12-24, to = 'soon' }]",
            3,
            "operator.a.away.0.to",
            "'soon' is no date",
        ),
        (
            "[calendar.c]\nzone = 'Europe/Moskow'",
            2,
            "calendar.c.zone",
            "Europe/Moscow",
        ),
        ("[calendar.c]\nzone = 'Europe/Kyiv'\nweek = { mo = [] }", 3, "calendar.c.week.mo", "mon"),
        ("[calendar.c]\nzone = 'Europe/Kyiv'\nweeks = {}", 3, "calendar.c.weeks", "Did you mean week?"),
        ("[team.x]\ntitle = 3", 2, "team.x.title", "one per language"),
        ("[line.m]\nteam = 'x'", 1, "line.m.channel", "is missing"),
        ("[line.m]\nchannel = 'e-mail'", 2, "line.m.channel", "Did you mean email?"),
        (
            "[form.f]\ntitle = 'F'\nfields = [\n  { name = 'a' },\n  { name = 'b', knd = 'text' },\n]",
            5,
            "form.f.fields.1.knd",
            "kind",
        ),
        (
            "[form.f]\ntitle = 'F'\nfields = [{ name = 'a', kind = 'txt' }]",
            3,
            "form.f.fields.0.kind",
            "Did you mean text?",
        ),
        ("[regulation.r]\ntitle = 'R'\nkind = 'response'", 3, "regulation.r.kind", "Did you mean respond?"),
        (
            "[regulation.r]\ntitle = 'R'\nkind = 'respond'\nwithin = '4 wrking hours'",
            4,
            "regulation.r.within",
            "working",
        ),
        (
            "[regulation.r]\ntitle = 'R'\nkind = 'respond'\nwihtin = '4 hours'",
            4,
            "regulation.r.wihtin",
            "Did you mean within?",
        ),
    ],
)
def test_faults_are_placed_and_explained(text: str, line: int, key: str, says: str) -> None:
    if says == "basic":
        text, says = text.replace("'", '"'), "NUL"
    problems = refused(text)
    assert [(problem.file, problem.line, problem.key) for problem in problems] == [("some.toml", line, key)]
    assert says in str(problems[0])


def test_all_faults_are_told_at_once() -> None:
    text = "[operator.a]\nname = ''\nrole = 'x'\n[team.t]\nleed = 'a'\n[line.l]\nchannel = 'fax'\n"
    assert [problem.line for problem in refused(text)] == [2, 3, 5, 7]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[team.a]\ntitle = \n", 2),
        ("[team.a]\ntitle = 'x'\n[team.b\n", 3),
        ("[team.a]\n\ntitle = 'x'\ntitle = 'y'\n", 4),
        ("[team.a]\ntitle = [\n'x'", 3),
    ],
)
def test_bad_toml_names_its_line(text: str, line: int) -> None:
    (problem,) = refused(text)
    assert (problem.file, problem.line) == ("some.toml", line)
    assert "not TOML" in problem.message


def test_two_files_may_not_both_say_what_one_thing_is() -> None:
    form = "[form.contact]\ntitle = 'F'\nfields = [{ name = 'a' }]\n"
    with pytest.raises(SetUpRefused) as caught:
        read_setup([("one.toml", form), ("two.toml", form.replace("'F'", "'G'"))])
    assert str(caught.value).startswith("two.toml:1: form.contact: is defined otherwise at one.toml:1")
    assert len(read_setup([("one.toml", form), ("two.toml", form)]).definitions) == 1


def test_secrets_that_are_only_pointed_to_are_not_judged() -> None:
    text = golden("lines")[0][1].replace('password = "secret", tls', 'password = { env = "TOUCHLINE_LINE_X" }, tls')
    (mail, *_) = read_setup([("lines.toml", text)]).definitions
    assert mail.body["imap"]["password"] == {"env": "TOUCHLINE_LINE_X"}


def test_the_channel_judges_its_own_keys() -> None:
    text = golden("lines")[0][1].replace("port = 1143", "prot = 1143")
    (problem,) = refused(text)
    assert (problem.line, problem.key) == (7, "line.support-mail.imap.prot")
    assert "Did you mean port?" in problem.remedy


def test_dates_become_text_and_stay_the_same_when_written_as_text() -> None:
    head = "[operator.a]\nname = 'A'\n[[operator.a.away]]\n"
    one = read_setup([("a", head + "from = 2026-12-01\nto = 2026-12-02T13:00:00+03:00\n")]).definitions[0]
    other = read_setup([("b", head + "from = '2026-12-01'\nto = '2026-12-02T13:00:00+03:00'\n")]).definitions[0]
    assert one.digest == other.digest
