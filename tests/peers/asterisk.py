"""A real Asterisk, unpacked from Debian packages and run through its own loader: nothing on the machine is changed.

The PBX of the tests has a number of desks that do not disturb each other: three telephones, two queues and their
numbers each, so that scenarios run side by side. All names can be others: nothing may be shaped to these.
"""

import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from tests.peers.asterisk_conf import FILES
from tests.peers.debian import UNPACKED, find_program
from tests.peers.missing import PeerMissing
from tests.peers.process import Process, clean_environment
from tests.peers.workshop import free_port, make_folder, release, remove_folder

KIT = Path(__file__).with_name("asterisk")
ROOT = UNPACKED / "asterisk"
REMEDY = "python -m tests.peers (needs a Debian mirror for apt-get)"
DESKS = 24


@dataclass(frozen=True, slots=True)
class Names:
    """What the administrator calls things."""

    trunk: str = "trunk"
    inbound: str = "from-trunk"
    routed: str = "routed"
    internal: str = "internal"
    queue: str = "support"
    ring_all: str = "support-all"
    empty: str = "nobody"
    phone: str = "{number}"
    system: str = "pbx1"


STRANGE = Names("operator-seti", "ot-goroda", "dalshe", "vnutri", "opt.otdel", "vse-srazu", "pusto", "tel{number}x", "")


@dataclass(frozen=True, slots=True)
class Desk:
    """Three telephones and the numbers that lead to them."""

    number: int
    names: Names
    phones: tuple[str, str, str]
    ports: tuple[int, int, int]

    @property
    def queue(self) -> str:
        """Its members ring one after the other."""
        return f"{self.names.queue}{self.number}"

    @property
    def ring_all(self) -> str:
        """Its members ring at once."""
        return f"{self.names.ring_all}{self.number}"

    @property
    def did(self) -> str:
        """Leads to `queue`."""
        return f"8{self.number:02}1"

    @property
    def http_did(self) -> str:
        """Leads where the hub says when it is asked over HTTP (`Asterisk.ask_hub_at`)."""
        return f"9{self.number:02}1"

    @property
    def direct_did(self) -> str:
        """Leads to the first telephone."""
        return f"8{self.number:02}2"

    @property
    def ring_all_did(self) -> str:
        """Leads to `ring_all`."""
        return f"8{self.number:02}3"

    @property
    def empty_did(self) -> str:
        """Leads to a queue without members."""
        return f"8{self.number:02}4"

    @property
    def outside(self) -> str:
        """A number in town, reached over this desk's own trunk."""
        return f"74951{self.number:03}233"

    def answer(self, did: str) -> str:
        """What the hub answers when the dialplan asks for a number."""
        answers = {
            self.did: self.queue,
            self.direct_did: f"op/{self.phones[0]}",
            self.ring_all_did: self.ring_all,
            self.empty_did: self.names.empty,
        }
        return answers.get(did, "")


