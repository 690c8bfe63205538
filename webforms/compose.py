"""From what was sent to one `Touch`. Pure, so that `replay` takes the same road."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from channels.touch import Attachment, Direction, Identity, Kind, Raw, Touch
from webforms import reserved
from webforms.fields import Notes
from webforms.form import Field, Form, is_message_name
from webforms.parse import Submission
from webforms.settings import FieldKind
from webforms.words import label_of, say

_NAMES = ("name", "full_name", "fullname", "fio", "your_name", "your-name", "imie", "contact_name")
# The plain letters stand for themselves: one that a table lacks costs an exception each time.
_PUNCTUATION = {code: code for code in range(128)} | str.maketrans("", "", ".,;:!?…«»\"'()-–—")


@dataclass(frozen=True, slots=True)
class Arrival:
    """What the request tells besides its body. `address` is the visitor's IP address as far as it can be believed."""

    at: datetime
    event_key: str
    raw: Raw
    region: str
    language: str
    address: str = ""
    user_agent: str = ""
    referer: str = ""


def compose(form: Form, submission: Submission, arrival: Arrival, suspicion: str | None = None) -> Touch:
    """One touch out of one submission."""
    notes = Notes(arrival.region)
    fields = _read(form, submission, notes)
    attachments = _attach(fields, submission)
    party = _party(notes.identities, fields)
    text = _text(form, fields, arrival.language)
    return Touch(
        line=form.line,
        event_key=arrival.event_key,
        kind=Kind.FORM,
        direction=Direction.INBOUND,
        at=arrival.at,
        party=party,
        subject=_subject(fields),
        text=text,
        fields=fields,
        field_marks=notes.marks,
        origin=_origin(form, submission, arrival, fields),
        attachments=attachments,
        suspicion=suspicion,
        repeat_key=repeat_key(form, party, text, fields),
        language=arrival.language,
        remarks=tuple(submission.remarks),
        raw=arrival.raw,
    )


def _read(form: Form, submission: Submission, notes: Notes) -> dict[str, Any]:
    """Declared fields in the order of the form, then whatever else was sent: nothing good is lost."""
    values = submission.values
    fields: dict[str, Any] = {}
    for field in form.fields:
        given = values.get(field.name)
        if given is not None:
            fields[field.name] = field.read(field.settings, given, notes)
    if len(fields) != len(values):
        trap = form.settings.honeypot
        for name, given in values.items():
            if name not in fields and not reserved.is_reserved(name) and (name != trap or any(given)):
                fields[name] = given[0].strip() if len(given) == 1 else given
    return fields


def _attach(fields: dict[str, Any], submission: Submission) -> tuple[Attachment, ...]:
    for name, file in submission.files:
        held = fields.get(name)
        fields[name] = [*held, file.name] if isinstance(held, list) else [file.name]
    return tuple(file for _, file in submission.files)


def _party(identities: list[Identity], fields: Mapping[str, Any]) -> tuple[Identity, ...]:
    name = _name(fields)
    distinct = {(one.scheme, one.value): one for one in reversed(identities)}
    return tuple(
        Identity(one.scheme, one.value, one.name or name, one.odd)
        for one in sorted(reversed(distinct.values()), key=lambda one: one.odd)
    )


def _name(fields: Mapping[str, Any]) -> str | None:
    for candidate in _NAMES:
        if isinstance(written := fields.get(candidate), str) and written:
            return written[:200]
    parts = (fields.get("first_name"), fields.get("last_name"))
    return " ".join(part for part in parts if isinstance(part, str) and part)[:200] or None


def _subject(fields: Mapping[str, Any]) -> str | None:
    written = fields.get("subject") or fields.get("topic")
    return written[:300] if isinstance(written, str) else None


def _text(form: Form, fields: Mapping[str, Any], language: str) -> str:
    """What the visitor has to say, or, where no one field says it, all that he filled in."""
    if form.message is not None and isinstance(said := fields.get(form.message), str) and said:
        return said
    for name, value in fields.items():
        if name not in form.names and isinstance(value, str) and value and is_message_name(name):
            return value
    return render(form, fields, language)


