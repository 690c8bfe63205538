"""The hub as processes of its own, started as an administrator starts them."""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path
from typing import Self

from tests.peers.process import Process, answers, clean_environment, read_tail
from tests.peers.workshop import free_port

ROOT = Path(__file__).parents[2]
START_S = 120.0
_serial = itertools.count(1)


class HubProcess:
    """`touchline ROLE` in its own process; ends with the tests, however they end."""

    def __init__(self, role: str, home: Path, *, port: int | None = None, **variables: str) -> None:
        self.role, self.home = role, home
        self.port = port or free_port()
        self._variables = environment(home, self.port, **variables)
        self._process = Process(f"hub-{role}-{next(_serial)}", home, None)

    @property
    def address(self) -> str:
        """Where its web part listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.alive

    @property
    def log(self) -> str:
        """The end of what it said."""
        return read_tail(self._process.log)

    def start(self) -> Self:
        """Start, and wait until it works; again after `kill` or `stop`, on the same port."""
        before = self._said()
        self._process.start([sys.executable, "-m", "hub", self.role], self._variables)
        self._process.wait_until(lambda: self._is_up(before), START_S)
        return self

    def _is_up(self, before: int) -> bool:
        return self._said() > before and (self.role in {"listen", "work"} or answers(self.port))

    def _said(self) -> int:
        try:
            return self._process.log.read_bytes().count(b'"event": "running"')
        except OSError:
            return 0

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()

    def stop(self) -> None:
        """SIGTERM, as service managers do."""
        self._process.stop(seconds=60)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def environment(home: Path, port: int, **variables: str) -> dict[str, str]:
    """The variables of a hub in this home: upper-case names lack only their prefix."""
    own = {f"TOUCHLINE_{name.upper()}": value for name, value in variables.items()}
    return {
        "PYTHONPATH": str(ROOT),
        "TOUCHLINE_HOME": str(home),
        "TOUCHLINE_LISTEN": f"127.0.0.1:{port}",
        "TOUCHLINE_LOG_FORMAT": "json",
        **own,
    }


def touchline(home: Path, *arguments: str, text: str | None = None, **variables: str) -> str:
    """Run one command to its end; what it printed. Raises when it failed."""
    done = run_touchline(home, *arguments, text=text, **variables)
    if done.returncode:
        raise RuntimeError(f"touchline {' '.join(arguments)} failed:\n{done.stdout}\n{done.stderr}")
    return done.stdout


def run_touchline(
    home: Path, *arguments: str, text: str | None = None, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run one command to its end, however it ends."""
    return subprocess.run(
        [sys.executable, "-m", "hub", *arguments],
        input=text or "",
        capture_output=True,
        text=True,
        timeout=180,
        cwd=home,
        env=clean_environment() | environment(home, 0, **variables),
        check=False,
    )


def run_child(what: str, home: Path, url: str, *more: str) -> subprocess.CompletedProcess[str]:
    """One process of `crash_child`; it may die."""
    return subprocess.run(
        [sys.executable, "-m", "tests.flows.crash_child", what, str(home), url, *more],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=ROOT,
        check=False,
    )
