"""Telephones that do as they are told: one sipp process per telephone and call."""

import asyncio
import os
import shutil
import socket
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from tests.peers.asterisk import KIT, Asterisk
from tests.peers.debian import find_program
from tests.peers.missing import PeerMissing
from tests.peers.process import clean_environment
from tests.peers.workshop import free_port

REMEDY = "apt-get install sip-tester, or: python -m tests.peers"


@dataclass
class Phones:
    """Callers and operators of one PBX; all of them are gone at the end of the block."""

    pbx: Asterisk
    _running: list[asyncio.subprocess.Process] = field(default_factory=list)

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
        shutil.rmtree(self._folder, ignore_errors=True)

    async def operator(self, port: int, scenario: str, wait_ms: int = 500, *, calls: int = 1, to: str = "0") -> None:
        """A telephone on this port: `answer talk hangup hold refer decline busy noanswer`; `talk` sends sound."""
        words = [
            "-sf",
            f"uas_{scenario}.xml",
            "-p",
            str(port),
            "-m",
            str(calls),
            "-d",
            str(wait_ms),
            "-key",
            "xfer",
            to,
        ]
        process = await self._start([*words, "127.0.0.1"])
        while not _is_taken(port):
            assert process.returncode is None, f"sipp cannot listen on {port}"
            await asyncio.sleep(0.01)

    async def caller(
        self, number: str, scenario: str = "bye", talk_ms: int = 2000, *, who: str = "79161234567", name: str = "Ivan"
    ) -> asyncio.subprocess.Process:
        """Somebody calls: `bye` hangs up after a while, `cancel` while it rings, `wait` never."""
        callers = self._folder / f"callers-{len(self._running)}.csv"
        callers.write_text(f"SEQUENTIAL\n{who};{name}\n")
        words = ["-sf", f"uac_{scenario}.xml", "-s", number, "-d", str(talk_ms), "-inf", str(callers), "-m", "1"]
        return await self._start([*words, "-p", str(free_port()), f"127.0.0.1:{self.pbx.sip}"])

    async def _start(self, words: list[str]) -> asyncio.subprocess.Process:
        fixed = ["-i", "127.0.0.1", "-mp", str(free_port()), "-nostdin", "-key", "pbx", str(self.pbx.sip)]
        words[1] = str(KIT / "sipp" / words[1])
        with (self._folder / f"log-{len(self._running)}").open("wb") as log:
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
        return process


def _is_taken(port: int) -> bool:
    """Whether somebody listens there: an INVITE into the void would be repeated into the next scenario."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False
