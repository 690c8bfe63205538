"""A server process of the tests: started tethered, stopped politely, frozen or killed on request."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.peers.workshop import Account

TETHER = Path(__file__).with_name("tether.py")
LOG_TAIL = 4000
GUARDED = 0
"""As a farewell: the program changes users itself, so a guard stays with it (see tether.py)."""

# The kernel ties a child to the *thread* that made it. This one lives as long as the tests do, whichever
# short-lived thread asks for a server.
_starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="peers")

running: dict[str, Path] = {}
"""Log files of the servers that are up, by name: a failing test shows their last lines."""


class Process:
    """One server in its own process group, so that the whole of it can be frozen or killed."""

    def __init__(self, name: str, folder: Path, account: Account | None, farewell: int = signal.SIGKILL) -> None:
        self.name = name
        self.folder = folder
        self.log = folder / f"{name}.log"
        self._account = account
        self._farewell = farewell
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The server's process id, which is also its group's."""
        if self._child is None:
            raise RuntimeError(f"{self.name} is not running")
        return self._child.pid

    @property
    def alive(self) -> bool:
        """Whether the server runs."""
        return self._child is not None and self._child.poll() is None

    def start(self, command: Sequence[str | Path], environment: Mapping[str, str] | None = None) -> None:
        """Start the program; its output goes to the log."""
        account = self._account
        uid, gid = (account.uid, account.gid) if account else (-1, -1)
        tether = [sys.executable, "-I", "-S", TETHER, os.getpid(), uid, gid, self._farewell]
        self._child = _starter.submit(self._spawn, [str(word) for word in (*tether, *command)], environment).result()
        running[f"{self.name}:{self._child.pid}"] = self.log

    def _spawn(self, command: list[str], environment: Mapping[str, str] | None) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env={**clean_environment(), **(environment or {})},
                start_new_session=True,
            )

    def wait_until(self, ready: Callable[[], bool], seconds: float = 90.0) -> None:
        """Wait until the server answers; its log is in the error when it dies or does not."""
        deadline = time.monotonic() + seconds
        while not ready():
            if not self.alive or time.monotonic() > deadline:
                state = "does not answer" if self.alive else "died at its start"
                self.kill()
                raise RuntimeError(f"{self.name} {state}:\n{read_tail(self.log)}")
            time.sleep(0.01)

    def finish(self, seconds: float) -> None:
        """Wait for a program that ends by itself, and insist that it ended well."""
        assert self._child is not None
        try:
            status = self._child.wait(seconds)
        finally:
            self.kill()
        if status:
            raise RuntimeError(f"{self.name} failed with {status}:\n{read_tail(self.log)}")

    def stop(self, how: int = signal.SIGTERM, seconds: float = 5.0) -> None:
        """Ask the server to end; kill what is left of it."""
        if self._child is None:
            return
        self.thaw()
        if self.alive:
            os.kill(self.pid, how)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.wait(seconds)
        self.kill()

    def kill(self) -> None:
        """SIGKILL the whole family and wait until nothing of it holds a port."""
        if self._child is None:
            return
        pid = self._child.pid
        if self.alive:
            self.freeze()  # so that nobody is born while we count
        family = list_family(pid)
        for member in family:
            _signal(member, signal.SIGKILL)
        self._child.wait()
        deadline = time.monotonic() + 5
        while family & read_table().keys() and time.monotonic() < deadline:
            time.sleep(0.005)
        running.pop(f"{self.name}:{pid}", None)
        self._child = None

    def freeze(self) -> None:
        """Stop the server in its tracks: connections stay open, nothing answers."""
        _signal(self.pid, signal.SIGSTOP)
        for member in list_family(self.pid):
            _signal(member, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen server go on."""
        for member in list_family(self.pid):
            _signal(member, signal.SIGCONT)


def clean_environment() -> dict[str, str]:
    """What a server sees of our environment: nothing that changes its manners."""
    return {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}


def answers(port: int) -> bool:
    """Whether something accepts connections on this port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def read_tail(log: Path) -> str:
    """The last lines of a log."""
    try:
        return log.read_bytes()[-LOG_TAIL:].decode("utf-8", "replace")
    except OSError as error:
        return f"(no log: {error})"


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def list_family(leader: int) -> set[int]:
    """The leader's process group and all its descendants (PostgreSQL's backends leave the group); no zombies."""
    members = {leader}
    table = read_table()
    grew = True
    while grew:
        found = {pid for pid, (parent, group) in table.items() if parent in members or group == leader}
        grew = not found <= members
        members |= found
    return members & table.keys()


def read_table() -> dict[int, tuple[int, int]]:
    """Parent and group of every process that is not dead; zombies waiting for a lazy init are."""
    table = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent, group = stat.read_text().rpartition(")")[2].split()[:3]
        except (OSError, ValueError):
            continue
        if state not in "ZX":
            table[int(stat.parent.name)] = (int(parent), int(group))
    return table
