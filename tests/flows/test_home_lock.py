"""Two hubs on one SQLite home are refused clearly; a crash leaves no lock behind."""

from __future__ import annotations

from pathlib import Path

from tests.flows.processes import HubProcess, run_touchline, touchline


def test_a_second_run_on_one_home_is_refused_and_says_why(tmp_path: Path) -> None:
    with HubProcess("run", tmp_path) as hub:
        second = run_touchline(tmp_path, "run")
        assert second.returncode == 1
        assert second.stdout == ""
        (line,) = [line for line in second.stderr.splitlines() if line.startswith("touchline: ")]
        assert f"in use by the hub with process id {hub.pid}" in line
        assert "TOUCHLINE_HOME" in line
        assert touchline(tmp_path, "token", "beside").strip(), "short commands work beside a running hub"


def test_a_killed_hub_leaves_its_home_free(tmp_path: Path) -> None:
    hub = HubProcess("run", tmp_path).start()
    hub.kill()
    hub.start()
    hub.stop()


def test_parts_are_refused_on_sqlite(tmp_path: Path) -> None:
    for role in ("serve", "listen", "work"):
        refused = run_touchline(tmp_path, role)
        assert refused.returncode == 2
        assert "PostgreSQL" in refused.stderr or "postgresql://" in refused.stderr
