"""A mail as a tree of parts, read in linear time.

Why not the standard library's parser: it walks every line through every open boundary (a deeply nested mail costs
minutes), its parameter parsing is quadratic in the length of a header, it raises on some Message-IDs, and it is
several times slower. Here every byte is looked at once per level, and there are few levels. Headers stay bytes, since
only bytes can be decoded once the charset is known.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from channels.email.headers import decode_header, parameters

MOST_LEVELS = 24
MOST_PARTS = 1000
MOST_HEADERS = 1000

_BLANK_LINE = re.compile(rb"\r?\n\r?\n")
_FIELD = re.compile(rb"^([!-9;-~]{1,200})[ \t]*:[ \t]*(.*)$", re.DOTALL)
_MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,60}/[a-z0-9!#$&^_.+-]{1,100}")
_UU_BEGIN = re.compile(rb"(?m)^begin [0-7]{3,4} [^\r\n]*\r?$")
_MULTIPART, _NESTED = "multipart/", frozenset({"message/rfc822", "message/global"})


@dataclass(slots=True)
class Part:
    """One node of the tree. `body` is still transfer-encoded; `decoded()` is not."""

    headers: dict[str, list[bytes]]
    media_type: str
    params: dict[str, str]
    body: bytes
    children: list[Part] = field(default_factory=list)
    _content: bytes | None = None
    _texts: dict[str, str] = field(default_factory=dict)

    def raw(self, name: str) -> bytes:
        """The first header of this name as bytes, b"" if there is none. Names are lower case."""
        values = self.headers.get(name)
        return values[0] if values else b""

    def text(self, name: str) -> str:
        """The first header of this name as people read it."""
        if name not in self._texts:
            raw = self.raw(name)
            self._texts[name] = decode_header(raw, self.params.get("charset")) if raw else ""
        return self._texts[name]

    def all_texts(self, name: str) -> list[str]:
        """Every header of this name."""
        return [decode_header(raw, self.params.get("charset")) for raw in self.headers.get(name, ())]

    def decoded(self) -> bytes:
        """The content without its transfer encoding; what cannot be decoded is given as it came. Never raises."""
        if self._content is None:
            self._content = decode_transfer(self.body, self.raw("content-transfer-encoding"))
        return self._content

    def disposition(self) -> tuple[str, dict[str, str]]:
        """Content-Disposition: "inline", "attachment" or "", and its parameters."""
        raw = self.raw("content-disposition")
        return parameters(raw) if raw else ("", {})

    def leaves(self) -> Iterator[Part]:
        """Every part without children, in the order they were written."""
        if not self.children:
            yield self
        for child in self.children:
            yield from child.leaves()


def read(raw: bytes) -> tuple[Part, list[str]]:
    """The tree of a mail, and remarks on what is odd about it. Never raises."""
    reader = _Reader()
    return reader.read(raw, "text/plain", 0), reader.remarks


class _Reader:
    def __init__(self) -> None:
        self.remarks: list[str] = []
        self.parts = 0

    def read(self, raw: bytes, default_type: str, level: int) -> Part:
        self.parts += 1
        headers, body = split_headers(raw)
        part = _new_part(headers, body, default_type)
        if level >= MOST_LEVELS or self.parts >= MOST_PARTS:
            self._remark("nested too deeply or in too many parts: the rest was left as one file")
            return part
        if part.media_type.startswith(_MULTIPART):
            self._read_children(part, level)
        elif part.media_type in _NESTED:
            part.children = [self.read(part.decoded(), "text/plain", level + 1)]
        return part

    def _read_children(self, part: Part, level: int) -> None:
        boundary = part.params.get("boundary", "")
        inner = "message/rfc822" if part.media_type == "multipart/digest" else "text/plain"
        pieces = _split_body(part.body, boundary) if boundary else []
        if not pieces:
            self._remark("a multipart mail without its boundary: read as plain text")
            part.media_type = "text/plain"
            return
        for piece in pieces:
            if self.parts >= MOST_PARTS:
                self._remark("nested too deeply or in too many parts: the rest was left as one file")
                return
            part.children.append(self.read(piece, inner, level + 1))

    def _remark(self, text: str) -> None:
        if text not in self.remarks:
            self.remarks.append(text)


def split_headers(raw: bytes) -> tuple[dict[str, list[bytes]], bytes]:
    """Headers (lower-case names, unfolded bytes, in order) and the body."""
    if raw[:1] == b"\n":
        return {}, raw[1:]
    if raw[:2] == b"\r\n":
        return {}, raw[2:]
    blank = _BLANK_LINE.search(raw)
    head, body = (raw[: blank.start()], raw[blank.end() :]) if blank else (raw, b"")
    headers: dict[str, list[bytes]] = {}
    count = 0
    for line in _unfold(head):
        found = _FIELD.match(line)
        if found is None:
            if count == 0 and not line.startswith((b"From ", b">From ")):
                return {}, raw
            continue
        headers.setdefault(found[1].decode("ascii").lower(), []).append(found[2])
        count += 1
        if count >= MOST_HEADERS:
            break
    return headers, body


def _unfold(head: bytes) -> Iterator[bytes]:
    held: list[bytes] = []
    for line in head.split(b"\n"):
        line = line.removesuffix(b"\r")
        if held and line[:1] in (b" ", b"\t"):
            held.append(line)
            continue
        if held:
            yield b"".join(held)
        held = [line]
    if held:
        yield b"".join(held)


def _new_part(headers: dict[str, list[bytes]], body: bytes, default_type: str) -> Part:
    declared = headers.get("content-type")
    media_type, params = parameters(declared[0]) if declared else (default_type, {})
    if not _MEDIA_TYPE.fullmatch(media_type):
        media_type = {"text": "text/plain", "html": "text/html"}.get(media_type, default_type)
    return Part(headers, media_type, params, body)


def _split_body(body: bytes, boundary: str) -> list[bytes]:
    """The pieces between the boundary's lines; a missing closing line is forgiven."""
    delimiter = b"\n--" + boundary.encode("latin-1", "replace").rstrip()
    body = b"\n" + body
    pieces: list[bytes] = []
    start: int | None = None
    at = body.find(delimiter)
    while at >= 0:
        after = at + len(delimiter)
        line_end = body.find(b"\n", after)
        line_end = len(body) if line_end < 0 else line_end
        rest = body[after:line_end].strip()
        if rest in (b"", b"--"):
            if start is not None:
                pieces.append(body[start : max(start, at)].removesuffix(b"\r"))
            if rest:
                return pieces
            start = line_end + 1
        at = body.find(delimiter, line_end)
    if start is not None and start <= len(body):
        pieces.append(body[start:])
    return pieces