@dataclass
class Asterisk:
    """One PBX on free ports. `agi` is where it asks for routes; `database` (PostgreSQL, with the tables of
    `RECORDS_TABLES`) gets its CDR, CEL and queue log besides the files; `more` is added to its configuration: file ->
    text."""

    names: Names = field(default_factory=Names)
    stamps: bool = True
    database: str | None = None
    size: int = DESKS
    more: Callable[["Asterisk"], Mapping[str, str]] | None = None

    def __post_init__(self) -> None:
        if not (ROOT / "usr/sbin/asterisk").is_file():
            raise PeerMissing("asterisk", "not unpacked in .peers/", REMEDY)
        self.sip, self.ami, self.agi = free_port(), free_port(), free_port()
        self.folder = make_folder("asterisk")
        self.desks = [self._desk(number) for number in range(self.size)]
        self.outside_ports = [free_port() for _ in self.desks]
        self._process = Process("asterisk", self.folder, None)
        self._configure()
        self.start()

    @property
    def root(self) -> Path:
        """Where it is unpacked."""
        return ROOT

    @property
    def pid(self) -> int:
        """Of the server."""
        return self._process.pid

    @property
    def cdr(self) -> Path:
        """Master.csv."""
        return self.folder / "log/cdr-csv/Master.csv"

    @property
    def queue_log(self) -> Path:
        """queue_log."""
        return self.folder / "log/queue_log"

    @property
    def cel(self) -> Path:
        """The file of cel_custom."""
        return self.folder / "log/cel-custom/Master.csv"

    @property
    def recordings(self) -> Path:
        """Where MixMonitor writes."""
        return self.folder / "rec"

    @property
    def extensions(self) -> dict[str, str]:
        """Extension -> operator, as a hub would know them."""
        return {phone: f"op-{phone}" for desk in self.desks for phone in desk.phones}

    @property
    def interface(self) -> str:
        """How an extension is dialled."""
        return "PJSIP/" + self.names.phone.replace("{number}", "{extension}")

    def start(self) -> None:
        """Boot, again on the same ports after `stop` or `kill`."""
        self._process.start(self._command("-f"))
        self._process.wait_until(lambda: "fully booted" in self.cli("core waitfullybooted"))

    def stop(self) -> None:
        """Hang up everything and end."""
        self.cli("core stop now")
        self._process.stop()

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()

    def freeze(self) -> None:
        """SIGSTOP: connections stay open, nothing answers."""
        self._process.freeze()

    def thaw(self) -> None:
        """SIGCONT."""
        self._process.thaw()

    def cli(self, line: str) -> str:
        """One command on the console."""
        done = subprocess.run(
            self._command("-rx", line), capture_output=True, text=True, timeout=20, env=clean_environment()
        )
        return done.stdout

    def ask_hub_at(self, address: str) -> None:
        """Where the dialplan of `http_did` asks, for example http://127.0.0.1:8080/route/pbx."""
        self.cli(f"dialplan set global HUB {address}")

    def close(self) -> None:
        """End and forget everything."""
        self._process.kill()
        remove_folder(self.folder)
        for port in (
            self.sip,
            self.ami,
            self.agi,
            *self.outside_ports,
            *(port for desk in self.desks for port in desk.ports),
        ):
            release(port)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _command(self, *words: str) -> list[str]:
        return [*_loader(), str(ROOT / "usr/sbin/asterisk"), "-C", str(self.folder / "etc/asterisk.conf"), *words]

    def _desk(self, number: int) -> Desk:
        phones = tuple(f"{100 * (number + 1) + index}" for index in (1, 2, 3))
        ports = tuple(free_port() for _ in range(3))
        return Desk(number, self.names, (phones[0], phones[1], phones[2]), (ports[0], ports[1], ports[2]))

    def _configure(self) -> None:
        for path in ("etc", "lib", "agi-bin", "run", "cache", "rec", "log/cdr-csv", "log/cdr-custom", "log/cel-custom"):
            (self.folder / path).mkdir(parents=True)
        for path in ("voicemail", "monitor", "tmp", "outgoing", "system"):
            (self.folder / "spool" / path).mkdir(parents=True)
        for name, write in FILES.items():
            (self.folder / "etc" / name).write_text(write(self))
        for name, text in (self.more(self) if self.more is not None else {}).items():
            with (self.folder / "etc" / name).open("a") as file:
                file.write(text)


def _loader() -> list[str]:
    found = [*ROOT.glob("usr/lib/*/ld-linux-*.so.*"), *ROOT.glob("lib/*/ld-*.so*")]
    if not found:
        raise PeerMissing("asterisk", "unpacked without its loader", REMEDY)
    libraries = ":".join(
        str(path) for pattern in ("usr/lib/*-linux-gnu", "lib/*-linux-gnu") for path in ROOT.glob(pattern)
    )
    return [str(found[0]), "--library-path", f"{libraries}:{ROOT}/usr/lib"]


def fetch() -> None:
    """Unpack Asterisk and its libraries under ``.peers/asterisk``; half a minute, once."""
    UNPACKED.mkdir(exist_ok=True)
    subprocess.run(["bash", str(KIT / "get-asterisk.sh"), str(ROOT)], check=True, timeout=900)


def version() -> str:
    """What ``asterisk -V`` says."""
    if not (ROOT / "usr/sbin/asterisk").is_file():
        raise PeerMissing("asterisk", "not unpacked in .peers/", REMEDY)
    done = subprocess.run(
        [*_loader(), str(ROOT / "usr/sbin/asterisk"), "-V"], capture_output=True, text=True, check=True, timeout=20
    )
    return f"{done.stdout.strip().removeprefix('Asterisk ')} (unpacked in .peers/)"


def sipp_version() -> str:
    """What ``sipp -v`` says."""
    program = find_program("/usr/bin/sipp")
    if program is None:
        raise PeerMissing("sipp", "not installed", "apt-get install sip-tester, or: python -m tests.peers")
    done = subprocess.run(
        [str(program.path), "-v"],
        capture_output=True,
        text=True,
        timeout=20,
        env=clean_environment() | program.environment,
    )
    word = next((word for word in done.stdout.split() if word.startswith("v3")), "")
    return f"{word.removeprefix('v').rstrip('.')} ({program.origin})"
