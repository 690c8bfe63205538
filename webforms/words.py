"""What visitors read, and which language they read it in."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import cast

from webforms.problems import Problem
from webforms.settings import LANGUAGES

Words = Mapping[str, str]

_TABLES: dict[str, dict[str, Words]] = tomllib.loads(Path(__file__).with_name("words.toml").read_text("utf-8"))
LABELS, PAGE = _TABLES["label"], _TABLES["page"]


def say(text: str | Words | None, language: str) -> str:
    """A text of the set-up in a language; failing that in English, failing that in the first there is."""
    if text is None or isinstance(text, str):
        return text or ""
    return text.get(language) or text.get("en") or next(iter(text.values()), "")


def page_words(language: str) -> dict[str, str]:
    """The fixed words of pages and snippet."""
    return {name: words[language] for name, words in PAGE.items()}


def describe(problem: Problem, language: str) -> tuple[str, str]:
    """The message and the remedy of a problem."""
    message, remedy = _TABLES["problem"][problem.code][language], _TABLES["remedy"][problem.code][language]
    return message.replace("{detail}", problem.detail), remedy.replace("{detail}", problem.detail)


def label_of(name: str, own: str | Words | None, language: str) -> str:
    """The label of a field: its own, or the usual one for its name, or the name made readable."""
    if own is not None:
        return say(own, language)
    usual = LABELS.get(name.lower())
    return usual[language] if usual else name.replace("_", " ").replace("-", " ").capitalize()


def choose_language(wanted: str | None, header: str | None, offered: Sequence[str], default: str | None) -> str:
    """The visitor's language: as asked for, as his browser prefers, as the form is set up, the company's first."""
    if wanted in offered:
        return cast(str, wanted)
    preferred = _preferred(header, tuple(offered)) if header else None
    return preferred or (default if default in offered else None) or (offered[0] if offered else LANGUAGES[-1])


@lru_cache(maxsize=1024)
def _preferred(header: str, offered: tuple[str, ...]) -> str | None:
    """The best of `Accept-Language` (RFC 9110, 12.5.4) that is offered."""
    ranked = []
    for place, piece in enumerate(header[:500].split(",")):
        tag, _, weight = piece.partition(";")
        try:
            quality = float(weight.strip().removeprefix("q=")) if weight else 1.0
        except ValueError:
            quality = 0.0
        ranked.append((-quality, place, tag.strip().lower().partition("-")[0]))
    return next((tag for quality, _, tag in sorted(ranked) if quality < 0 and tag in offered), None)
