"""A message as the parts that a messenger takes: the words first, the files with the last of them. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from channels.errors import Rejected
from channels.pieces import split
from channels.touch import Attachment, Message


@dataclass(frozen=True, slots=True)
class Parcel:
    """What goes out in one part: words, files, or both."""

    text: str = ""
    files: tuple[Attachment, ...] = ()


def pack(message: Message, most_text: int, most_files: int) -> list[Parcel]:
    """At least one part. Raises `Rejected` for a message in which nothing is."""
    texts = split(message.text, most_text)
    files = [tuple(message.attachments[at : at + most_files]) for at in range(0, len(message.attachments), most_files)]
    if not texts and not files:
        raise Rejected("the message is empty", remedy="Write something.")
    first = Parcel(texts[-1] if texts else "", files[0] if files else ())
    return [*(Parcel(text) for text in texts[:-1]), first, *(Parcel(files=some) for some in files[1:])]


def recipient_of(message: Message, scheme: str, who: str) -> str:
    """The first recipient that the channel can write to. `who` is how people call it. Raises `Rejected`."""
    for one in message.to:
        if one.scheme == scheme and not one.odd:
            return one.value
    raise Rejected(f"there is nobody of {who} among the recipients", remedy="Answer on another channel.")
