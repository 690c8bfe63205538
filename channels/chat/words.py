"""What visitors read, in their language."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

WORDS: Mapping[str, Mapping[str, str]] = tomllib.loads(Path(__file__).with_name("words.toml").read_text("utf-8"))


def word(name: str, language: str) -> str:
    """One text."""
    return WORDS[name][language]


def words_of(language: str) -> dict[str, str]:
    """All texts of a language."""
    return {name: each[language] for name, each in WORDS.items()}