def decode_transfer(body: bytes, encoding: bytes) -> bytes:
    """Undo base64, quoted-printable or uuencode."""
    name = encoding.split(b";")[0].strip().strip(b'"').lower()
    try:
        if name == b"base64":
            return _decode_base64(body)
        if name == b"quoted-printable":
            return binascii.a2b_qp(body)
        if name in (b"x-uuencode", b"uuencode", b"x-uue", b"uue"):
            return _decode_uu(body)
    except (binascii.Error, ValueError):
        pass
    return body


def _decode_base64(body: bytes) -> bytes:
    try:
        return binascii.a2b_base64(body)
    except binascii.Error:
        clean = re.sub(rb"[^A-Za-z0-9+/]", b"", body)
        return binascii.a2b_base64(clean[: len(clean) - (len(clean) % 4 == 1)] + b"=" * (-len(clean) % 4))


def _decode_uu(body: bytes) -> bytes:
    begin = _UU_BEGIN.search(body)
    lines = body[begin.end() if begin else 0 :].lstrip(b"\r\n").splitlines()
    decoded: list[bytes] = []
    for line in lines:
        if line.strip() in (b"end", b"`", b""):
            break
        decoded.append(_decode_uu_line(line))
    return b"".join(decoded)


def _decode_uu_line(line: bytes) -> bytes:
    try:
        return binascii.a2b_uu(line)
    except binascii.Error:
        wanted = (((line[0] - 32) & 63) * 4 + 5) // 3
        return binascii.a2b_uu(line[:wanted])
