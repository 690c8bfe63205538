"""One user's mail on the disk of the Dovecot peer: drop mails in, look at what is there."""

import asyncio
import itertools
import os
import time
from dataclasses import dataclass
from pathlib import Path

from tests.peers.workshop import Account, give

DOMAIN = "office.example"
_serial = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A maildir with the credentials that open it over IMAP."""

    user: str
    password: str
    maildir: Path
    account: Account

    @property
    def address(self) -> str:
        """The mail address that ends up here (plus-addresses do too)."""
        return f"{self.user}@{DOMAIN}"

    def deliver(self, raw: bytes, folder: str = "INBOX") -> Path:
        """Write a mail as a delivery agent does (tmp, then rename into new); returns its file."""
        place = self._place(folder)
        self._make(place)
        name = f"{time.time():.0f}.P{os.getpid()}Q{next(_serial):07d}.touchline"
        temporary = place / "tmp" / name
        temporary.write_bytes(raw)
        temporary.chmod(0o600)
        give(temporary, self.account)
        return temporary.rename(place / "new" / name)

    def mails(self, folder: str = "INBOX") -> list[bytes]:
        """The raw mails of a folder, oldest first."""
        place = self._place(folder)
        files = [file for part in ("new", "cur") for file in (place / part).glob("*")]
        return [file.read_bytes() for file in sorted(files, key=lambda file: (file.stat().st_mtime_ns, file.name))]

    async def wait_for(self, count: int = 1, folder: str = "INBOX", seconds: float = 60.0) -> list[bytes]:
        """Wait until a folder holds at least so many mails."""
        deadline = time.monotonic() + seconds
        while len(found := self.mails(folder)) < count:
            if time.monotonic() > deadline:
                raise AssertionError(f"{self.user}/{folder} holds {len(found)} mails after {seconds} s, not {count}")
            await asyncio.sleep(0.02)
        return found

    def _place(self, folder: str) -> Path:
        return self.maildir if folder == "INBOX" else self.maildir / f".{folder.replace('/', '.')}"

    def _make(self, place: Path) -> None:
        for path in (self.maildir.parent, self.maildir, place, *(place / part for part in ("tmp", "cur", "new"))):
            if not path.exists():
                path.mkdir(mode=0o700)
                give(path, self.account)
