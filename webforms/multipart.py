"""`multipart/form-data` (RFC 7578) from bytes, forgiving: bare line feeds, no last boundary, raw 8-bit names. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from webforms.problems import Problem, Refused

MAX_PARTS = 2000
_MAX_HEAD = 16_384
_PARAMETER = re.compile(rb';\s*([^\s=;"]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;]*))', re.DOTALL)
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_QUOTED = re.compile(rb"%[C-Fc-f][0-9A-Fa-f]%[89ABab][0-9A-Fa-f]")  # UTF-8 in percents, as some libraries write it
# Browsers escape these three only (the HTML standard), so a backslash before anything but a quote is a Windows path.
_ESCAPES = ((b"%22", b'"'), (b"%0D", b"\r"), (b"%0A", b"\n"), (b'\\"', b'"'))


@dataclass(frozen=True, slots=True)
class Part:
    """One part. `filename` is None where none was given; `is_file` says that the part calls itself binary."""

    name: bytes
    filename: bytes | None
    content_type: str
    is_file: bool
    data: bytes


def split(body: bytes, content_type: str) -> Iterator[Part]:
    """The parts of a body. Raises `Refused` where there is no boundary to go by."""
    boundary = read_parameters(content_type).get("boundary", "").encode("latin-1", "replace")
    if not boundary or len(boundary) > 200:
        raise Refused(Problem("bad_body", detail="boundary"))
    mark = b"--" + boundary
    start = 0 if body.startswith(mark) else body.find(b"\n" + mark) + 1
    if not body.startswith(mark, start):
        raise Refused(Problem("bad_body", detail="boundary"))
    for count, piece in enumerate(re.split(rb"\r?\n" + re.escape(mark), body[start + len(mark) :])):
        if piece.startswith(b"--"):
            return
        if count >= MAX_PARTS:
            raise Refused(Problem("too_large", detail=f"{MAX_PARTS} parts"))
        part = _part(piece)
        if part is not None:
            yield part


def _part(piece: bytes) -> Part | None:
    end = _HEAD_END.search(piece, 0, _MAX_HEAD)
    if end is None:
        return None
    disposition, content_type = b"", ""
    for line in re.split(rb"\r?\n(?![ \t])", piece[: end.start()]):
        key, _, value = line.partition(b":")
        if key.strip().lower() == b"content-disposition":
            disposition = value.strip()
        elif key.strip().lower() == b"content-type":
            content_type = value.strip().decode("latin-1")
    parameters = _parameters(disposition)
    if b"name" not in parameters:
        return None
    is_file = content_type.lower().startswith(("application/octet-stream", "image/", "application/pdf"))
    return Part(parameters[b"name"], _filename(parameters), content_type, is_file, piece[end.end() :])


def _parameters(header: bytes) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    for match in _PARAMETER.finditer(header):
        value = match[3]
        if match[2] is not None:
            value = match[2]
            for written, meant in _ESCAPES:
                value = value.replace(written, meant)
        found.setdefault(match[1].lower(), value)
    return found


def _filename(parameters: dict[bytes, bytes]) -> bytes | None:
    extended = parameters.get(b"filename*")  # RFC 2231: UTF-8''%D0%A1…
    if extended is not None and extended.count(b"'") >= 2:
        return unquote_to_bytes(extended.split(b"'", 2)[2])
    plain = parameters.get(b"filename")
    if plain is not None and _QUOTED.search(plain):
        return unquote_to_bytes(plain)
    return plain


def read_parameters(header: str) -> dict[str, str]:
    """The parameters of a header such as `Content-Type`."""
    found = _parameters(header.encode("latin-1", "replace"))
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in found.items()}
