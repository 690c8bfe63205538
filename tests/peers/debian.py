"""Programs that come from Debian: installed in the system, or unpacked under ``.peers/`` when we may not install."""

import functools
import os
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.peers.process import clean_environment

UNPACKED = Path(__file__).resolve().parents[2] / ".peers"
SYSTEM = Path("/")


@dataclass(frozen=True, slots=True)
class Program:
    """An executable and the tree it was found in."""

    path: Path
    root: Path

    def beside(self, path: str) -> Path:
        """Another file of the same tree, by its absolute path in the package."""
        return self.root / path.lstrip("/")

    @property
    def environment(self) -> dict[str, str]:
        """What the program needs to find its libraries."""
        if self.root == SYSTEM:
            return {}
        folders = ["usr/lib/dovecot", *(f"{lib}/{_triplet()}" for lib in ("usr/lib", "lib")), "usr/lib", "lib"]
        return {
            "LD_LIBRARY_PATH": ":".join(str(self.root / folder) for folder in folders),
            "PATH": f"{self.root}/usr/bin:{self.root}/usr/sbin:{clean_environment()['PATH']}",
        }

    def in_place(self, *arguments: object) -> list[str]:
        """The command that runs the program at the place it was compiled for, whatever paths it has built in.

        An unpacked program sees a ``/usr`` of its own, with its packages laid over the system's; the second
        namespace gives it back the account we run as, for it would behave differently as root.
        """
        if self.root == SYSTEM:
            return [str(word) for word in (self.path, *arguments)]
        mount = f'mount -t overlay overlay -o lowerdir="{self.root}/usr:/usr" /usr'
        back = f"unshare --user --map-user={os.getuid()} --map-group={os.getgid()}"
        outer = [_find_unshare(), "--user", "--map-root-user", "--mount"]
        place = f"/{self.path.relative_to(self.root)}"
        return [
            *outer,
            "/bin/sh",
            "-c",
            f'{mount} && exec {back} "$@"',
            "sh",
            place,
            *(str(word) for word in arguments),
        ]

    @property
    def origin(self) -> str:
        """For people: where it was found."""
        return "system" if self.root == SYSTEM else "unpacked in .peers/"


def find_program(path: str) -> Program | None:
    """Look for a program by its absolute path in Debian: in the system first, then unpacked, then anywhere on PATH."""
    for root in (SYSTEM, UNPACKED):
        candidate = root / path.lstrip("/")
        if candidate.is_file():
            return Program(candidate, root)
    elsewhere = shutil.which(Path(path).name, path=clean_environment()["PATH"])
    return Program(Path(elsewhere), SYSTEM) if elsewhere else None


def _find_unshare() -> str:
    return shutil.which("unshare", path=clean_environment()["PATH"]) or "unshare"


@functools.cache
def _triplet() -> str:
    return f"{platform.machine()}-linux-gnu"
