"""From what the widget sends to one `Touch`. Pure, so that `replay` takes the same road.

What is kept as raw is an envelope of ours: what was said (`told`, without the bytes of files), and what only the
request knows: session, time, address, browser, and the consent in the words that were shown.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from channels import address, phone
from channels.chat.refusal import Refusal
from channels.chat.session import identity_of
from channels.chat.settings import LANGUAGES, Settings, say
from channels.chat.words import word
from channels.sniff import is_accepted, media_type_of
from channels.touch import Attachment, Direction, Identity, Kind, Raw, Touch
from channels.untrusted import clean, dump, load

MEDIA_TYPE = "application/vnd.touchline.chat+json"
MOST_FILES = 5

_ID = re.compile(r"[0-9a-f-]{16,40}")
_MARK = re.compile(
    r"utm_\w{1,40}|gclid|gbraid|wbraid|yclid|ymclid|fbclid|msclkid|ttclid|vkclid|_openstat|roistat_visit"
)
_PLACES = ("page", "referrer")
_MOST_MARKS = 20
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069]")
"""Control characters, and what makes a text read in another order than it was written."""


def read_body(raw: bytes) -> dict[str, Any]:
    """A JSON object. Raises `Refusal`."""
    try:
        told = load(raw)
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise Refusal(400, "bad_json", "the body is no JSON object")
    return told


def text_of(told: Mapping[str, Any], name: str, longest: int) -> str:
    """A text of the visitor's, cleaned and cut; "" where there is none. Raises `Refusal` for what is no text."""
    try:
        found = clean(told.get(name) or "")
    except TypeError:
        raise Refusal(422, "bad_value", f"{name} is no text", field=name) from None
    return _UNSEEN.sub("", found.replace("\r\n", "\n")[: longest + 1]).strip()[:longest]


def check(told: Mapping[str, Any], settings: Settings, region: str) -> None:
    """Is this a message that can be taken? Raises `Refusal`, which says what is wrong with it."""
    if not _ID.fullmatch(text_of(told, "id", 41)):
        raise Refusal(422, "bad_value", "a message needs an id of 16 to 40 hex digits", field="id")
    if len(text_of(told, "text", settings.longest_text + 1)) > settings.longest_text:
        remedy = f"write at most {settings.longest_text} characters"
        raise Refusal(422, "too_long", "the message is too long", remedy, field="text")
    for name, (_, found) in _contacts(told, region).items():
        if found.odd:
            raise Refusal(422, f"bad_{name}", f"{found.value!r} is no {name}", "look at it once more", field=name)
    if not (text_of(told, "text", 1) or _contacts(told, region) or told.get("files")):
        raise Refusal(422, "empty", "the message is empty", "write something", field="text")
    if settings.consent is not None and told.get("consent") is not True and told.get("agreed") is not True:
        raise Refusal(422, "no_consent", "the visitor has not agreed yet", "show him the consent", field="consent")


def read_files(told: Mapping[str, Any], settings: Settings) -> tuple[Attachment, ...]:
    """The files of a message, by what they really are. Raises `Refusal`."""
    given = told.get("files") or []
    if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
        raise Refusal(422, "bad_value", "files are a list of names and data", field="files")
    if given and (not settings.files or len(given) > MOST_FILES):
        remedy = f"send at most {MOST_FILES} at once" if settings.files else ""
        raise Refusal(422, "file_count", "so many files are not taken", remedy, field="files")
    return tuple(_file(one, settings) for one in given)


def _file(given: Mapping[str, Any], settings: Settings) -> Attachment:
    name = re.split(r"[\\/]", text_of(given, "name", 200))[-1] or "file"
    try:
        data = base64.b64decode(str(given.get("data", "")), validate=True)
    except (binascii.Error, ValueError):
        raise Refusal(422, "bad_file", f"{name} is damaged", field="files") from None
    if not data or len(data) > settings.max_file_bytes:
        raise Refusal(422, "file_size", f"{name} is empty or too large", f"at most {settings.max_file_mb:g} MB")
    media_type = media_type_of(data, name)
    if not is_accepted(media_type, name, settings.accept):
        raise Refusal(422, "file_type", f"{name} ({media_type}) is not taken", field="files")
    return Attachment(name, media_type, data)


