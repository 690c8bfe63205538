"""A form as a page or a snippet shows it, in one language: plain data for the template and for the script alike."""

from __future__ import annotations

from typing import Any

from webforms.form import Field, Form
from webforms.settings import FieldKind
from webforms.words import label_of, say

_AUTOCOMPLETE = {
    "name": "name",
    "full_name": "name",
    "first_name": "given-name",
    "last_name": "family-name",
    "company": "organization",
    "address": "street-address",
    "city": "address-level2",
    "postcode": "postal-code",
    "zip": "postal-code",
}
_BY_KIND = {FieldKind.PHONE: "tel", FieldKind.EMAIL: "email", FieldKind.URL: "url"}
# `type="email"` would turn away почта@пример.рф, and a lost lead is worse than an odd one: the keyboard is enough.
_INPUTS = {FieldKind.PHONE: "tel", FieldKind.DATE: "date", FieldKind.FILE: "file"}
_KEYBOARDS = {FieldKind.EMAIL: "email", FieldKind.URL: "url", FieldKind.NUMBER: "decimal", FieldKind.PHONE: "tel"}
_NARROW = frozenset([FieldKind.PHONE, FieldKind.EMAIL, FieldKind.NUMBER, FieldKind.DATE, FieldKind.SELECT])


def describe_form(form: Form, language: str) -> dict[str, Any]:
    """Title, steps with their fields, and the words of the buttons."""
    settings = form.settings
    shown = [field for field in form.fields if field.kind is not FieldKind.HIDDEN]
    numbers = sorted({field.settings.step for field in shown})
    return {
        "key": form.key,
        "title": say(settings.title, language),
        "intro": say(settings.intro, language),
        "submit": say(settings.submit, language),
        "thanks": say(settings.thanks, language),
        "honeypot": settings.honeypot,
        "proof": settings.proof_of_work,
        "hidden": [
            {"name": field.name, "value": field.settings.value or ""}
            for field in form.fields
            if field.kind is FieldKind.HIDDEN
        ],
        "steps": [
            {
                "title": say(settings.steps[number - 1], language) if number <= len(settings.steps) else "",
                "fields": _in_rows([field for field in shown if field.settings.step == number], language),
            }
            for number in numbers
        ],
    }


def _in_rows(fields: list[Field], language: str) -> list[dict[str, Any]]:
    """Two narrow fields one after the other share a row where there is room."""
    described = [_describe(field, language) for field in fields]
    place = 0
    while place + 1 < len(fields):
        if fields[place].kind in _NARROW and fields[place + 1].kind in _NARROW:
            described[place]["half"] = described[place + 1]["half"] = True
            place += 1
        place += 1
    return described


def _describe(field: Field, language: str) -> dict[str, Any]:
    settings = field.settings
    described = {
        "name": field.name,
        "kind": str(field.kind),
        "required": field.required,
        "label": label_of(field.name, settings.label, language),
        "placeholder": say(settings.placeholder, language),
        "hint": say(settings.hint, language),
        "text": say(settings.text, language),
        "type": _INPUTS.get(field.kind, "text"),
        "inputmode": _KEYBOARDS.get(field.kind, ""),
        "autocomplete": _AUTOCOMPLETE.get(field.name.lower()) or _BY_KIND.get(field.kind, ""),
        "options": [[one.value, say(one.label, language) or one.value] for one in settings.options],
        "max_length": settings.max_length,
        "accept": ",".join(settings.accept),
        "multiple": settings.multiple,
        "ratings": list(range(1, settings.max_rating + 1)) if field.kind is FieldKind.RATING else [],
        "value": settings.value or "",
    }
    return {name: value for name, value in described.items() if value not in ("", None, False, [])} | {
        "half": False,
        "label": described["label"],
    }
