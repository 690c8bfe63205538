"""`[form.K]` of the set-up file. Errors name the key and what to do about it."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from channels.origins import read_origins
from channels.throttle import read_rate

LANGUAGES = ("ru", "uk", "pl", "en")
MAX_FIELDS = 100

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")


class FieldKind(StrEnum):
    """What a field holds, and with what control a page asks for it."""

    TEXT = "text"
    TEXTAREA = "textarea"
    PHONE = "phone"
    EMAIL = "email"
    NUMBER = "number"
    DATE = "date"
    SELECT = "select"
    MULTISELECT = "multiselect"
    CHECKBOX = "checkbox"
    CONSENT = "consent"
    FILE = "file"
    HIDDEN = "hidden"
    URL = "url"
    RATING = "rating"


def _known_languages(value: str | dict[str, str]) -> str | dict[str, str]:
    if isinstance(value, dict):
        if unknown := [language for language in value if language not in LANGUAGES]:
            raise ValueError(f"no language {unknown[0]!r} here: use {', '.join(LANGUAGES)}")
        if not value:
            raise ValueError("give the text in at least one language")
    return value


Text = Annotated[str | dict[str, str], AfterValidator(_known_languages)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class OptionSettings(_Strict):
    """One choice: what is sent, and how it is called."""

    value: str
    label: Text | None = None


class FieldSettings(_Strict):
    """One field of a form. `accept` and `max_bytes` belong to files, the four keys from `text` on to consents.

    `purpose`: what the client agrees to by it, to be dealt with ("service") or to mailings ("marketing", which the law
    wants in a box of its own); `channels` by which he may then be written to, none = all.
    """

    name: str
    kind: FieldKind = FieldKind.TEXT
    required: bool = False
    label: Text | None = None
    placeholder: Text | None = None
    hint: Text | None = None
    options: tuple[OptionSettings, ...] = ()
    max_length: int | None = Field(default=None, ge=1)
    text: Text | None = None
    version: str | None = None
    purpose: Literal["service", "marketing"] = "service"
    channels: tuple[str, ...] = ()
    accept: tuple[str, ...] = ()
    max_bytes: int | None = Field(default=None, ge=1)
    max_rating: int = Field(default=5, ge=2, le=10)
    multiple: bool = False
    value: str | None = None
    step: int = Field(default=1, ge=1, le=20)

    @field_validator("name")
    @classmethod
    def _identifier(cls, name: str) -> str:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no field name: use latin letters, digits, _ and -, beginning with a letter")
        return name

    @field_validator("options", mode="before")
    @classmethod
    def _short_options(cls, options: Any) -> Any:
        """`options = ["Basic", "Gold"]` is short for values without labels."""
        if isinstance(options, list | tuple):
            return tuple({"value": option} if isinstance(option, str) else option for option in options)
        return options

    @model_validator(mode="after")
    def _belongs_together(self) -> Self:
        if self.kind in (FieldKind.SELECT, FieldKind.MULTISELECT) and not self.options:
            raise ValueError(f'field {self.name!r} is a {self.kind}: give options = ["…", "…"]')
        if self.options and self.kind not in (FieldKind.SELECT, FieldKind.MULTISELECT):
            raise ValueError(f"field {self.name!r} has options: make its kind select or multiselect")
        if self.kind is FieldKind.CONSENT and not self.text:
            raise ValueError(f"field {self.name!r} is a consent: give text, and a version that changes with the text")
        if self.kind is not FieldKind.CONSENT and (self.channels or self.purpose != "service"):
            raise ValueError(f"field {self.name!r} has purpose or channels: only a consent has them")
        if self.kind is not FieldKind.CONSENT and (self.text or self.version):
            raise ValueError(f"field {self.name!r} has text or version: only a consent has them; use label or hint")
        if self.kind is not FieldKind.FILE and (self.accept or self.max_bytes or self.multiple):
            raise ValueError(f"field {self.name!r} has accept, max_bytes or multiple: only a file has them")
        return self


class LimitSettings(_Strict):
    """How often a form may be sent: "20/hour", "2 per second", or a number per hour; 0 = off.

    The defaults stop a flood and no honest site: a site engine posts all its visitors' leads from one address.
    `max_bytes` bounds the whole body (default: 25 MB where the form takes files, else 10 MB; 1 MB without files).
    """

    per_address: int | str = "120/minute"
    per_form: int | str = "1200/minute"
    max_bytes: int | None = Field(default=None, ge=1024)

    @field_validator("per_address", "per_form")
    @classmethod
    def _readable(cls, value: int | str) -> int | str:
        read_rate(value)
        return value


class FormSettings(_Strict):
    """One web form. `team` and `regulation` are set-up keys; who they are is the hub's business.

    `min_fill_s`: a form filled faster than that by somebody who loaded our page is suspicious; 0 = off.
    `honeypot` is the name of a field that people do not see. `thanks` is a text, or the address of a page.
    """

    title: Text
    team: str | None = None
    origins: tuple[str, ...] = ()
    fields: tuple[FieldSettings, ...] = Field(min_length=1, max_length=MAX_FIELDS)
    steps: tuple[Text, ...] = ()
    intro: Text | None = None
    submit: Text | None = None
    regulation: str | None = None
    thanks: Text | None = None
    limits: LimitSettings = LimitSettings()
    proof_of_work: bool = False
    proof_difficulty: int = Field(default=50_000, ge=1_000, le=1_000_000)
    min_fill_s: float = Field(default=2.0, ge=0, le=600)
    honeypot: str = "website_confirm"
    language: str | None = None
    default_region: str | None = Field(default=None, pattern="^[A-Z]{2}$")

    @field_validator("origins")
    @classmethod
    def _bare_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        return read_origins(origins)

    @field_validator("language")
    @classmethod
    def _known_language(cls, language: str | None) -> str | None:
        if language is not None and language not in LANGUAGES:
            raise ValueError(f"no language {language!r} here: use one of {', '.join(LANGUAGES)}")
        return language

    @field_validator("honeypot")
    @classmethod
    def _trap_name(cls, honeypot: str) -> str:
        if not _NAME.fullmatch(honeypot):
            raise ValueError(f"{honeypot!r} is no field name: use latin letters, digits, _ and -")
        return honeypot

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [field.name for field in self.fields]
        if double := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"two fields are called {double!r}: give each its own name")
        if self.honeypot in names:
            raise ValueError(f'field {self.honeypot!r} is also the honeypot: set honeypot = "another_name"')
        return self
