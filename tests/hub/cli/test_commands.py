"""The other commands, and what all have in common: help, exit codes, one line per fault, quick to start."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hub.cli.conftest import CALENDARS, LINES, OFFICE, Touchline
from tests.peers.workshop import free_port

COMMANDS = ("run", "serve", "listen", "work", "import", "export", "retire", "token", "sign-in", "check", "deadline")
COMMANDS += ("explain", "replay")


def test_help_is_there_for_everything(touchline: Touchline) -> None:
    ran = touchline("--help")
    assert ran.code == 0
    assert all(f" {command} " in ran.out for command in COMMANDS)
    for command in COMMANDS:
        ran = touchline(command, "--help")
        assert (ran.code, "Usage: touchline" in ran.out) == (0, True)


def test_help_is_light() -> None:
    """What a command needs is imported when it runs, so that `touchline token` is quick."""
    code = (
        "import sys, hub.cli.app\n"
        "heavy = {'sqlalchemy', 'aiohttp', 'alembic', 'pydantic', 'rich', 'holidays', 'hub.app'} & set(sys.modules)\n"
        "sys.exit(', '.join(sorted(heavy)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_python_m_hub_is_the_same(home: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "hub", "token", "x"], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"tl_[\w-]{43}\n", done.stdout)


@pytest.mark.parametrize("command", ["export", "check", "token x", "run", "serve"])
def test_an_unknown_setting_stops_every_command(
    touchline: Touchline, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOUCHLINE_LISTN", "x")
    ran = touchline(*command.split())
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == "touchline: TOUCHLINE_LISTN: no such setting. Did you mean TOUCHLINE_LISTEN?\n"


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("mysql://x/y", "Touchline runs on SQLite and PostgreSQL"),
        ("nonsense", "no database URL"),
        ("postgresql://127.0.0.1:1/x", "the database cannot be used"),
        ("sqlite:////proc/none/x.db", "/proc/none"),
    ],
)
def test_a_database_that_cannot_be_used(
    touchline: Touchline, url: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOUCHLINE_DATABASE_URL", url)
    ran = touchline("export")
    assert ran.code in {1, 2}
    assert says in ran.err
    assert "Traceback" not in ran.err
    assert len(ran.err.splitlines()) == 1


@pytest.mark.parametrize("command", ["serve", "listen", "work"])
def test_sqlite_is_not_split(touchline: Touchline, command: str) -> None:
    ran = touchline(command)
    assert ran.code == 2
    assert "SQLite lets one process write at a time" in ran.err
    assert "postgresql://" in ran.err


def test_deadline_of_the_contract(touchline: Touchline) -> None:
    question = ("--calendar", "office-moscow", "--target", "4 working hours", "--from", "2026-09-18T13:15Z")
    ran = touchline("deadline", "--setup", OFFICE, *question, "--json")
    told = json.loads(ran.out)
    assert told["due"] == "2026-09-21T08:15:00Z"
    assert [day["weekday"] for day in told["days"]] == ["fri", "sat", "sun", "mon"]
    ran = touchline("deadline", "--setup", OFFICE, *question)
    assert "2026-09-21T11:15:00+03:00 MSK" in ran.out
    paused = touchline(
        "deadline", "--setup", OFFICE, *question, "--pause", "2026-09-21T06:00Z/2026-09-21T07:00Z", "--json"
    )
    assert json.loads(paused.out)["due"] == "2026-09-21T09:15:00Z"
    touchline("import", OFFICE)
    assert json.loads(touchline("deadline", *question, "--json").out)["due"] == "2026-09-21T08:15:00Z"


def test_deadline_prepares_no_home_when_it_has_a_file(touchline: Touchline, home: Path) -> None:
    question = ("--calendar", "RU", "--target", "2 hours", "--from", "2026-09-18T13:15Z")
    assert touchline("deadline", "--setup", CALENDARS, *question).code == 0
    assert list(home.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--calendar", "RUS", "--target", "1 hours", "--from", "2026-09-18T13:15Z"), "RU"),
        (("--calendar", "RU", "--target", "1 fortnight", "--from", "2026-09-18T13:15Z"), "fortnight"),
        (("--calendar", "RU", "--target", "1 hours", "--from", "2026-09-18T13:15"), "no zone"),
        (("--calendar", "RU", "--target", "1 hours", "--from", "2026-09-18T13:15Z", "--pause", "x"), "pause"),
    ],
)
def test_deadline_asked_wrongly(touchline: Touchline, arguments: tuple[str, ...], says: str) -> None:
    ran = touchline("deadline", "--setup", CALENDARS, *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert says in ran.err
    assert "Traceback" not in ran.err


def test_check_without_lines(touchline: Touchline) -> None:
    assert touchline("check").code == 0
    assert json.loads(touchline("check", "--json").out) == {"lines": []}


def test_check_really_connects(touchline: Touchline, tmp_path: Path) -> None:
    lines_toml = Path(LINES).read_text(encoding="utf-8")
    for written in ("1025", "5038", "8081", "2775"):  # where somebody may really listen on this machine
        lines_toml = lines_toml.replace(written, str(free_port()))
    port = free_port()
    file = tmp_path / "lines.toml"
    file.write_text(
        lines_toml.replace("1143", str(port))
        + '[line.env]\nchannel = "email"\naddress = "a@b.example"\nsmtp = { host = "127.0.0.1", port = 9 }\n'
        'imap = { host = "127.0.0.1", port = 9, user = "u", password = { env = "NOT_SET_AT_ALL" } }\n'
        '[line.asleep]\nchannel = "telegram"\npolicy = "off"\ntoken = "4712:test"\n',
        encoding="utf-8",
    )
    assert touchline("import", str(file)).code == 0
    ran = touchline("check", "--json")
    assert ran.code == 1
    lines = {each["line"]: each for each in json.loads(ran.out)["lines"]}
    assert set(lines) == {"bot", "env", "office-pbx", "sms", "support-mail"}
    assert lines["support-mail"]["state"] == "will_retry"
    assert str(port) in lines["support-mail"]["reason"]
    assert all(each["remedy"] for each in lines.values())
    assert {lines[key]["state"] for key in ("bot", "office-pbx", "sms")} == {"will_retry"}
    assert lines["env"]["state"] == "needs_person"
    assert "NOT_SET_AT_ALL is not set" in lines["env"]["reason"]
    assert "NOT_SET_AT_ALL" in lines["env"]["remedy"]
    assert [each["line"] for each in json.loads(touchline("check", "env", "--json").out)["lines"]] == ["env"]
    assert "support-mail: will retry: " in touchline("check").out
    ran = touchline("check", "suport-mail")
    assert (ran.code, ran.out) == (2, "")
    assert "Did you mean support-mail?" in ran.err


def test_explain_of_nothing(touchline: Touchline) -> None:
    ran = touchline("explain", "7")
    assert (ran.code, ran.out, ran.err) == (1, "", "touchline: there is no obligation 7\n")


def test_replay_of_nothing(touchline: Touchline) -> None:
    assert json.loads(touchline("replay", "--json").out) == {"touches": [], "applied": False}
    ran = touchline("replay", "--since", "yesterday")
    assert (ran.code, ran.out) == (2, "")
    assert "Write 30d" in ran.err


def test_run_with_the_sample(home: Path, tmp_path: Path) -> None:
    """The address and a sign-in link are printed once it listens; Ctrl-C ends it cleanly; a second start keeps all."""
    command = [sys.executable, "-m", "hub", "run", "--sample"]
    environment = {**os.environ, "TOUCHLINE_LISTEN": "127.0.0.1:0"}
    for start in range(2):
        process = subprocess.Popen(
            command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line.strip())
            if line.startswith("Sign in"):
                break
        process.send_signal(signal.SIGINT)
        rest, errors = process.communicate(timeout=30)
        told = "\n".join(lines)
        assert process.returncode == 0, errors
        address = re.search(r"Touchline is at (http://127\.0\.0\.1:\d+)$", told, re.MULTILINE)
        assert address is not None
        assert f"Sign in as vera, once, within the hour: {address.group(1)}/sign-in/once/" in told
        assert ("a sample set-up is in it" in told) is (start == 0)
        assert "Traceback" not in errors
        assert rest == ""
