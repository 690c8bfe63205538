"""What can be wrong with a calendar: always which key, what about it, and what to do."""

from __future__ import annotations

from difflib import get_close_matches

from pydantic_core import PydanticCustomError


class BadCalendar(ValueError):
    """A calendar that cannot be worked with: `key` names the place in the set-up, `remedy` the way out."""

    def __init__(self, key: str, reason: str, remedy: str) -> None:
        super().__init__(f"{key}: {reason}; {remedy}")
        self.key = key
        self.reason = reason
        self.remedy = remedy


class NeverOpens(BadCalendar):
    """A walk met no open time for years on end: an error, never an endless loop."""


def fault(reason: str, remedy: str) -> PydanticCustomError:
    """A fault found while a table is read; pydantic adds which key it was, and `ctx` keeps both halves."""
    return PydanticCustomError("calendar", "{reason}; {remedy}", {"reason": reason, "remedy": remedy})


def suggestion(word: str, known: list[str], otherwise: str) -> str:
    """`did you mean "x"?` for the nearest known word, else what else to say."""
    near = get_close_matches(word, known, n=1, cutoff=0.6) or [each for each in known if each.lower() == word.lower()]
    return f'did you mean "{near[0]}"?' if near else otherwise
