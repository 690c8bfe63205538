"""What we have handed over, noted in the line's memory so that nothing goes out twice. Shared by both gateways.

`out REFERENCE` is "part UDH-REFERENCE IDS" while some parts are out, "handing UDH-REFERENCE IDS" while one is on its
way, "done - IDS" at the end. After a crash "handing" means that nobody can know: an SMSC cannot be asked.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from channels import phone
from channels.contract import Memory
from channels.errors import Rejected, Throttled
from channels.sms.parts import as_sent, measure
from channels.sms.quiet import loud_again
from channels.sms.settings import Common
from channels.touch import Message, Sent

HANDING, PART, DONE = "handing", "part", "done"


@dataclass(frozen=True, slots=True)
class Note:
    """How far a message has come. `reference` joins its parts in the phone."""

    word: str = ""
    reference: int = 0
    ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Letter:
    """What a message is as SMS: one recipient and a plain text."""

    to: str
    text: str


def letter_of(message: Message, settings: Common) -> Letter:
    """Raises `Rejected` for what SMS cannot carry, before anything has gone out."""
    numbers = [one for one in message.to if one.scheme == phone.SCHEME]
    if not numbers:
        raise Rejected("there is no telephone number among the recipients", remedy="Answer on another channel.")
    to = numbers[0].value
    if numbers[0].odd or not to.removeprefix("+").isdecimal():
        raise Rejected(f"{to} is not a number that can be answered", remedy="Answer on another channel.")
    if message.attachments:
        raise Rejected("SMS carries no files", remedy="Send a link to the file, or send it on another channel.")
    text = as_sent(message.text)
    parts = measure(text).parts
    if not parts:
        raise Rejected("the message is empty", remedy="Write something.")
    if parts > settings.most_parts:
        raise Rejected(
            f"the text is {parts} SMS long, and this line sends at most {settings.most_parts}",
            remedy="Write less, or raise most_parts of the line.",
        )
    return Letter(to, text)


def wait_for_morning(message: Message, to: str, settings: Common, now: datetime) -> None:
    """Raises `Throttled` while it is quiet where the recipient lives."""
    if settings.quiet is None:
        return
    if settings.quiet_for == "unasked" and message.replies_to is not None and not message.automatic:
        return
    loud = loud_again(settings.quiet, to, settings.zone, now)
    if loud is not None:
        seconds = max((loud - now).total_seconds(), 1.0)
        raise Throttled("quiet hours where the recipient lives", retry_after=seconds)


class Outbox:
    """The notes of one line."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory

    async def read(self, message: Message) -> Note:
        """How far this message has come."""
        kept = await self._memory.recall(f"out {message.reference}")
        if not kept:
            return Note()
        word, reference, *ids = kept.split(" ")
        return Note(word, int(reference), tuple(ids))

    async def write(self, message: Message, note: Note, word: str | None = None) -> Note:
        """Note how far it is, with another word if one is given."""
        note = note if word is None else replace(note, word=word)
        await self._memory.keep(f"out {message.reference}", " ".join((note.word, str(note.reference), *note.ids)))
        return note

    async def was_sent(self, message: Message) -> Sent | Literal[False] | None:
        """`Sent`: all of it was taken. False: the next part never went out. None: nobody can know."""
        note = await self.read(message)
        if note.word == DONE:
            return Sent(note.ids[0])
        return None if note.word == HANDING else False
