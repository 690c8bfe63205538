"""Which of our four languages a text is in, by the letters that only it has. None where nothing tells."""

from __future__ import annotations

_TELLING = (
    ("uk", frozenset("іїєґІЇЄҐ")),
    ("ru", frozenset("ыэъёЫЭЪЁ")),
    ("pl", frozenset("ąćęłńśźżĄĆĘŁŃŚŹŻ")),
)
_SAMPLE = 4000


def recognise(text: str) -> str | None:
    """ "ru", "uk", "pl", "en" or None."""
    sample = text[:_SAMPLE]
    counts = {language: sum(1 for char in sample if char in letters) for language, letters in _TELLING}
    best = max(counts, key=lambda language: counts[language])
    if counts[best]:
        return best
    letters = [char for char in sample if char.isalpha()]
    if not letters:
        return None
    if any("а" <= char.lower() <= "я" for char in letters):
        return "ru"
    return "en" if len(letters) >= 20 and all(char.isascii() for char in letters) else None
