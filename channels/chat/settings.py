"""What a website chat may be told. The keys that all lines share (team, policy, …) never come here."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

from channels.origins import read_origins
from channels.throttle import read_rate

LANGUAGES = ("ru", "uk", "pl", "en")
DOCUMENTS = (
    *("image/png", "image/jpeg", "image/gif", "image/webp", "image/heic", "application/pdf", "text/plain"),
    *("application/msword", "application/vnd.ms-excel", ".docx", ".xlsx", ".odt", ".ods"),
)

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


def _known_languages(value: str | dict[str, str]) -> str | dict[str, str]:
    if isinstance(value, dict):
        if not value:
            raise ValueError("give the text in at least one language")
        if unknown := [language for language in value if language not in LANGUAGES]:
            raise ValueError(f"no language {unknown[0]!r} here: use {', '.join(LANGUAGES)}")
    return value


Text = Annotated[str | dict[str, str], AfterValidator(_known_languages)]


def say(text: Text, language: str) -> str:
    """A text of the set-up in a language; failing that in English, failing that in the first there is."""
    if isinstance(text, str):
        return text
    return text.get(language) or text.get("en") or next(iter(text.values()))


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Limits(_Strict):
    """How often visitors may write: "30/minute", "2 per second", or a number per hour; 0 = off."""

    per_address: int | str = "60/minute"
    per_session: int | str = "30/minute"
    per_line: int | str = "1200/minute"

    @field_validator("per_address", "per_session", "per_line")
    @classmethod
    def _readable(cls, value: int | str) -> int | str:
        read_rate(value)
        return value


class Consent(_Strict):
    """What a visitor agrees to before he writes for the first time; `version` changes with the text."""

    text: Text
    version: str | None = None
    link: str | None = Field(default=None, pattern="^https?://")


class Settings(_Strict):
    """The website chat's own keys of one line.

    `heading`, `greeting` and `offline` are texts, in one language or several; what is not given is said as usual.
    `language` fixes what otherwise follows the page. `remember_days`: so long a browser keeps its talk.
    `most_links`: more in one message look like spam; 0 = any number.
    """

    origins: tuple[str, ...] = ()
    heading: Text | None = None
    greeting: Text | None = None
    offline: Text | None = None
    colour: str = "#1d5fd1"
    theme: Literal["auto", "light", "dark"] = "auto"
    side: Literal["right", "left"] = "right"
    language: Literal["ru", "uk", "pl", "en"] | None = None
    consent: Consent | None = None
    files: bool = True
    accept: tuple[str, ...] = DOCUMENTS
    max_file_mb: float = Field(default=5.0, gt=0, le=10)
    longest_text: int = Field(default=4000, ge=100, le=20_000)
    remember_days: int = Field(default=30, ge=1, le=365)
    most_links: int = Field(default=4, ge=0, le=100)
    limits: Limits = Limits()

    @property
    def max_file_bytes(self) -> int:
        """The largest file that is taken."""
        return int(self.max_file_mb * 1024 * 1024)

    @field_validator("origins")
    @classmethod
    def _bare_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        return read_origins(origins)

    @field_validator("colour")
    @classmethod
    def _is_a_colour(cls, value: str) -> str:
        if not _COLOUR.fullmatch(value):
            raise ValueError(f'{value!r} is no colour: write it as "#1d5fd1"')
        return value.lower()
