"""Addresses as people and programs write them: one linear scan, names decoded, domains normalised."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from channels.email.headers import decode_header
from channels.touch import Identity

MOST_ADDRESSES = 200
_LONGEST = 64 * 1024
_ADDRESS = re.compile(r"[^\s@<>(),;:\"\[\]\\\x00-\x1f]{1,200}@[^\s@<>(),;:\"\\\x00-\x1f]{1,253}")
_ANYWHERE = re.compile(r"[^\s@<>(),;:\"\[\]\\]{1,200}@[^\s@<>(),;:\"\[\]\\]{1,253}")


@dataclass(frozen=True, slots=True)
class Address:
    """One mailbox: the normalised address (or what was written, if it is none) and the name before it."""

    value: str
    name: str | None = None
    odd: bool = False

    def identity(self) -> Identity:
        """As the hub knows it."""
        return Identity("email", self.value, self.name, odd=self.odd)


def is_address(text: str) -> bool:
    """Is this one plain address?"""
    return _ADDRESS.fullmatch(text) is not None and len(text) <= 320


@lru_cache(maxsize=4096)
def normalise(address: str) -> str:
    """Case folded, the domain as Unicode (`xn--…` and its spelling are one)."""
    local, at, domain = address.strip().rpartition("@")
    domain = domain.casefold().rstrip(".")
    if "xn--" in domain:
        domain = ".".join(_unicode_label(label) for label in domain.split("."))
    return local.casefold() + at + domain


def _unicode_label(label: str) -> str:
    if not label.startswith("xn--") or len(label) > 63:
        return label
    try:
        return label.encode("ascii").decode("idna")
    except UnicodeError:
        return label


def parse_addresses(raw: bytes, charset: str | None = None) -> list[Address]:
    """All addresses of a header, in order, without repeats. Groups are opened, comments are names of last resort."""
    found: dict[str, Address] = {}
    for piece in _split(raw[:_LONGEST].decode("latin-1")):
        address = _read_one(piece, charset)
        if address is not None:
            found.setdefault(address.value, address)
        if len(found) >= MOST_ADDRESSES:
            break
    return list(found.values())


def _split(value: str) -> list[str]:
    """At commas and semicolons outside of quotes, comments and brackets; group names fall away."""
    pieces: list[str] = []
    start, quoted, depth, angled, skip = 0, False, 0, False, False
    for place, char in enumerate(value):
        if skip or char == "\\":
            skip = not skip and char == "\\"
        elif char == '"' and not depth:
            quoted = not quoted
        elif quoted:
            continue
        elif char in "()":
            depth = depth + 1 if char == "(" else max(0, depth - 1)
        elif char in "<>":
            angled = char == "<"
        elif char in ",;" and not depth and not angled:
            pieces.append(value[start:place])
            start = place + 1
        elif char == ":" and not depth and not angled:
            start = place + 1
    pieces.append(value[start:])
    return [piece.strip() for piece in pieces if piece.strip()]


def _read_one(piece: str, charset: str | None) -> Address | None:
    name, value = "", piece
    opening = piece.rfind("<")
    if opening >= 0:
        closing = piece.find(">", opening)
        value = piece[opening + 1 : closing if closing >= 0 else len(piece)]
        name = piece[:opening]
    comment_at = value.find("(") if opening < 0 else -1
    if comment_at >= 0:
        name, value = value[comment_at:].strip("() "), value[:comment_at]
    value = decode_header(value.strip().strip("'\"").encode("latin-1"), charset)
    if not value:
        return None
    shown = _readable(name, charset)
    if is_address(value):
        return Address(normalise(value), shown if shown and normalise(shown) != normalise(value) else None)
    return _read_odd(value, shown)


def _read_odd(value: str, shown: str | None) -> Address | None:
    inside = _ANYWHERE.search(f"{value} {shown or ''}")
    if inside is not None:
        return Address(normalise(inside[0]), shown)
    if shown is None and value.lower() in {"undisclosed-recipients", "undisclosed recipients"}:
        return None
    return Address(value[:320].casefold(), shown, odd=True)


def _readable(name: str, charset: str | None) -> str | None:
    text = name.strip()
    if len(text) >= 2 and text[0] == text[-1] == '"':
        text = re.sub(r"\\(.)", r"\1", text[1:-1])
    decoded = decode_header(text.encode("latin-1"), charset).strip("\"' ")
    return decoded[:200] or None
