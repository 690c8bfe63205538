"""Bytes to text when the sender may be wrong about the charset. Nothing is lost: the last resort never fails."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable
from functools import lru_cache

# Control characters and lone surrogates: no database keeps them, no reader misses them.
_UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_TEXTUAL = re.compile(r"utf|cp\d|iso8859|koi8|mac|ascii|latin")
_CENTRAL_EUROPE = frozenset(["PL", "CZ", "SK", "HU", "SI", "HR"])


@lru_cache(maxsize=64)
def known(name: str | None) -> str | None:
    """The codec's own name of a charset, or None for one that is unknown or no charset at all (`zlib`, `idna`)."""
    if not name:
        return None
    try:
        found = codecs.lookup(name.strip(" \"'")).name
    except (LookupError, ValueError):
        return None
    return found if _TEXTUAL.match(found) else None


def guess(pieces: Iterable[bytes], declared: str | None, region: str) -> str:
    """The charset of a post: as declared if that can be, UTF-8 if it is, else what old sites of the region write."""
    data = b" ".join(pieces)
    for name in (declared, "utf-8"):
        if name is None:
            continue
        try:
            data.decode(name)
        except UnicodeDecodeError:
            continue
        return name
    return "cp1250" if region in _CENTRAL_EUROPE else "cp1251"


def is_clean(text: str) -> bool:
    """Whether `clean` would leave it as it is."""
    return "\r" not in text and _UNFIT.search(text) is None


def clean(text: str) -> str:
    """Line ends as `\\n`, without characters that cannot be kept."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _UNFIT.sub("\ufffd", text) if _UNFIT.search(text) else text
