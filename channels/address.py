"""Email addresses as identities: casefolded, domains in letters rather than punycode. Pure."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import idna

from channels.touch import Identity

SCHEME = "email"

_LONGEST = 1000  # RFC 5321 allows 254; the rest is a name before it

_ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]\\]{1,64}@[^\s@<>,;:\"()\[\]\\/?!]{1,255}")
_WHOLE = re.compile(r"[^\s@<>,;:\"()\[\]\\]+@(?:[^\W_](?:[\w-]*[^\W_])?\.)+[^\W\d_][\w-]*[^\W_]")
_NAMED = re.compile(r"\s*\"?([^\"<>@]*?)\"?\s*<\s*([^<>\s]+)\s*>\s*")


def normalise(text: str) -> Identity:
    """The identity behind one address, with or without a name before it (`Anna <a@b.pl>`).

    What does not look like an address is kept as written with `odd=True`.
    """
    return _normalise(text) if len(text) <= _LONGEST else Identity(SCHEME, text.strip(), odd=True)


def read_addresses(text: str) -> list[Identity]:
    """All addresses in a text, in the order written, without repeats; none that is odd."""
    if "@" not in text:
        return []
    if len(text) <= _LONGEST and _WHOLE.fullmatch(text):
        return [_normalise(text)]
    found = (_normalise(match[0].rstrip(".'")) for match in _ADDRESS.finditer(text))
    return list({identity.value: identity for identity in found if not identity.odd}.values())


@lru_cache(maxsize=8192)
def _normalise(text: str) -> Identity:
    written, name = text, None
    if "<" in text and (named := _NAMED.fullmatch(text)):
        name, written = named[1].strip() or None, named[2]
    bare = unicodedata.normalize("NFC", written.strip(" \t\r\n.,;<>")).casefold().removeprefix("mailto:")
    if not _WHOLE.fullmatch(bare):
        return Identity(SCHEME, text.strip(), name, odd=True)
    local, _, domain = bare.rpartition("@")
    return Identity(SCHEME, f"{local}@{_letters(domain)}", name)


def _letters(domain: str) -> str:
    """`xn--e1afmkfd.xn--p1ai` and `пример.рф` are one domain: operators read the letters."""
    if "xn--" not in domain:
        return domain
    try:
        return idna.decode(domain)
    except idna.IDNAError:
        return domain
