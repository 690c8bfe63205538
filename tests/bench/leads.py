"""Form leads per second through HTTP: the real `touchline run`, beside a bare skeleton, in turns of the same run.

Everything is on: SQLite with synchronous=FULL, PostgreSQL with fsync, full text, raw bytes, promises and tasks. Only
the rate limits of the form are off, since all callers sit at one address.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.load import Outcome, ask
from tests.flows.house import OFFICE
from tests.flows.processes import ROOT, HubProcess, touchline
from tests.peers.postgres import Postgres
from tests.peers.process import answers
from tests.peers.workshop import free_port

CALLERS = 64
ROUNDS = 3
WARM_UP = 500
SKELETON_LEADS = 6_000
LEADS = 3_000
Say = Callable[[str], None]


@dataclass(slots=True)
class Runner:
    """One server under load; every lead of a run is somebody else's."""

    name: str
    port: int
    count: int
    pid: int
    outcomes: list[Outcome] = field(default_factory=list)
    cpu_us: list[float] = field(default_factory=list)
    _next: int = 0

    def load(self, count: int) -> Outcome:
        outcome = ask(self.port, count, CALLERS, self._next)
        self._next += count
        if set(outcome.statuses) != {"201"}:
            raise RuntimeError(f"{self.name} answered {outcome.statuses}")
        return outcome

    def measure(self) -> None:
        """One round. The rate suffers from whatever else the machine does, what a lead costs hardly does."""
        before = cpu_seconds(self.pid)
        self.outcomes.append(self.load(self.count))
        self.cpu_us.append((cpu_seconds(self.pid) - before) / self.count * 1e6)

    @property
    def per_second(self) -> float:
        return statistics.median(one.per_second for one in self.outcomes)

    def latency(self) -> str:
        fifty = statistics.median(one.p50_ms for one in self.outcomes)
        ninety_nine = statistics.median(one.p99_ms for one in self.outcomes)
        return f"p50 {fifty:,.0f} ms, p99 {ninety_nine:,.0f} ms, {statistics.median(self.cpu_us):,.0f} µs CPU each"


def run(say: Say = lambda text: None) -> list[tuple[str, str]]:
    """Rows of (what was measured, its figure)."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="touchline-bench-")))
        say("starting the servers")
        bare = _start_skeleton(folder, stack)
        hubs = [_start_hub("SQLite", folder / "sqlite", "", stack)]
        postgres = stack.enter_context(Postgres(durable=True))
        hubs.append(_start_hub("PostgreSQL", folder / "postgresql", postgres.fresh_database(), stack))
        before = {each.name: resident_mb(each.pid) for each in hubs}
        runners = [bare, *hubs]
        for each in runners:
            each.load(WARM_UP)
        for number in range(ROUNDS):
            for each in runners:
                say(f"round {number + 1} of {ROUNDS}: {each.name}")
                each.measure()
        rows = [("leads/s, bare skeleton", f"{bare.per_second:,.0f}   {bare.latency()}")]
        for each in hubs:
            ratio = each.per_second / bare.per_second
            rows.append((f"leads/s, {each.name}", f"{each.per_second:,.0f} = {ratio:.2f} of it   {each.latency()}"))
        for each in hubs:
            told = f"{before[each.name]:.0f} MB idle, {resident_mb(each.pid):.0f} MB after {each._next:,} leads"
            rows.append((f"resident memory, {each.name}", told))
        return rows


def _start_skeleton(folder: Path, stack: ExitStack) -> Runner:
    port = free_port()
    command = [sys.executable, "-m", "tests.bench.skeleton", str(folder / "skeleton.db"), str(port)]
    process = stack.enter_context(subprocess.Popen(command, cwd=ROOT))
    stack.callback(process.terminate)
    deadline = time.monotonic() + 30
    while not answers(port):
        if time.monotonic() > deadline:
            raise RuntimeError("the skeleton does not answer")
        time.sleep(0.05)
    return Runner("skeleton", port, SKELETON_LEADS, process.pid)


def _start_hub(name: str, home: Path, url: str, stack: ExitStack) -> Runner:
    home.mkdir()
    variables = {"database_url": url} if url else {}
    touchline(home, "import", "-", text=OFFICE, **variables)
    hub = stack.enter_context(HubProcess("run", home, **variables))
    return Runner(name, hub.port, LEADS, hub.pid)


def resident_mb(pid: int) -> float:
    """VmRSS of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def cpu_seconds(pid: int) -> float:
    """What a process has worked so far, user and system, all threads (proc(5): fields 14 and 15 of stat)."""
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    for what, figure in run(lambda text: print(text, file=sys.stderr)):
        print(f"{what:40} {figure}")
