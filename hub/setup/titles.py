"""Titles that people read: one text for everybody, or one per language."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias, get_args

from pydantic import PlainValidator

Language: TypeAlias = Literal["ru", "uk", "pl", "en"]
LANGUAGES = get_args(Language)


def _check_title(value: Any) -> Any:
    if isinstance(value, str):
        return value
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise ValueError('write one text, or one per language: { ru = "…", en = "…" }')
    if unknown := [language for language in value if language not in LANGUAGES]:
        raise ValueError(f"there is no language {unknown[0]!r} here; use {', '.join(LANGUAGES)}")
    return value


Title = Annotated[str | dict[str, str], PlainValidator(_check_title)]


def say(title: str | dict[str, str] | None, language: str | None, fallback: str = "") -> str:
    """The title in `language`, else in English, else in whatever there is."""
    if not title:
        return fallback
    if isinstance(title, str):
        return title
    return title.get(language or "") or title.get("en") or next(iter(title.values()))
