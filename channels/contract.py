"""The contract between the hub and a channel: free of framework types and of the database.

A channel folder offers, in its `__init__`:

    Settings                       a pydantic model of the line's own keys (`extra="forbid"`)
    create(line, settings, door)   -> Channel
    parse_again(line, settings, raw, media_type, at, door) -> Touch | None      the raw bytes read once more

and `registry.py` finds it by its folder name: there is no list to edit.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, Protocol

from channels.touch import Message, Receipt, Sent, Touch, Webhook, WebhookAnswer


class LineState(StrEnum):
    """The three outcomes of starting a line."""

    RUNNING = "running"
    WILL_RETRY = "will_retry"
    NEEDS_PERSON = "needs_person"


@dataclass(frozen=True, slots=True)
class Health:
    """How a line is, why, and what a person can do about it."""

    state: LineState
    reason: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The hub's answer to a touch after it is committed.

    `again` = it was in the log before. `answer_by` = when the promise that it started is due.
    """

    interaction: int | None
    again: bool = False
    answer_by: datetime | None = None


class Memory(Protocol):
    """What a line remembers between runs (last IMAP UID, bot offset): small strings, committed at once."""

    async def recall(self, key: str) -> str | None: ...

    async def keep(self, key: str, value: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Door:
    """What hub hands to a channel.

    `deliver` returns only after the touch is committed; only then may the channel acknowledge to its source. Deliver
    touches concurrently where the source allows it: the hub commits what has queued up together.
    `sign(text)` gives a short url-safe signature, so that a channel can prove its own plus-addresses and Message-IDs.
    `own_addresses()` are the normalised addresses of all our lines and operators (to recognise our own mail).
    """

    deliver: Callable[[Touch], Awaitable[Accepted]]
    report: Callable[[Receipt], Awaitable[None]]
    health: Callable[[Health], None]
    memory: Memory
    now: Callable[[], datetime]
    sign: Callable[[str], str]
    own_addresses: Callable[[], frozenset[str]]


class Channel(Protocol):
    """One running line."""

    async def listen(self) -> None:
        """Hear and deliver until cancelled. Raises `ChannelError`; the hub's supervisor decides when to start again."""

    async def check(self) -> Health:
        """Really connect and sign in, then leave. Never raises for what the outside world does."""

    async def send(self, message: Message) -> Sent:
        """Hand one message over. Raises `ChannelError`."""

    async def was_sent(self, message: Message) -> Sent | Literal[False] | None:
        """After a crash: is this message out? What `send` would have answered, False if not, None = cannot be known."""

    async def receive(self, webhook: Webhook) -> WebhookAnswer:
        """Answer a webhook, after everything in it is committed. Channels without one answer 404."""

    async def close(self) -> None:
        """Let go of connections."""


class ChannelModule(Protocol):
    """What a channel folder's `__init__` offers."""

    Settings: type[Any]

    def create(self, line: str, settings: Any, door: Door) -> Channel: ...

    def parse_again(
        self, line: str, settings: Any, raw: bytes, media_type: str, at: datetime, door: Door
    ) -> Touch | None: ...
