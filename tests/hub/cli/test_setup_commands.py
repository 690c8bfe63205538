"""import, export, retire: what they print, and how they exit."""

import io
import json
from pathlib import Path

import pytest

from tests.hub.cli.conftest import CALENDARS, LINES, OFFICE, Touchline

EXAMPLES = Path(__file__).parents[3] / "examples"


def test_import_says_what_it_did(touchline: Touchline) -> None:
    first = touchline("import", OFFICE, CALENDARS)
    assert first.code == 0
    assert "new      operator.anna" in first.out
    assert first.out.endswith("new 18, changed 0, the same 0\n")
    again = touchline("import", OFFICE)
    assert (again.code, again.out) == (0, "nothing changed (9 the same)\n")


@pytest.mark.parametrize("name", ["office", "calendars", "lines"])
def test_shipped_examples_are_the_golden_files(touchline: Touchline, name: str) -> None:
    golden = {"office": OFFICE, "calendars": CALENDARS, "lines": LINES}[name]
    assert (EXAMPLES / f"{name}.toml").read_bytes() == Path(golden).read_bytes()
    assert touchline("import", str(EXAMPLES / f"{name}.toml")).code == 0


def test_what_is_not_in_force_is_reported_on_stderr(touchline: Touchline) -> None:
    ran = touchline("import", LINES)
    assert ran.code == 0
    assert "lines.toml:6: line.support-mail.team: not yet in force" in ran.err
    assert "not yet" not in ran.out


def test_a_fault_names_its_place_and_nothing_is_written(touchline: Touchline, tmp_path: Path) -> None:
    file = tmp_path / "bad.toml"
    file.write_text("[team.a]\n[operator.anna]\nname = 'A'\nrole = 'boss'\n")
    ran = touchline("import", OFFICE, str(file))
    assert ran.code == 1
    assert ran.out == ""
    assert (
        f"touchline: {file}:4: operator.anna.role: 'boss' is not one of the choices. Known: admin, operator" in ran.err
    )
    assert "Traceback" not in ran.err
    assert "operator" not in touchline("export").out


def test_import_as_json_and_dry(touchline: Touchline) -> None:
    ran = touchline("import", OFFICE, "--dry-run", "--json")
    told = json.loads(ran.out)
    assert told["dry_run"] is True
    assert "form.contact" in told["new"]
    assert touchline("import", OFFICE, "--dry-run").out.endswith("would be new 9, would be changed 0, the same 0\n")
    told = json.loads(touchline("import", OFFICE, "--json").out)
    assert (told["dry_run"], told["same"], len(told["new"])) == (False, [], 9)


def test_import_from_standard_input(touchline: Touchline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("[team.a]\ntitel = 'A'\n"))
    assert "standard input:2: team.a.titel: no such key. Did you mean title?" in touchline("import", "-").err
    monkeypatch.setattr("sys.stdin", io.StringIO("[team.a]\ntitle = 'A'\n"))
    assert touchline("import", "-").code == 0


def test_a_file_that_is_not_there(touchline: Touchline) -> None:
    ran = touchline("import", "none.toml")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("touchline: none.toml: cannot be read: No such file")


def test_export_is_imported_as_it_stands(touchline: Touchline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touchline("import", OFFICE, LINES, CALENDARS)
    ran = touchline("export")
    assert ran.code == 0
    assert not any(secret in ran.out for secret in ('"secret"', "hubsecret", "4711:test"))
    assert "#   TOUCHLINE_LINE_SUPPORT_MAIL_IMAP_PASSWORD" in ran.out
    file = tmp_path / "export.toml"
    assert touchline("export", "--output", str(file)).out == ""
    assert file.read_text(encoding="utf-8") == ran.out
    assert touchline("import", str(file)).out == "nothing changed (22 the same)\n"
    monkeypatch.setenv("TOUCHLINE_HOME", str(tmp_path / "other"))
    assert touchline("import", str(file)).out.endswith("new 22, changed 0, the same 0\n")
    assert touchline("export").out.partition("[team")[2] == ran.out.partition("[team")[2]


def test_retire(touchline: Touchline) -> None:
    touchline("import", OFFICE)
    assert touchline("retire", "operator", "boris").code == 0
    assert "boris@example.org" not in touchline("export").out
    ran = touchline("retire", "operator", "ana")
    assert (ran.code, ran.err) == (1, "touchline: there is no operator 'ana' to retire. Did you mean anna?\n")
    assert "Did you mean operator?" in touchline("retire", "operatr", "anna").err
    assert "new      operator.boris" in touchline("import", OFFICE).out
