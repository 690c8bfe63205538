"""A talk whose other side follows it live, free of framework types and of the database.

The log is the talk's memory, so that any process can serve a visitor, whichever of them listens, sends, or wrote the
message; hints only say when to read again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from channels.touch import Attachment, Direction, Identity


@dataclass(frozen=True, slots=True)
class SaidFile:
    """A file of a message, by its number in the log."""

    id: int
    name: str
    media_type: str
    size: int


@dataclass(frozen=True, slots=True)
class Said:
    """One message between us and somebody, as the log holds it: what he wrote, or what we wrote and is out.

    `state` is that of the delivery (`sent`, `delivered`, `read`; "" for what he wrote); `name` is our operator's.
    """

    id: int
    external_id: str | None
    direction: Direction
    at: datetime
    text: str
    name: str | None = None
    state: str = ""
    files: tuple[SaidFile, ...] = ()


@dataclass(frozen=True, slots=True)
class Talk:
    """What was said with one identity on a line, oldest first, and whether one of ours is writing to him just now.

    `clients` and `conversations` are what the hub's hints of changes speak of.
    """

    messages: tuple[Said, ...] = ()
    writing: bool = False
    clients: frozenset[int] = frozenset()
    conversations: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Attendance:
    """Is somebody there who could answer now? If not, `opens_at` is when the calendar opens next (None: open now)."""

    present: bool
    opens_at: datetime | None = None


class HintOf(StrEnum):
    """What a hint speaks of: a talk, who is there to answer, or anything at all (hints may have been missed)."""

    TALK = "talk"
    ATTENDANCE = "attendance"
    ANYTHING = "anything"


@dataclass(frozen=True, slots=True)
class Hint:
    """Something has changed: read again. A talk's names its client or its conversation, whichever is known."""

    of: HintOf
    client: int | None = None
    conversation: int | None = None


class Talks(Protocol):
    """What the hub offers about the talks of one line."""

    async def read(self, who: Identity) -> Talk:
        """The newest two hundred messages with somebody on this line; none for a stranger."""

    async def file(self, who: Identity, number: int) -> Attachment | None:
        """A file of one of those messages."""

    async def attendance(self) -> Attendance:
        """Whether anybody of the line's team is there now."""

    async def note_presence(self, who: Identity, here: bool) -> None:
        """He follows the talk (say so every minute), or does not any more. Nothing is kept of strangers."""

    async def note_typing(self, who: Identity, on: bool) -> None:
        """He is typing (say so every few seconds), or has stopped. Nothing is kept of it."""

    def watch(self, ring: Callable[[Hint], None]) -> Callable[[], None]:
        """Call `ring` on the loop for every change, until what this answers is called."""


class NoTalks:
    """Nobody was ever here, and nobody is."""

    async def read(self, who: Identity) -> Talk:
        return Talk()

    async def file(self, who: Identity, number: int) -> Attachment | None:
        return None

    async def attendance(self) -> Attendance:
        return Attendance(False)

    async def note_presence(self, who: Identity, here: bool) -> None:
        return None

    async def note_typing(self, who: Identity, on: bool) -> None:
        return None

    def watch(self, ring: Callable[[Hint], None]) -> Callable[[], None]:
        return lambda: None


NO_TALKS = NoTalks()
