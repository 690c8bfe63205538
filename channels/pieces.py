"""A long text as the messages that a messenger takes: cut where a reader pauses, never inside a letter. Pure.

Lengths are counted in UTF-16 units, as most messengers count them.
"""

from __future__ import annotations

import unicodedata

_JOINERS = frozenset("\u200d\ufe0e\ufe0f")
_BREAKS = ("\n\n", "\n", ". ", "! ", "? ", "; ", ", ", " ")


def units(text: str) -> int:
    """The length in UTF-16 units: what lies beyond the first 65,536 characters of Unicode counts twice."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "replace")) // 2


def split(text: str, most: int) -> list[str]:
    """Pieces of at most `most` units, cut where a paragraph, a line, a sentence or a word ends."""
    pieces = []
    rest = text.strip()
    while units(rest) > most:
        cut = _cut(rest, most)
        pieces.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return [piece for piece in (*pieces, rest) if piece]


def _cut(text: str, most: int) -> int:
    end = most if text[:most].isascii() else _reach(text, most)
    for mark in _BREAKS:
        found = text.rfind(mark, end // 2, end)
        if found > 0:
            return found + len(mark)
    while end > 1 and _clings(text, end):
        end -= 1
    return end


def _reach(text: str, most: int) -> int:
    """How many characters fit into so many units."""
    used = 0
    for position, letter in enumerate(text):
        used += 2 if ord(letter) > 0xFFFF else 1
        if used > most:
            return position
    return len(text)


def _clings(text: str, position: int) -> bool:
    """Does the character at this place belong to the one before it (an accent, a joined emoji)?"""
    letter = text[position]
    return unicodedata.combining(letter) != 0 or letter in _JOINERS or text[position - 1] == "\u200d"