def envelop(
    told: Mapping[str, Any],
    session: str,
    at: datetime,
    settings: Settings,
    remote: str,
    agent: str,
    suspicion: str | None = None,
) -> bytes:
    """What is kept of a message. `suspicion` is why it looks like a robot's."""
    said = {name: value for name, value in told.items() if name not in {"token", "files"}}
    language = _language(told)
    consent = settings.consent
    agreed = None
    if consent is not None and told.get("consent") is True:
        agreed = {"text": say(consent.text, language), "version": consent.version}
    names = [text_of(one, "name", 200) for one in told.get("files") or []]
    kept = {"session": session, "at": at.isoformat(), "address": remote, "agent": agent[:500], "told": said}
    return dump({**kept, "consent": agreed, "files": names, **({"suspicion": suspicion} if suspicion else {})})


def read(raw: bytes, line: str, region: str, files: tuple[Attachment, ...] = ()) -> Touch:
    """The touch of a kept message."""
    kept = load(raw)
    told: Mapping[str, Any] = kept["told"]
    session, at, key = str(kept["session"]), datetime.fromisoformat(kept["at"]), str(told["id"])
    contacts = _contacts(told, region)
    name = text_of(told, "name", 200)
    language = _language(told)
    text = text_of(told, "text", 20_000) or _as_text(name, contacts)
    called = name or f"{word('visitor', language)} {session[:4].upper()}"
    return Touch(
        line=line,
        event_key=f"{session}:{key}",
        external_id=f"{session}:{key}",
        kind=Kind.MESSAGE,
        direction=Direction.INBOUND,
        at=at,
        party=(identity_of(session, called), *_named(contacts, name)),
        text=text,
        fields=_fields(told, name, contacts),
        origin=_origin(kept, told, language),
        attachments=files,
        suspicion=kept.get("suspicion"),
        language=language,
        raw=Raw(raw, MEDIA_TYPE),
    )


def _contacts(told: Mapping[str, Any], region: str) -> dict[str, tuple[str, Identity]]:
    """How he can be reached besides: as written, and normalised."""
    found: dict[str, tuple[str, Identity]] = {}
    if written := text_of(told, "phone", 60):
        read_phone = phone.normalise(written, region)
        short = len(re.sub(r"\D", "", read_phone.value)) < 7
        found["phone"] = written, Identity("phone", read_phone.value, odd=read_phone.odd or short)
    if written := text_of(told, "email", 254):
        found["email"] = written, address.normalise(written)
    return found


def _named(contacts: Mapping[str, tuple[str, Identity]], name: str) -> tuple[Identity, ...]:
    return tuple(Identity(one.scheme, one.value, name or None, one.odd) for _, one in contacts.values())


def _as_text(name: str, contacts: Mapping[str, tuple[str, Identity]]) -> str:
    """Who only leaves his number has said that."""
    written = [one for one, _ in contacts.values()]
    return " ".join(filter(None, ("☎", name, *written))) if written else name


def _fields(told: Mapping[str, Any], name: str, contacts: Mapping[str, tuple[str, Identity]]) -> dict[str, Any]:
    """What he filled in, and from where he writes; the widget tells that once, and again when it changes."""
    fields: dict[str, Any] = {"name": name} if name else {}
    fields |= {kind: written for kind, (written, _) in contacts.items()}
    fields |= {place: found for place in _PLACES if (found := text_of(told, place, 2000))}
    marks = told.get("marks")
    if isinstance(marks, dict):
        known = [one for one in marks if isinstance(one, str) and _MARK.fullmatch(one)]
        fields |= {one: found for one in known[:_MOST_MARKS] if (found := text_of(marks, one, 500))}
    return fields


def _origin(kept: Mapping[str, Any], told: Mapping[str, Any], language: str) -> dict[str, Any]:
    origin: dict[str, Any] = {"address": kept["address"], "user_agent": clean(kept["agent"]), "language": language}
    origin |= {name: found for name in ("landing", "zone") if (found := text_of(told, name, 2000))}
    if agreed := kept.get("consent"):
        origin["consent"] = [{"field": "consent", **agreed, "at": kept["at"].replace("+00:00", "Z")}]
    return origin


def _language(told: Mapping[str, Any]) -> str:
    wanted = told.get("lang")
    return wanted if wanted in LANGUAGES else LANGUAGES[-1]
