"""Proving our own tokens: the plus-address and the Message-ID of what we send.

    support+c123.SIGNATURE@example.org          plus-address of conversation 123
    <c123.REFERENCE.SIGNATURE@example.org>      Message-ID of a delivery in conversation 123 (c0: in none)

Whoever invents one without the signature is ignored. The signature is compared without case, since mail servers on
the way may fold the local part.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass

Sign = Callable[[str], str]

_PLUS = re.compile(r"\+c(\d{1,18})\.([A-Za-z0-9_=-]{4,128})$")
_OWN_ID = re.compile(r"<c(\d{1,18})\.([A-Za-z0-9_=-]{1,400})\.([A-Za-z0-9_=-]{4,128})@[^<>\s]{1,255}>")
_UNSAFE = re.compile(rb"[^A-Za-z0-9_-]")


@dataclass(frozen=True, slots=True)
class OwnId:
    """What a proven Message-ID of ours says."""

    conversation: int | None
    reference: str


def own_message_id(sign: Sign, reference: str, conversation: int | None, domain: str) -> str:
    """The Message-ID under which this delivery goes out, the same every time it is asked for."""
    number, safe = conversation or 0, _escape(reference)
    return f"<c{number}.{safe}.{_id_signature(sign, number, safe)}@{domain}>"


def read_own_id(sign: Sign, message_id: str) -> OwnId | None:
    """What our Message-ID says, or None if it is not ours or forged."""
    found = _OWN_ID.fullmatch(message_id)
    if found is None:
        return None
    number, safe, signature = int(found[1]), found[2], found[3]
    if not _same(signature, _id_signature(sign, number, safe)):
        return None
    return OwnId(number or None, _unescape(safe))


def looks_own(message_id: str) -> bool:
    """Does it have the shape of ours, proven or not?"""
    return _OWN_ID.fullmatch(message_id) is not None


def find_own_ids(sign: Sign, text: str) -> list[str]:
    """Proven Message-IDs of ours quoted anywhere in a text (bounces of servers that return no headers)."""
    return [found[0] for found in _OWN_ID.finditer(text) if read_own_id(sign, found[0]) is not None]


def plus_address(sign: Sign, address: str, conversation: int) -> str:
    """Our address with the conversation in it."""
    local, _, domain = address.rpartition("@")
    return f"{local}+c{conversation}.{_plus_signature(sign, conversation)}@{domain}"


def read_plus_address(sign: Sign, address: str) -> int | None:
    """The conversation that a plus-address proves, or None."""
    found = _PLUS.search(address.rpartition("@")[0])
    if found is None:
        return None
    number = int(found[1])
    return number if number and _same(found[2], _plus_signature(sign, number)) else None


def without_plus_token(address: str) -> str:
    """The address as it would be without our token (`support+c1.x@y` -> `support@y`)."""
    local, at, domain = address.rpartition("@")
    return _PLUS.sub("", local) + at + domain


def _id_signature(sign: Sign, number: int, safe_reference: str) -> str:
    return sign(f"email message-id c{number}.{safe_reference}")


def _plus_signature(sign: Sign, number: int) -> str:
    return sign(f"email plus-address c{number}")


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.casefold().encode(), other.casefold().encode())


def _escape(reference: str) -> str:
    return _UNSAFE.sub(lambda found: b"=%02X" % found[0][0], reference.encode()).decode("ascii")


def _unescape(safe: str) -> str:
    raw = re.sub(rb"=([0-9A-Fa-f]{2})", lambda found: bytes([int(found[1], 16)]), safe.encode())
    return raw.decode("utf-8", "replace")
