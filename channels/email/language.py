"""Which of our four languages a text is in, by the letters that only it has. None where nothing tells."""

from __future__ import annotations

_TELLING = (
    ("uk", frozenset("іїєґІЇЄҐ")),
    ("ru", frozenset("ыэъёЫЭЪЁ")),
    ("pl", frozenset("ąćęłńśźżĄĆĘŁŃŚŹŻ")),
)
_SAMPLE = 1500


def recognise(text: str) -> str | None:
    """ "ru", "uk", "pl", "en" or None."""
    sample = text[:_SAMPLE]
    used = set(sample)
    counts = {language: sum(map(sample.count, letters & used)) for language, letters in _TELLING}
    best = max(counts, key=lambda language: counts[language])
    if counts[best]:
        return best
    letters = {char for char in used if char.isalpha()}
    if not letters:
        return None
    if any("а" <= char.lower() <= "я" for char in letters):
        return "ru"
    if not all(char.isascii() for char in letters):
        return None
    return "en" if sum(map(sample.count, letters)) >= 20 else None
