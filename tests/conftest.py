"""What every test has at hand: the peers, a home of its own, and examples that are the same on every machine."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.peers.fixtures import (  # noqa: F401
    asterisk,
    box,
    browser,
    certificate,
    database_url,
    dovecot,
    mariadb,
    own_asterisk,
    own_dovecot,
    own_postgres,
    own_valkey,
    page,
    phone,
    postfix,
    postgres,
    postgres_url,
    smtp,
    smtp_for_all,
    valkey,
    valkey_url,
)
from tests.peers.missing import missing
from tests.peers.process import read_tail, running

settings.register_profile(
    "ci",
    derandomize=True,
    deadline=None,
    max_examples=100,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("ci")


@pytest.fixture(autouse=True)
def no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the person at the keyboard has set must not reach a test."""
    for name in [name for name in os.environ if name.startswith("TOUCHLINE_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_settings_from_outside: None) -> Path:
    """An empty TOUCHLINE_HOME for one test."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("TOUCHLINE_HOME", str(folder))
    return folder


TELEPHONES = "channels/asterisk/test_real_"
IN_REAL_TIME = (
    TELEPHONES,
    "flows/test_chat_topology",
    "flows/test_crash_load",
    "flows/test_topology",
    "flows/test_two_clocks",
)
"""Telephones, exchanges and whole processes keep their own time: a machine busy elsewhere may upset one."""
EXCHANGES = {"asterisk", "own_asterisk"}
LIVING = {"browser", "page", "phone", "dovecot", "own_dovecot", "own_postgres", "own_valkey", "postfix"} | EXCHANGES
"""So may a browser, and servers that somebody kills or waits for. `-rR` names every test that was played again."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What plays in real time may be played again, from its beginning; what is wrong fails every time.

    A file is played by one worker. So is everything with a telephone exchange: two of them would disturb each other.
    """
    for item in items:
        path, fixtures = item.path.as_posix(), set(getattr(item, "fixturenames", ()))
        if any(name in path for name in IN_REAL_TIME):
            item.add_marker(pytest.mark.flaky(reruns=4))
        elif LIVING & fixtures:
            item.add_marker(pytest.mark.flaky(reruns=2))
        with_telephones = TELEPHONES in path or EXCHANGES & fixtures
        item.add_marker(pytest.mark.xdist_group("telephones" if with_telephones else path))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """A failed test shows what the servers it used had to say."""
    report = yield
    if report.failed:
        fixtures = set(getattr(item, "fixturenames", ()))
        for name, log in running.items():
            peer = name.partition(":")[0]
            if any(peer in fixture for fixture in fixtures):
                report.sections.append((f"log of {peer}", read_tail(log)))
    return report


@pytest.hookimpl
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker tells the run what it had to do without."""
    output: dict[str, object] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["missing"] = dict(missing)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """The run hears it."""
    missing.update(getattr(node, "workeroutput", {}).get("missing", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say once more, at the end, which servers could not be had."""
    if not missing:
        return
    terminalreporter.section("peers missing on this machine", sep="!", red=True, bold=True)
    for peer, reason in sorted(missing.items()):
        terminalreporter.line(f"{peer}: {reason}", red=True)
    terminalreporter.line("Tests that need them were NOT run. `python -m tests.peers` gets what it can.", red=True)
