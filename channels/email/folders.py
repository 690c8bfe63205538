"""Names of IMAP folders: modified UTF-7 (RFC 3501, 5.1.3), quoting, LIST answers, and where sent mail lies."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass

from channels.email.wire import Literal

_ENCODED = re.compile(r"&([A-Za-z0-9+,]*)-")
_LIST = re.compile(rb'^(?:LIST\s+)?\(([^)]*)\)\s+(?:"(?:[^"\\]|\\.)*"|NIL)\s+(.*)$', re.IGNORECASE)
_SENT_NAMES = (
    *("sent", "sent items", "sent messages", "sent mail", "отправленные", "исходящие", "надіслані", "відправлені"),
    *("wysłane", "elementy wysłane", "wiadomości wysłane"),
)


@dataclass(frozen=True, slots=True)
class Folder:
    """One folder: its readable name and its attributes in lower case (`\\sent`, `\\noselect`)."""

    name: str
    attributes: frozenset[str]


def encode_name(name: str) -> str:
    """A readable name as it goes over the wire, quoted."""
    pieces: list[str] = []
    held: list[str] = []
    for char in name:
        if " " <= char <= "~":
            pieces += [_encode_run(held), "&-" if char == "&" else char]
            held = []
        else:
            held.append(char)
    pieces.append(_encode_run(held))
    plain = "".join(pieces).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{plain}"'


def _encode_run(chars: list[str]) -> str:
    if not chars:
        return ""
    coded = base64.b64encode("".join(chars).encode("utf-16-be", "surrogatepass")).decode("ascii")
    return f"&{coded.rstrip('=').replace('/', ',')}-"


def decode_name(wire: bytes) -> str:
    """A name from the wire (no longer quoted) as people read it; servers that send UTF-8 are understood too."""
    if not wire.isascii():
        return wire.decode("utf-8", "replace")
    return _ENCODED.sub(_decode_run, wire.decode("ascii"))


def _decode_run(found: re.Match[str]) -> str:
    if not found[1]:
        return "&"
    coded = found[1].replace(",", "/")
    try:
        return base64.b64decode(coded + "=" * (-len(coded) % 4)).decode("utf-16-be")
    except (binascii.Error, ValueError):
        return found[0]


def read_list(lines: Sequence[bytes]) -> list[Folder]:
    """The folders of a LIST answer."""
    found: list[Folder] = []
    for place, line in enumerate(lines):
        matched = None if isinstance(line, Literal) else _LIST.match(line)
        if matched is None:
            continue
        following = lines[place + 1] if place + 1 < len(lines) else b""
        wire = bytes(following) if isinstance(following, Literal) else _unquoted(matched[2].strip())
        attributes = frozenset(matched[1].decode("ascii", "replace").lower().split())
        found.append(Folder(decode_name(wire), attributes))
    return found


def _unquoted(wire: bytes) -> bytes:
    if len(wire) >= 2 and wire[:1] == wire[-1:] == b'"':
        return re.sub(rb"\\(.)", rb"\1", wire[1:-1])
    return wire


def sent_folder(folders: Sequence[Folder]) -> str | None:
    """The folder for sent mail: by its special use (RFC 6154), else by a customary name."""
    usable = [folder for folder in folders if "\\noselect" not in folder.attributes]
    for folder in usable:
        if "\\sent" in folder.attributes:
            return folder.name
    by_name = {re.split(r"[/.|]", folder.name)[-1].casefold(): folder.name for folder in reversed(usable)}
    return next((by_name[name] for name in _SENT_NAMES if name in by_name), None)
