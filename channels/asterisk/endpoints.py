"""Whose telephone stands behind a channel name: an operator's, somebody's outside, or a Local conduit. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache

_INSTANCE = re.compile(r"-[0-9A-Fa-f]+(?=$|<|;)")
_SHORT = re.compile(r"\d{2,6}", re.ASCII)
_NUMBER = re.compile(r"\+?\d{3,}", re.ASCII)


class Side(Enum):
    """Where a channel leads."""

    PHONE = "phone"
    OUTSIDE = "outside"
    LOCAL = "local"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A device. `extension` is that of a phone; for a Local channel, what it dials."""

    side: Side
    device: str
    extension: str | None = None


def device_of(channel: str) -> str:
    """`PJSIP/101-0000001a` -> `PJSIP/101`; `Local/102@internal-00000000;1` -> `Local/102@internal`."""
    name = channel.split("<", 1)[0]
    if name.startswith("Local/"):
        name = name.rpartition(";")[0] or name
    found = list(_INSTANCE.finditer(name))
    return name[: found[-1].start()] if found else name


def local_pair(channel: str) -> tuple[str, str] | None:
    """`Local/102@internal-00000000;1` -> the pair's name and which half it is."""
    if not channel.startswith("Local/"):
        return None
    name, semicolon, half = channel.rpartition(";")
    return (name, half) if semicolon and half in ("1", "2") else None


@dataclass(slots=True)
class Endpoints:
    """Tells phones from trunks by what the house knows: its extensions, the members of queues, the look of the name.

    `interface` is the pattern by which extensions are dialled ("PJSIP/{extension}"); `extensions()` maps the extensions
    of the operators to their keys; `trunks` are names that are trunks whatever they look like.
    """

    interface: str
    extensions: Callable[[], Mapping[str, str]]
    trunks: frozenset[str] = frozenset()
    members: set[str] = field(default_factory=set)
    _pattern: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        before, _, after = self.interface.partition("{extension}")
        self._pattern = re.compile(re.escape(before) + r"([^/@]+)" + re.escape(after))

    def of(self, channel: str) -> Endpoint:
        """The device behind a channel name."""
        device = device_of(channel)
        short = device.partition("/")[2]
        if device in self.trunks or short in self.trunks:
            return Endpoint(Side.OUTSIDE, device)
        if (found := self.extension_of(device)) is not None:
            return Endpoint(Side.LOCAL if device.startswith("Local/") else Side.PHONE, device, found)
        if device.startswith("Local/"):
            return Endpoint(Side.LOCAL, device, short.partition("@")[0])
        if _SHORT.fullmatch(short):
            return Endpoint(Side.PHONE, device, short)
        return Endpoint(Side.OUTSIDE, device)

    def extension_of(self, device: str) -> str | None:
        """The extension of a phone that the house knows: an operator's, or a member of a queue."""
        plain = device.removesuffix("/n")
        found = self._pattern.fullmatch(plain) or self._pattern.fullmatch(device)
        if found is not None and (found[1] in self.extensions() or plain in self.members):
            return found[1]
        short = plain.partition("/")[2].partition("@")[0]
        return short if short in self.extensions() or plain in self.members else None

    def interface_of(self, extension: str) -> str:
        """How an extension is dialled."""
        return self.interface.replace("{extension}", extension)

    def note_member(self, interface: str) -> None:
        """What is a member of a queue is somebody's phone."""
        if interface and len(self.members) < 10_000:
            self.members.add(interface.removesuffix("/n"))


@lru_cache(maxsize=4096)
def number_in(dial_string: str) -> str | None:
    """The number in what was dialled: `7926…@trunk`, `trunk/7926…`, `PJSIP/trunk/sip:7926…@host`, `7926…`."""
    for part in reversed(dial_string.split("/")):
        number = part.removeprefix("sip:").partition("@")[0].partition(":")[0]
        if _NUMBER.fullmatch(number):
            return number
    return None
