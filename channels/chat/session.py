"""A visitor's session: a random name for his browser, proved by our signature. We keep no list of them. Pure but for
the random name."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from channels.touch import Identity

SCHEME = "chat"

_TOKEN = re.compile(r"([0-9a-f]{24})\.(\d{1,12})\.([a-z0-9]{8,64})")
_CLOCKS_DIFFER = timedelta(minutes=10)
_RENEW = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Sessions:
    """Opens and recognises the sessions of one line. `life` is how long a token is good for after it was given."""

    line: str
    sign: Callable[[str], str]
    life: timedelta

    def open(self, now: datetime) -> tuple[str, str]:
        """A new session: its name and its token."""
        name = secrets.token_hex(12)
        return name, self.token(name, now)

    def token(self, name: str, now: datetime) -> str:
        """What the browser keeps."""
        issued = int(now.timestamp())
        return f"{name}.{issued}.{self._signature(name, issued)}"

    def read(self, token: object, now: datetime) -> str | None:
        """Whose token it is; None for one that is forged, of another line, or too old."""
        found = _TOKEN.fullmatch(token) if isinstance(token, str) and len(token) < 120 else None
        if found is None:
            return None
        issued = int(found[2])
        if not hmac.compare_digest(self._signature(found[1], issued), found[3]):
            return None
        age = now.timestamp() - issued
        return found[1] if -_CLOCKS_DIFFER.total_seconds() <= age <= self.life.total_seconds() else None

    def age(self, token: str, now: datetime) -> float:
        """For how many seconds a good token has been in the browser."""
        return now.timestamp() - int(token.split(".")[1])

    def renew(self, token: str, name: str, now: datetime) -> str:
        """The same token while it is young, so that several tabs agree; then a fresh one."""
        issued = int(token.split(".")[1])
        return token if now.timestamp() - issued < _RENEW.total_seconds() else self.token(name, now)

    def key(self, name: str, number: int) -> str:
        """What opens one file of a session's talk, and nothing else."""
        return self.sign(f"chat file {self.line} {name} {number}")

    def opens(self, name: str, number: int, key: str) -> bool:
        """Is it the key to this file?"""
        return hmac.compare_digest(self.key(name, number).encode(), key.encode())

    def _signature(self, name: str, issued: int) -> str:
        return self.sign(f"chat session {self.line} {name} {issued}")


def identity_of(name: str, called: str | None = None) -> Identity:
    """The identity that a session is in the log."""
    return Identity(SCHEME, name, called, anonymous=True)