def render(form: Form, fields: Mapping[str, Any], language: str) -> str:
    """All answers for a person to read, one a line."""
    lines = [
        f"{label_of(field.name, field.settings.label, language)}: {_shown(field, value, language)}"
        for field in form.fields
        if field.kind not in (FieldKind.HIDDEN, FieldKind.CONSENT)
        and (value := fields.get(field.name)) not in (None, "", [])
    ]
    lines += [
        f"{name}: {value if isinstance(value, str) else ', '.join(map(str, value))}"
        for name, value in fields.items()
        if value and name not in form.names and name not in reserved.MARKS and name not in reserved.ALIASES
    ]
    return "\n".join(lines)


def _shown(field: Field, value: Any, language: str) -> str:
    if isinstance(value, bool):
        return "✓" if value else "—"
    labels = {one.value: say(one.label, language) or one.value for one in field.settings.options}
    every = value if isinstance(value, list) else [value]
    return ", ".join(labels.get(one, str(one)) if isinstance(one, str) else str(one) for one in every)


def repeat_key(form: Form, party: tuple[Identity, ...], text: str, fields: Mapping[str, Any]) -> str | None:
    """Equal for the same person saying the same to the same form, however he spaces and spells it; None for nobody."""
    if not party:
        return None
    if form.message is None:  # the text is a rendering, and holds the numbers as written
        plain = [field.name for field in form.fields if field.kind not in (FieldKind.PHONE, FieldKind.EMAIL)]
        text = "\n".join(str(fields.get(name)) for name in plain)
    folded = unicodedata.normalize("NFKC", text).casefold().translate(_PUNCTUATION).replace("ё", "е")
    folded = " ".join(folded.split())
    person = " ".join(sorted(f"{one.scheme}:{one.value}" for one in party))
    return blake2b(f"{form.key}\n{person}\n{folded}".encode(), digest_size=16).hexdigest()


def _origin(form: Form, submission: Submission, arrival: Arrival, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Where he came from, under what campaign, and what he agreed to."""
    values = submission.values
    origin: dict[str, Any] = {}
    for name, given in values.items():
        if name in reserved.MARKS and given[0]:
            origin[name] = given[0][:500]
        elif name in reserved.ALIASES and given[0]:
            origin[reserved.ALIASES[name]] = given[0][:2000]
    for name in (reserved.PAGE, reserved.LANDING, reserved.REFERRER, reserved.CLIENT, reserved.ZONE):
        if name in values and values[name][0]:
            origin[name[1:]] = values[name][0][:2000]
    if arrival.referer:
        origin.setdefault("page", arrival.referer[:2000])
    for place in ("landing", "page"):
        if place in origin and "?" in origin[place]:
            _marks_of_link(origin, origin[place])
    origin["address"] = arrival.address
    origin["user_agent"] = arrival.user_agent[:500]
    origin["language"] = arrival.language
    if consents := _consents(form, arrival, fields):
        origin["consent"] = consents
    return origin


def _marks_of_link(origin: dict[str, Any], link: str) -> None:
    try:
        pairs = parse_qsl(urlsplit(link).query, max_num_fields=200)
    except ValueError:
        return
    for name, value in pairs:
        if name in reserved.MARKS and value:
            origin.setdefault(name, value[:500])


def _consents(form: Form, arrival: Arrival, fields: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Proof of consent: the very words, their version, and when; what it is for, where the form says so."""
    at = arrival.at.isoformat().replace("+00:00", "Z")
    return [
        {
            "field": field.name,
            "text": say(field.settings.text, arrival.language),
            "version": field.settings.version,
            "at": at,
            **({"purpose": field.settings.purpose} if field.settings.purpose != "service" else {}),
            **({"channels": list(field.settings.channels)} if field.settings.channels else {}),
        }
        for field in form.fields
        if field.kind is FieldKind.CONSENT and fields.get(field.name) is True
    ]
