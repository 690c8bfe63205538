"""Importing is additive and idempotent, on both databases; what is not in force is told, not refused."""

from collections.abc import Callable

import pytest

from hub.setup.definition import Change, newest, read_versions, retire, revision
from hub.setup.importing import Report, preview, take
from hub.setup.reading import read_setup
from hub.setup.snapshot import SetUp
from hub.setup.writing import write_toml
from storage.store import Store
from tests.hub.setup.conftest import NOW, golden

ALL = ("lines", "office", "calendars")


def take_golden(store: Store, *names: str) -> Report:
    return store.write_now(lambda unit: take(unit, read_setup(golden(*names)), "test"))


def test_golden_files_import_as_they_stand(store: Store, setup: Callable[[], SetUp]) -> None:
    report = take_golden(store, *ALL)
    assert report.count(Change.NEW) == len(report.changes) == 22
    now = setup()
    assert not now.problems
    assert now.members("support") == ("anna", "boris", "vera")
    assert now.operators["boris"].language == "pl"
    assert now.lines["support-mail"].own["imap"]["port"] == 1143
    assert now.regulations["service-reaction"].calendar == "office-moscow"
    assert {rule.key for rule in now.book.rules} >= {"service-reaction", "materials"}
    assert now.operator_by_email("ANNA@example.org") == "anna"
    assert now.operator_by_extension("102") == "boris"


def test_importing_again_changes_nothing(store: Store, setup: Callable[[], SetUp]) -> None:
    take_golden(store, *ALL)
    before = store.read_now(revision)
    for names in (ALL, ("office",), ("calendars", "lines")):
        report = take_golden(store, *names)
        assert report.count(Change.SAME) == len(report.changes)
    assert store.read_now(revision) == before
    assert len(setup().versions) == 22


def test_lines_alone_are_taken_and_reported(store: Store) -> None:
    notices = [str(notice) for notice in take_golden(store, "lines").notices]
    assert any(
        notice.startswith("lines.toml:6: line.support-mail.team: not yet in force: there is no team 'support'")
        for notice in notices
    )
    assert not any("line.support-mail.channel" in notice for notice in notices)
    after = [str(notice) for notice in take_golden(store, *ALL).notices]
    assert not any("team" in notice for notice in after)


def test_a_change_is_a_new_version_and_the_old_one_stays(
    store: Store, bring: Callable[[str], Report], setup: Callable[[], SetUp]
) -> None:
    bring("[team.a]\ntitle = 'A'\n[team.b]\ntitle = 'B'\n")
    report = bring("[team.a]\ntitle = 'Z'\n")
    assert [(each.name, change) for each, change in report.changes] == [("team.a", Change.CHANGED)]
    assert {key: team.title for key, team in setup().teams.items()} == {"a": "Z", "b": "B"}
    versions = [(row.key, row.version, row.body) for row in store.read_now(read_versions)]
    assert versions == [("a", 1, {"title": "A"}), ("b", 1, {"title": "B"}), ("a", 2, {"title": "Z"})]


def test_the_company_is_added_to_key_by_key(bring: Callable[[str], Report], setup: Callable[[], SetUp]) -> None:
    bring("[company]\nname = 'Office'\ndefault_region = 'PL'\nalert_line = 'mail'\n")
    again = bring("[company]\npublic_url = 'https://desk.example'\n")
    assert again.count(Change.CHANGED) == 1
    now = setup().company
    assert (now.name, now.default_region, now.public_url) == ("Office", "PL", "https://desk.example")
    assert bring("[company]\nname = 'Office'\n").count(Change.SAME) == 1
    bring("[company]\nalert_line = ''\n")
    assert (setup().company.alert_line, setup().company.name) == (None, "Office")


def test_the_order_of_keys_is_no_change(bring: Callable[[str], Report]) -> None:
    bring("[team.a]\ntitle = 'A'\ncalendar = 'c'\n")
    assert bring("[team.a]\ncalendar = 'c'\ntitle = 'A'\n").count(Change.SAME) == 1


