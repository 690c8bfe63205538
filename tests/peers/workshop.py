"""Where peers live while the tests run: one temporary folder, free ports, and an account that is not root.

The folder's lock is held for as long as the process lives, so the next run recognises what a killed run left
behind and sweeps it out.
"""

import atexit
import fcntl
import functools
import grp
import os
import pwd
import random
import shutil
import socket
import tempfile
from dataclasses import dataclass
from pathlib import Path

PREFIX = "touchline-peers-"
# Below the kernel's ephemeral range: no outgoing connection can take the port of a server that is down for a moment.
PORTS = range(20000, 32000)
MEDIA = range(12000, 20000, 8)
"""The first ones of telephones for what is spoken."""

_handed_out: set[int] = set()
_held: list[int] = []
_book: list[int] = []


@dataclass(frozen=True, slots=True)
class Account:
    """Who a server runs as; ``-1`` means "as we are"."""

    uid: int
    gid: int
    name: str
    group: str


@functools.cache
def unprivileged() -> Account:
    """``nobody`` when we are root (many servers refuse root), else ourselves."""
    if os.getuid() == 0:
        entry = pwd.getpwnam("nobody")
        return Account(entry.pw_uid, entry.pw_gid, "nobody", grp.getgrgid(entry.pw_gid).gr_name)
    return Account(-1, -1, pwd.getpwuid(os.getuid()).pw_name, grp.getgrgid(os.getgid()).gr_name)


def give(path: Path, account: Account) -> Path:
    """Hand a file or folder over to an account."""
    if account.uid >= 0:
        os.chown(path, account.uid, account.gid)
    return path


def make_folder(name: str, account: Account | None = None) -> Path:
    """A new empty folder for one peer, owned by the account it runs as."""
    made = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=folder()))
    made.chmod(0o755)
    return give(made, account) if account else made


def remove_folder(made: Path) -> None:
    """Remove a peer's folder, whatever its servers are still writing."""
    shutil.rmtree(made, ignore_errors=True)


def free_port() -> int:
    """A port on 127.0.0.1 that nobody uses, over TCP or UDP, and that nobody is given while this process lives."""
    return _choose(PORTS)


def media_port() -> int:
    """A port of which the next seven are free for us, too."""
    return _choose(MEDIA)


def _choose(among: range) -> int:
    for _ in range(200):
        port = random.SystemRandom().choice(among)
        if reserve(port):
            return port
    raise RuntimeError(f"no free port between {among.start} and {among.stop}")


def reserve(port: int) -> bool:
    """Whether the port is ours now: other processes that test on this machine keep off it.

    What gets a port may not listen on it for a while (a telephone of the exchange): trying it out is not enough.
    """
    if port in _handed_out:
        return False
    try:
        fcntl.lockf(_open_book(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except OSError:
        return False
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(type=kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                release(port)
                return False
    _handed_out.add(port)
    return True


def release(port: int) -> None:
    """Somebody else may have it."""
    fcntl.lockf(_open_book(), fcntl.LOCK_UN, 1, port)
    _handed_out.discard(port)


def _open_book() -> int:
    """A file: each process locks the bytes whose numbers are its ports, and the kernel forgets those of the dead."""
    if not _book:
        path = Path(tempfile.gettempdir()) / f"touchline-ports-{os.getuid()}"
        _book.append(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    return _book[0]


def reachable(path: Path) -> bool:
    """Whether every account may walk to this path and read it (a venv under /root may not be)."""
    path = path.resolve()
    return all(parent.stat().st_mode & 0o001 for parent in path.parents) and bool(path.stat().st_mode & 0o004)


@functools.cache
def folder() -> Path:
    """The one folder of this run, under which every peer has its own."""
    _sweep()
    root = Path(tempfile.mkdtemp(prefix=PREFIX))
    root.chmod(0o755)
    lock = os.open(root / ".lock", os.O_CREAT | os.O_RDWR)
    fcntl.flock(lock, fcntl.LOCK_EX)
    _held.append(lock)
    atexit.register(remove_folder, root)
    return root


def _sweep() -> None:
    """Remove the folders whose process is gone."""
    for old in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        try:
            lock = os.open(old / ".lock", os.O_RDWR)
        except OSError:  # another user's, or being made this moment
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(old, ignore_errors=True)
        except BlockingIOError:
            pass
        finally:
            os.close(lock)
