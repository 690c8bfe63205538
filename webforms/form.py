"""A form made ready for the hot road: everything that can be decided once per set-up is decided here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from channels.origins import Origins
from channels.throttle import read_rate
from webforms.fields import READERS, Reader
from webforms.problems import Problem, Refused
from webforms.settings import FieldKind, FieldSettings, FormSettings

MEGABYTE = 1_000_000
_MESSAGE_NAMES = ("message", "text", "comment", "comments", "question", "msg", "body", "description")


@dataclass(frozen=True, slots=True)
class Field:
    """One field, with the function that reads its values."""

    name: str
    kind: FieldKind
    required: bool
    read: Reader
    settings: FieldSettings


@dataclass(frozen=True, slots=True)
class Form:
    """One form. `message` is the field that holds what the visitor has to say, if one field does.

    `linkless` are the fields in which nobody writes a link.
    """

    key: str
    line: str
    settings: FormSettings
    fields: tuple[Field, ...]
    names: frozenset[str]
    files: tuple[Field, ...]
    required: tuple[Field, ...]
    message: str | None
    linkless: tuple[str, ...]
    origins: Origins
    per_address: tuple[int, float] | None
    per_form: tuple[int, float] | None
    max_text_bytes: int
    max_bytes: int


def compile_form(key: str, settings: FormSettings) -> Form:
    """Make a form ready."""
    fields = tuple(Field(one.name, one.kind, one.required, READERS[one.kind], one) for one in settings.fields)
    files = tuple(field for field in fields if field.kind is FieldKind.FILE)
    whole = settings.limits.max_bytes
    return Form(
        key=key,
        line=f"form:{key}",
        settings=settings,
        fields=fields,
        names=frozenset(field.name for field in fields),
        files=files,
        required=tuple(field for field in fields if field.required),
        message=_message(fields),
        linkless=tuple(field.name for field in fields if _is_linkless(field)),
        origins=Origins.of(settings.origins),
        per_address=read_rate(settings.limits.per_address),
        per_form=read_rate(settings.limits.per_form),
        max_text_bytes=min(whole or MEGABYTE, MEGABYTE * 4),
        max_bytes=whole or (25 if files else 10) * MEGABYTE,
    )


def _message(fields: tuple[Field, ...]) -> str | None:
    """The field called like a message, or the only large one. Of several large ones none is the message."""
    areas = [field.name for field in fields if field.kind is FieldKind.TEXTAREA]
    texts = [field.name for field in fields if field.kind is FieldKind.TEXT]
    named = next((name for name in (*areas, *texts) if name.lower() in _MESSAGE_NAMES), None)
    return named or (areas[0] if len(areas) == 1 else None)


def _is_linkless(field: Field) -> bool:
    named = field.name in ("name", "first_name", "last_name", "fio") and field.kind is not FieldKind.URL
    return named or field.kind is FieldKind.PHONE


def is_message_name(name: str) -> bool:
    """Is an undeclared field called like a message?"""
    return name.lower() in _MESSAGE_NAMES


class Forms:
    """The forms by key, compiled once for as long as the hub hands out the same settings."""

    def __init__(self, find: Callable[[str], FormSettings | None]) -> None:
        self._find = find
        self._compiled: dict[str, Form] = {}

    def get(self, key: str) -> Form:
        """The form of that key. Raises `Refused` where there is none."""
        settings = self._find(key)
        if settings is None:
            self._compiled.pop(key, None)
            raise Refused(Problem("unknown_form"))
        form = self._compiled.get(key)
        if form is None or form.settings is not settings:
            form = self._compiled[key] = compile_form(key, settings)
        return form