def test_what_is_retired_is_gone_until_it_is_imported_again(
    store: Store, bring: Callable[[str], Report], setup: Callable[[], SetUp]
) -> None:
    bring("[team.a]\ntitle = 'A'\n")
    before = store.read_now(revision)
    assert store.write_now(lambda unit: retire(unit, "team", "a", "test"))
    assert not store.write_now(lambda unit: retire(unit, "team", "a", "test"))
    assert not store.write_now(lambda unit: retire(unit, "team", "b", "test"))
    assert store.read_now(revision) > before
    assert not setup().teams
    assert bring("[team.a]\ntitle = 'A'\n").count(Change.NEW) == 1
    assert list(setup().teams) == ["a"]


def test_a_dry_run_writes_nothing(store: Store) -> None:
    report = store.read_now(lambda connection: preview(connection, read_setup(golden("office")), NOW))
    assert report.count(Change.NEW) == 9
    assert store.read_now(revision) == 0


def test_export_is_taken_as_it_stands_and_tells_no_secret(store: Store) -> None:
    take_golden(store, *ALL)
    text = write_toml(row.definition for row in newest(store.read_now(read_versions)).values())
    for secret in ('"secret"', "hubsecret", "4711:test"):
        assert secret not in text
    assert 'password = { env = "TOUCHLINE_LINE_SUPPORT_MAIL_IMAP_PASSWORD" }' in text
    report = store.write_now(lambda unit: take(unit, read_setup([("export.toml", text)]), "test"))
    assert report.count(Change.SAME) == len(report.changes) == 22


def test_an_exported_secret_can_move_into_the_environment(
    store: Store, setup: Callable[[], SetUp], monkeypatch: pytest.MonkeyPatch
) -> None:
    take_golden(store, "lines")
    text = write_toml(row.definition for row in newest(store.read_now(read_versions)).values())
    monkeypatch.setenv("TOUCHLINE_LINE_BOT_TOKEN", "new")
    report = store.write_now(lambda unit: take(unit, read_setup([("export.toml", text)]), "test"))
    assert [each.name for each, change in report.changes if change is Change.CHANGED] == ["line.bot"]
    assert setup().lines["bot"].own["token"] == {"env": "TOUCHLINE_LINE_BOT_TOKEN"}


@pytest.mark.parametrize(
    ("text", "notice"),
    [
        ("[company]\ncalendar = 'x'\n", "company.calendar: not yet in force: there is no calendar 'x'"),
        ("[team.a]\nlead = 'x'\n", "team.a.lead: not yet in force: there is no operator 'x'"),
        ("[operator.anna]\nname = 'A'\nteams = ['suport']\n[team.support]\n", "Did you mean support?"),
        ("[route.r]\nteam = 'x'\n", "route.r.team: not yet in force: there is no team 'x'"),
        (
            "[regulation.r]\ntitle='R'\nkind='respond'\nwithin='1 hours'\ncalendar='x'\n",
            "some.toml:5: regulation.r.calendar:",
        ),
        (
            "[regulation.r]\ntitle='R'\nkind='respond'\nwithin='1 hours'\n"
            "steps = [{ when = 'due', to = 'lead' },\n { when = '50%', to = 'ana' }]\n[operator.anna]\nname='A'\n",
            "some.toml:6: regulation.r.steps.1.to: not yet in force: 'ana' is no operator, team or rung; "
            "the team's lead is told. Did you mean anna?",
        ),
        (
            "[operator.a]\nname='A'\nextension='1'\n[operator.b]\nname='B'\nextension='1'\n",
            "has the same extension",
        ),
        ("[operator.a]\nname='A'\nrole='supervisor'\n", "some.toml:3: operator.a.role: nobody at the desk is an admin"),
    ],
)
def test_what_names_nothing_is_told(bring: Callable[[str], Report], text: str, notice: str) -> None:
    assert any(notice in str(each) for each in bring(text).notices)
