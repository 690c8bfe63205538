"""What one message of a messenger has in it, as it is found out piece by piece. Pure.

Each messenger reads its own shapes into this; what only one of them tells, it adds to a class of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from channels import phone
from channels.touch import Identity

W = TypeVar("W")

MOST_BYTES = 25 * 1024 * 1024
"""The largest file that is fetched, where the vendor himself does not hold back more."""


@dataclass(frozen=True, slots=True)
class Linked:
    """A file that a message refers to by its address. Without a type the answer tells."""

    url: str
    name: str
    media_type: str | None


@dataclass(slots=True)
class Contents(Generic[W]):
    """What was found so far.

    `files` are still to be fetched; `phones` are numbers that the sender has shared as his own, as far as the vendor
    vouches for that. `note`: nobody waits for an answer to it. `remarks` says what cannot be shown.
    """

    text: str = ""
    fields: dict[str, Any] = field(default_factory=dict)
    files: list[W] = field(default_factory=list)
    phones: list[Identity] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    note: bool = False

    def say(self, line: str) -> None:
        """One more line of text."""
        if line:
            self.text = f"{self.text}\n{line}" if self.text else line

    def locate(self, latitude: Any, longitude: Any) -> None:
        """A place, as a field and as a line. Raises `TypeError` or `ValueError` for what is no place."""
        where = f"{float(latitude):.6f}, {float(longitude):.6f}"
        self.fields["location"] = where
        self.say(f"📍 {where}")

    def introduce(self, name: str, number: Identity, *, own: bool) -> None:
        """A shared contact: the sender's own joins his identities, for anybody else's nobody vouches."""
        shown = " ".join(filter(None, (name, number.value)))
        self.say(f"☎ {shown}")
        if own and not number.odd:
            self.phones.append(Identity(number.scheme, number.value, name or None))
            self.fields["phone"] = number.value
        else:
            self.fields["contact"] = shown


def international(written: str) -> Identity:
    """A number as messengers tell it: with its country, and often without the plus."""
    return phone.normalise(written if written.startswith("+") else f"+{written}", "ZZ")
