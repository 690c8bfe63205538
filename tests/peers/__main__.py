"""``python -m tests.peers``: get the servers that are missing, before the tests, and say what is there.

As root the packages are installed; otherwise they are fetched and unpacked under ``.peers/``. Nothing is done, and
nobody is asked, when everything is there. Ends with 0 even if something is missing: the tests decide what that means.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.peers import asterisk, chromium, debian, dovecot, kannel, mariadb, postfix, postgres, smtp, valkey
from tests.peers.missing import PeerMissing


@dataclass(frozen=True, slots=True)
class Peer:
    """One server: how to ask its version, and the Debian packages that bring it."""

    name: str
    version: Callable[[], str]
    packages: tuple[str, ...] = ()
    needs_root: bool = False
    fetch: Callable[[], None] | None = None


PEERS = (
    Peer("postgres", postgres.version),
    Peer("valkey", valkey.version),
    Peer("smtp", smtp.version),
    Peer("dovecot", dovecot.version, ("dovecot-imapd", "dovecot-lmtpd")),
    Peer("postfix", postfix.version, ("postfix",), needs_root=True),
    Peer("asterisk", asterisk.version, fetch=asterisk.fetch),
    Peer("sipp", asterisk.sipp_version, ("sip-tester",)),
    Peer("kannel", kannel.version, ("kannel",)),
    Peer("mariadb", mariadb.version, ("mariadb-server-core",)),
    Peer("chromium", chromium.version, ("chromium", "fonts-dejavu-core")),
)


RETRY = ("-o", "Acquire::Retries=3")


def main() -> None:
    """Look, get what is missing, look again, and print a table."""
    found = look(PEERS)
    root = os.getuid() == 0
    wanted = [peer for peer in PEERS if peer.packages and peer.name not in found and (root or not peer.needs_root)]
    if wanted:
        try:
            (install if root else unpack)([package for peer in wanted for package in peer.packages])
        except (OSError, subprocess.SubprocessError) as error:
            print(f"peers: {error}", file=sys.stderr)
        found |= look(wanted)
    for peer in PEERS:
        if peer.fetch is not None and peer.name not in found:
            fetch(peer.fetch)
            found |= look([peer])
    report(found)


def fetch(get: Callable[[], None]) -> None:
    """A peer that brings itself."""
    try:
        get()
    except (OSError, subprocess.SubprocessError) as error:
        print(f"peers: {error}", file=sys.stderr)


def look(peers: Sequence[Peer]) -> dict[str, str]:
    """The versions of the peers that are here, asked side by side."""
    with ThreadPoolExecutor(len(peers)) as pool:
        answers = pool.map(ask, peers)
    return {peer.name: answer for peer, answer in zip(peers, answers, strict=True) if answer}


def ask(peer: Peer) -> str | None:
    """One peer's version, or nothing if it is missing or cannot even tell."""
    try:
        return peer.version()
    except PeerMissing:
        return None
    except (OSError, subprocess.SubprocessError) as error:
        print(f"peers: {peer.name} is there but does not run: {error}", file=sys.stderr)
        return None


def report(found: dict[str, str]) -> None:
    """One line per peer."""
    for peer in PEERS:
        if peer.name in found:
            print(f"  {peer.name:<10} {found[peer.name]}")
            continue
        try:
            peer.version()
        except PeerMissing as problem:
            print(f"  {peer.name:<10} MISSING: {problem.reason}. Remedy: {problem.remedy}")
        except (OSError, subprocess.SubprocessError) as error:
            print(f"  {peer.name:<10} MISSING: it does not run ({error})")


def install(packages: Sequence[str]) -> None:
    """apt-get as root; no daemon may start, and no question may be asked."""
    apt = _find_apt()
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    _run([apt, *RETRY, "-q", "update"], quiet)
    # policy-rc.d is how Debian is told not to start what it installs; an existing one is left alone.
    policy = Path("/usr/sbin/policy-rc.d")
    ours = not policy.exists()
    if ours:
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
    try:
        _run([apt, *RETRY, "-q", "install", "-y", "--no-install-recommends", *packages], quiet)
    finally:
        if ours:
            policy.unlink()


def unpack(packages: Sequence[str]) -> None:
    """Fetch the packages, and what they need that the system lacks, and unpack them under ``.peers/``."""
    apt = _find_apt()
    state = debian.UNPACKED / ".apt"
    archives = state / "cache" / "archives"
    for folder in (state / "lists" / "partial", archives / "partial"):
        folder.mkdir(parents=True, exist_ok=True)
    options = [*RETRY, "-o", f"Dir::State::lists={state / 'lists'}", "-o", f"Dir::Cache={state / 'cache'}"]
    _run([apt, *options, "-q", "update"])
    wish = ["--no-install-recommends", *packages]
    planned = subprocess.run(
        [apt, *options, "-s", "install", *wish], stdout=subprocess.PIPE, text=True, check=True, timeout=120
    )
    names = [line.split()[1] for line in planned.stdout.splitlines() if line.startswith("Inst ")]
    print(f"peers: fetching {len(names)} packages into {debian.UNPACKED}", flush=True)
    subprocess.run([apt, *options, "-q", "download", *names], check=True, timeout=1200, cwd=archives)
    for archive in sorted(archives.glob("*.deb")):
        _run(["dpkg", "-x", str(archive), str(debian.UNPACKED)])
        archive.unlink()


def _find_apt() -> str:
    apt = shutil.which("apt-get")
    if apt is None:
        raise OSError("no apt-get on this machine: install what is missing by hand")
    return apt


def _run(command: Sequence[str], environment: dict[str, str] | None = None) -> None:
    print(f"peers: {' '.join(command)}", flush=True)
    subprocess.run(command, check=True, timeout=1200, env=environment)


if __name__ == "__main__":
    started = time.monotonic()
    main()
    print(f"  peers looked up in {time.monotonic() - started:.1f} s")
