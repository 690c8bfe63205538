"""Titles that people read: one text for everybody, or one per language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeAlias

Language: TypeAlias = Literal["ru", "uk", "pl", "en"]
Title: TypeAlias = str | dict[Language, str]


def say(title: Title | None, language: str | None, fallback: str = "") -> str:
    """The title in `language`, else in English, else in whatever there is."""
    if not title:
        return fallback
    if isinstance(title, str):
        return title
    by_language: Mapping[str, str] = {str(key): value for key, value in title.items()}
    return by_language.get(language or "") or by_language.get("en") or next(iter(by_language.values()))
