"""Blanks in texts to clients: `{{ client }}`, `{{ due|soon }}`. Pure.

A blank has a name, and may have words for when there is nothing to fill it with. Nothing is computed in a text, so no
text can do harm; a name that nobody knows is an error when the set-up is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from hub.setup.problem import suggest

NAMES = ("client", "operator", "company", "team", "line", "due", "conversation")
"""`due`: when we have promised to answer, in local words. `field.NAME` is what the client filled in a form, or what
his card says under that name."""
FIELD = "field."
ALWAYS = frozenset({"company", "line", "conversation"})
"""What there is for every message, whoever gets it and whoever sends it."""

_BLANK = re.compile(r"\{\{\s*([^{}|]*?)\s*(?:\|([^{}]*))?\}\}")
_FIELD_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class Filled:
    """A text with its blanks filled in. Those in `missing` have nothing to go in; they still stand in the text."""

    text: str
    missing: tuple[str, ...] = ()


def blanks_of(text: str) -> Iterator[tuple[str, str | None]]:
    """Every blank: its name, and its words for when there is nothing."""
    for found in _BLANK.finditer(text):
        yield found[1], found[2].strip() if found[2] is not None else None


def check(text: str, *, automatic: bool = False) -> None:
    """Raises `ValueError` with what is wrong. An `automatic` text has nobody to look at what is missing."""
    rest = _BLANK.sub("", text)
    if "{{" in rest or "}}" in rest:
        raise ValueError("a blank is not closed: write {{ client }}")
    for name, otherwise in blanks_of(text):
        if name not in NAMES and not is_field(name):
            hint = suggest(name, (*NAMES, "field.NAME")).rstrip(".")
            raise ValueError(f"there is no {{{{ {name} }}}} to fill in. {hint}")
        if automatic and otherwise is None and name not in ALWAYS:
            raise ValueError(f"say what stands there when {name} is not known: {{{{ {name}|… }}}}")


def is_field(name: str) -> bool:
    """Does it name a form's field?"""
    return name.startswith(FIELD) and _FIELD_NAME.fullmatch(name.removeprefix(FIELD)) is not None


def fill(text: str, values: Mapping[str, str | None]) -> Filled:
    """Put the values in. A blank without value and without words of its own is left as it stands."""
    missing: dict[str, None] = {}

    def put(found: re.Match[str]) -> str:
        value = values.get(found[1])
        if value:
            return value
        if found[2] is not None:
            return found[2].strip()
        missing[found[1]] = None
        return found[0]

    return Filled(_BLANK.sub(put, text), tuple(missing))


def left_in(text: str) -> tuple[str, ...]:
    """Blanks of ours that still stand in a text that somebody wants to send."""
    return tuple(dict.fromkeys(name for name, _ in blanks_of(text) if name in NAMES or is_field(name)))
