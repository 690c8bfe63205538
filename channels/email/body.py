"""What a mail says and brings along: its text, its HTML, its files."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape

from channels.email.charset import decode
from channels.email.html import to_text
from channels.email.mime import Part
from channels.email.tnef import read_tnef
from channels.touch import Attachment

_META = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?([A-Za-z0-9_.:-]{2,40})", re.IGNORECASE)
_UNSAFE = re.compile(r"[\x00-\x1f\x7f/\\]+")
_MACHINE = frozenset(
    {"message/delivery-status", "message/global-delivery-status", "message/disposition-notification"}
    | {"text/rfc822-headers", "message/rfc822-headers"}
)
_NESTED = frozenset({"message/rfc822", "message/global"})
_LONGEST_TEXT = 4 * 1024 * 1024


@dataclass(slots=True)
class Body:
    """A mail's content. `html` is still as the stranger wrote it."""

    text: str = ""
    html: str | None = None
    attachments: list[Attachment] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Piece:
    """One stretch of the body, as text and as HTML; a side that was not sent is None."""

    text: str | None
    html: str | None


def read_body(mail: Part) -> Body:
    """Text, HTML and files of a mail. Never raises."""
    body = Body()
    pieces = list(_pieces(mail, body))
    body.text = "\n\n".join(said for piece in pieces if (said := _as_text(piece).strip("\n")).strip())
    if any(piece.html is not None for piece in pieces):
        body.html = "\n".join(_as_html(piece) for piece in pieces)
    return body


def _as_text(piece: _Piece) -> str:
    if piece.text is not None and piece.text.strip():
        return piece.text
    return to_text(piece.html) if piece.html is not None else ""


def _as_html(piece: _Piece) -> str:
    if piece.html is not None:
        return piece.html
    return escape(piece.text or "").replace("\n", "<br>\n")


def _pieces(part: Part, body: Body) -> Iterator[_Piece]:
    if part.media_type == "multipart/alternative" and part.children:
        inner = [piece for child in part.children for piece in _pieces(child, body)]
        texts = [piece.text for piece in inner if piece.text is not None]
        htmls = [piece.html for piece in inner if piece.html is not None]
        if inner:
            yield _Piece("\n".join(texts) if texts else None, "\n".join(htmls) if htmls else None)
    elif part.media_type in _NESTED and part.children:
        body.attachments.append(_nested(part))
    elif part.children:
        for child in part.children:
            yield from _pieces(child, body)
    else:
        yield from _leaf(part, body)


def _leaf(part: Part, body: Body) -> Iterator[_Piece]:
    disposition, details = part.disposition()
    name = details.get("filename") or part.params.get("name") or ""
    is_file = disposition == "attachment" or (bool(name) and disposition != "inline") or "content-id" in part.headers
    if part.media_type == "text/html" and not (is_file and name):
        yield _Piece(None, _decoded_text(part, body))
    elif (
        part.media_type in ("text/plain", "text/enriched", "text/markdown") and disposition != "attachment" and not name
    ):
        yield _Piece(_decoded_text(part, body), None)
    elif part.media_type in _MACHINE:
        return
    elif part.media_type in ("application/ms-tnef", "application/vnd.ms-tnef") or name.lower() == "winmail.dat":
        yield from _winmail(part, body)
    else:
        body.attachments.append(_file(part, name, len(body.attachments) + 1))


def _decoded_text(part: Part, body: Body) -> str:
    data = part.decoded()
    declared = part.params.get("charset")
    if part.media_type == "text/html" and not declared:
        meta = _META.search(data[:4096])
        declared = meta[1].decode("ascii") if meta else None
    text, remark = decode(data[:_LONGEST_TEXT], declared)
    if len(data) > _LONGEST_TEXT:
        body.remarks.append(f"the text has {len(data)} bytes, the first {_LONGEST_TEXT} were read")
    if remark is not None and remark not in body.remarks:
        body.remarks.append(remark)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if part.params.get("format", "").lower() == "flowed":
        return _unflow(text, part.params.get("delsp", "").lower() == "yes")
    return text


def _unflow(text: str, delete_space: bool) -> str:
    """RFC 3676: lines that end in a space go on in the next one of the same quote depth."""
    lines: list[str] = []
    open_depth: int | None = None
    for line in text.split("\n"):
        said = line.lstrip(">")
        depth = len(line) - len(said)
        said = said.removeprefix(" ")
        is_signature = said == "-- "
        if open_depth == depth and not is_signature and lines:
            lines[-1] += said
        else:
            lines.append(f"{'>' * depth} {said}" if depth else said)
        open_depth = depth if said.endswith(" ") and not is_signature else None
        if open_depth is not None and delete_space:
            lines[-1] = lines[-1][:-1]
    return "\n".join(lines)


def _winmail(part: Part, body: Body) -> Iterator[_Piece]:
    data = part.decoded()
    found = read_tnef(data)
    if found is None or not (found.files or found.text or found.html):
        body.attachments.append(Attachment("winmail.dat", "application/ms-tnef", data))
        body.remarks.append("winmail.dat could not be read")
        return
    for file in found.files:
        name = safe_name(file.name) or f"file-{len(body.attachments) + 1}"
        media_type = file.media_type or mimetypes.guess_type(name)[0] or "application/octet-stream"
        body.attachments.append(Attachment(name, media_type[:100], file.data, file.content_id))
    if found.html or found.text:
        yield _Piece(None, found.html) if found.html else _Piece(found.text, None)


def _file(part: Part, name: str, number: int) -> Attachment:
    if not name:
        extension = ".ics" if part.media_type == "text/calendar" else mimetypes.guess_extension(part.media_type)
        name = f"file-{number}{extension or '.bin'}"
    content_id = part.text("content-id").strip().strip("<>") or None
    return Attachment(safe_name(name) or f"file-{number}.bin", part.media_type, part.decoded(), content_id)


def _nested(part: Part) -> Attachment:
    inner = part.children[0]
    title = safe_name(inner.text("subject"))[:80] or "message"
    return Attachment(f"{title}.eml", part.media_type, part.decoded())


def safe_name(name: str) -> str:
    """A file name without folders and control characters."""
    return _UNSAFE.sub("_", name.replace("\\", "/").rsplit("/", 1)[-1]).strip(" .")[:200]
