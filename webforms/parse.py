"""The body of a form post, however it was written, as one list of names and values. Pure.

Reads `application/x-www-form-urlencoded`, `multipart/form-data` (RFC 7578) and JSON objects. A value that is no text
(nested JSON) is kept as JSON text; what exceeds the sane number of values stays in the raw body and is remarked on.
"""

from __future__ import annotations

import html
import json
import re
from binascii import a2b_qp
from dataclasses import dataclass, field
from typing import Any

from channels.sniff import media_type_of
from channels.touch import Attachment
from webforms import charset
from webforms.multipart import Part, read_parameters, split
from webforms.problems import Problem, Refused

MAX_VALUES = 1000
MAX_NAME = 200

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"


@dataclass(slots=True)
class Submission:
    """What was sent: names with all their values, in the order sent; files with the field they came in."""

    values: dict[str, list[str]] = field(default_factory=dict)
    files: list[tuple[str, Attachment]] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def first(self, name: str) -> str:
        """The first value of a name, or nothing."""
        found = self.values.get(name)
        return found[0] if found else ""


def parse(body: bytes, content_type: str, region: str) -> Submission:
    """Read a body. `region` only helps to guess a charset. Raises `Refused`."""
    media_type, _, parameters = content_type.partition(";")
    media_type = media_type.strip().lower()
    if media_type == URLENCODED:
        return _urlencoded(body, _declared(parameters), region)
    if media_type == "application/json" or media_type.endswith("+json") or media_type == "text/json":
        return _json(body, _declared(parameters), region)
    if media_type == MULTIPART:
        return _multipart(body, content_type, region)
    raise Refused(Problem("unsupported_media_type", detail=media_type or "none"))


def is_form(content_type: str) -> bool:
    """Is it what browsers send by themselves, without a script?"""
    return content_type.lower().startswith((URLENCODED, MULTIPART))


def _declared(parameters: str) -> str | None:
    if "charset" not in parameters.lower():
        return None
    return charset.known(read_parameters("x;" + parameters).get("charset"))


_RUN = re.compile(rb"(?:%[0-9A-Fa-f]{2})+")


def _unquote(data: bytes) -> bytes:
    """Percent-decode. Quoted-printable with another sign is the same code, and the library has it in C."""
    if b"+" in data:
        data = data.replace(b"+", b" ")
    escapes = data.count(b"%")
    if not escapes:
        return data
    if b"=" not in data and b"\n" not in data and b"\r" not in data:
        decoded = a2b_qp(data.replace(b"%", b"="))
        if len(data) - len(decoded) == 2 * escapes:  # else one of them was no escape
            return decoded
    return _RUN.sub(_run, data)


def _run(match: re.Match[bytes]) -> bytes:
    return bytes.fromhex(match[0].replace(b"%", b"").decode("ascii"))


def _urlencoded(body: bytes, declared: str | None, region: str) -> Submission:
    if declared in (None, "utf-8") and (submission := _in_utf8(body)) is not None:
        return submission
    pairs = []
    for piece in body.split(b"&"):
        if piece:
            name, _, value = piece.partition(b"=")
            pairs.append((_unquote(name.strip()), _unquote(value.rstrip(b"\r\n"))))
    return _decode_pairs(pairs, declared, region, Submission())


def _in_utf8(body: bytes) -> Submission | None:
    """The common case in one go: unquoted and decoded as a whole, with separators that the text cannot hold."""
    if b"%1" in body or b"\x1e" in body or b"\x1f" in body:
        return None
    if b"_charset_" in body and b"_charset_=UTF-8" not in body:
        return None
    try:
        text = _unquote(body.rstrip(b"\r\n").replace(b"&", b"\x1e").replace(b"=", b"\x1f")).decode()
    except UnicodeDecodeError:
        return None
    submission = Submission()
    clean = charset.is_clean(text.replace("\x1e", "").replace("\x1f", ""))
    for piece in text.split("\x1e"):
        name, _, value = piece.partition("\x1f")
        if "\x1f" in value:
            value = value.replace("\x1f", "=")
        name = name.strip()
        if not clean:
            name, value = charset.clean(name), charset.clean(value)
        _add(submission.values, name[:MAX_NAME], value)
    return _bounded(submission)


def _decode_pairs(
    pairs: list[tuple[bytes, bytes]], declared: str | None, region: str, submission: Submission
) -> Submission:
    """Decode all pairs with one charset: the declared one, that of a `_charset_` field, or the one that fits."""
    if declared is None and b"_charset_" in (names := dict(pairs)):
        declared = charset.known(names[b"_charset_"].decode("ascii", "replace"))
    every = [piece for pair in pairs for piece in pair]
    encoding = charset.guess(every, declared, region)
    values = submission.values
    for raw_name, raw_value in pairs:
        value = charset.clean(raw_value.decode(encoding, "replace"))
        if encoding != "utf-8" and "&#" in value:
            value = html.unescape(value)  # how browsers write what the charset of a page lacks
        _add(values, charset.clean(raw_name.decode(encoding, "replace"))[:MAX_NAME], value)
    return _bounded(submission)


def _add(values: dict[str, list[str]], name: str, value: str) -> None:
    if name.endswith("[]"):
        name = name[:-2]
    if name in values:
        values[name].append(value)
    elif name:
        values[name] = [value]


def _bounded(submission: Submission) -> Submission:
    values = submission.values
    if len(values) > MAX_VALUES:
        for name in list(values)[MAX_VALUES:]:
            del values[name]
        submission.remarks.append(f"more than {MAX_VALUES} fields: the rest is in the raw body only")
    return submission


def _json(body: bytes, declared: str | None, region: str) -> Submission:
    encoding = json.detect_encoding(body)
    try:
        text = body.decode(encoding)
    except UnicodeDecodeError:
        text = body.decode(charset.guess([body], declared, region), "replace")
    try:
        read = json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:
        raise Refused(Problem("bad_json", detail=_where(error))) from None
    if not isinstance(read, dict):
        raise Refused(Problem("bad_json", detail="not an object"))
    submission = Submission()
    for name, value in read.items():
        for one in value if isinstance(value, list) and not any(isinstance(v, dict | list) for v in value) else [value]:
            if one is not None:
                _add(submission.values, charset.clean(name)[:MAX_NAME], _as_text(one))
    return _bounded(submission)


def _where(error: Exception) -> str:
    return f"line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else "unreadable"


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return charset.clean(value)
    try:
        return charset.clean(json.dumps(value, ensure_ascii=False))
    except (ValueError, RecursionError):
        raise Refused(Problem("bad_json", detail="nested too deeply")) from None


def _multipart(body: bytes, content_type: str, region: str) -> Submission:
    submission = Submission()
    pairs: list[tuple[bytes, bytes]] = []
    declared = None
    for part in split(body, content_type):
        if part.filename is None and not part.is_file:
            declared = declared or _declared(part.content_type.partition(";")[2])
            pairs.append((part.name, part.data))
        elif part.data or part.filename:
            submission.files.append((_text(part.name, region).removesuffix("[]")[:MAX_NAME], _attachment(part, region)))
    return _decode_pairs(pairs, declared, region, submission)


def _text(data: bytes, region: str) -> str:
    return charset.clean(data.decode(charset.guess([data], None, region), "replace"))


def _attachment(part: Part, region: str) -> Attachment:
    """A file under its own base name; its type is what it is, not what it is called."""
    name = _text(part.filename or b"", region)
    name = name.replace("\\", "/").rpartition("/")[2].replace("\n", " ").strip()[:255] or "file"
    return Attachment(name, media_type_of(part.data, name), part.data)
