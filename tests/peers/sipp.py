"""Telephones that do as they are told: one sipp process per telephone and call."""

import asyncio
import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from tests.peers.asterisk import KIT, Asterisk
from tests.peers.debian import find_program
from tests.peers.missing import PeerMissing
from tests.peers.process import clean_environment
from tests.peers.workshop import free_port, media_port, release

REMEDY = "apt-get install sip-tester, or: python -m tests.peers"
_PATIENCE_S = 60.0


@dataclass
class Phones:
    """Callers and operators of one PBX; all of them are gone at the end of the block."""

    pbx: Asterisk
    _running: list[asyncio.subprocess.Process] = field(default_factory=list)
    _logs: dict[int, Path] = field(default_factory=dict)
    _ports: list[int] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        found = find_program("/usr/bin/sipp")
        if found is None:
            raise PeerMissing("sipp", "not installed", REMEDY)
        self._program = found
        self._folder = Path(tempfile.mkdtemp(prefix="sipp-", dir=self.pbx.folder))
        (self._folder / "tone.ulaw").write_bytes(bytes([0x9F, 0x9F, 0x9F, 0x9F, 0x1F, 0x1F, 0x1F, 0x1F] * 2000))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for process in self._running:
            if process.returncode is None:
                process.kill()
        await asyncio.gather(*(process.wait() for process in self._running))
        for port in self._ports:
            release(port)
        shutil.rmtree(self._folder, ignore_errors=True)

    async def operator(self, port: int, scenario: str, wait_ms: int = 500, *, calls: int = 1, to: str = "0") -> None:
        """A telephone on this port: `answer talk hangup hold refer decline busy noanswer`; `talk` sends sound."""
        words = ["-sf", _script(f"uas_{scenario}"), "-m", str(calls), "-d", str(wait_ms), "-key", "xfer", to]
        await self._start([*words, "127.0.0.1"], port)

    async def caller(
        self, number: str, scenario: str = "bye", talk_ms: int = 2000, *, who: str = "79161234567", name: str = "Ivan"
    ) -> asyncio.subprocess.Process:
        """Somebody calls: `bye` hangs up after a while, `talk` speaks until then, `cancel` gives up, `wait` waits."""
        return await self._call(number, scenario, talk_ms, [f"{who};{name}"], [])

    async def callers(
        self, number: str, whos: Sequence[str], per_second: float, *, scenario: str = "bye", talk_ms: int = 2000
    ) -> asyncio.subprocess.Process:
        """Everybody of `whos` calls, so many a second; it ends when all of them have hung up."""
        period = ["-r", str(round(per_second)), "-rp", "1000", "-l", str(len(whos))]
        return await self._call(number, scenario, talk_ms, [f"{who};" for who in whos], period)

    async def _call(
        self, number: str, scenario: str, talk_ms: int, whos: list[str], more: list[str]
    ) -> asyncio.subprocess.Process:
        callers = self._folder / f"callers-{next(self._numbers)}.csv"
        callers.write_text("\n".join(("SEQUENTIAL", *whos, "")))
        words = ["-sf", _script(f"uac_{scenario}"), "-s", number, "-d", str(talk_ms), "-inf", str(callers)]
        return await self._start([*words, "-m", str(len(whos)), *more, f"127.0.0.1:{self.pbx.sip}"])

    async def _start(self, words: list[str], port: int | None = None) -> asyncio.subprocess.Process:
        """A telephone that listens, on `port` or on one of its own: an INVITE into the void would be sent again later.

        Once more when somebody outside the tests took one of its ports in that very moment.
        """
        for _ in range(5):
            media, control = self._take(media_port()), self._take(free_port())
            own = port or self._take(free_port())
            ports = ["-p", str(own), "-mp", str(media), "-cp", str(control)]
            process = await self._spawn([*ports, *words])
            async with asyncio.timeout(_PATIENCE_S):
                while process.returncode is None and not _is_taken(control):  # the last that it binds
                    await asyncio.sleep(0.01)
            if "Unable to bind" not in self._said(process):
                return process  # it listens, or its call was short
        raise AssertionError(f"sipp does not listen on {port}: {self._said(process).strip()[-300:]}")

    def _take(self, port: int) -> int:
        self._ports.append(port)
        return port

    async def _spawn(self, words: list[str]) -> asyncio.subprocess.Process:
        fixed = ["-i", "127.0.0.1", "-nostdin", "-key", "pbx", str(self.pbx.sip)]
        number = next(self._numbers)
        with (self._folder / f"log-{number}").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                str(self._program.path),
                *fixed,
                *words,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self._folder,
                env={
                    **clean_environment(),
                    **self._program.environment,
                    "TERM": "dumb",
                    "HOME": os.fspath(self._folder),
                },
            )
        self._running.append(process)
        self._logs[process.pid] = self._folder / f"log-{number}"
        return process

    def _said(self, process: asyncio.subprocess.Process) -> str:
        return self._logs[process.pid].read_text(errors="replace")[:3000]


def _script(name: str) -> str:
    return str(KIT / "sipp" / f"{name}.xml")


def _is_taken(port: int) -> bool:
    """Whether somebody listens there.

    Looked up and not tried out: whoever tries holds the port for the moment in which sipp wants it.
    """
    wanted = f":{port:04X} "
    return any(wanted in line for line in Path("/proc/net/udp").read_text().splitlines())
