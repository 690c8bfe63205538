"""What a file is by its content: names and declared types lie. Pure.

Signatures: the file formats' own documents, as the WHATWG "MIME Sniffing" standard lists them for the web.
"""

from __future__ import annotations

import re
from pathlib import PurePath

UNKNOWN = "application/octet-stream"

_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"%PDF-", "application/pdf"),
    (b"{\\rtf", "application/rtf"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"\x1f\x8b", "application/gzip"),
    (b"ID3", "audio/mpeg"),
    (b"OggS", "audio/ogg"),
    (b"#!AMR", "audio/amr"),
    (b"\x1aE\xdf\xa3", "video/webm"),
    (b"MZ", "application/vnd.microsoft.portable-executable"),
    (b"\x7fELF", "application/x-executable"),
    (b"#!", "text/x-script"),
)
_RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}
_BRANDS = {
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"mif1": "image/heic",
    b"avif": "image/avif",
    b"M4A ": "audio/mp4",
    b"qt  ": "video/quicktime",
}
_OFFICE = {
    b"word/": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    b"xl/": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    b"ppt/": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
}
_OLE = {".doc": "application/msword", ".xls": "application/vnd.ms-excel", ".ppt": "application/vnd.ms-powerpoint"}
_TEXTS = {".csv": "text/csv", ".json": "application/json", ".ics": "text/calendar", ".vcf": "text/vcard"}
_MARKUP = re.compile(rb"\s*(?:<!--.{0,500}?-->\s*|<\?xml[^>]{0,200}>\s*|<!doctype[^>]{0,200}>\s*)*<(\w+)", re.I | re.S)
_ACTIVE = {b"svg": "image/svg+xml"} | dict.fromkeys(
    (b"html", b"head", b"body", b"script", b"iframe", b"img", b"a", b"div", b"table", b"style", b"title"), "text/html"
)


def media_type_of(data: bytes, name: str = "") -> str:
    """The media type of a file. The name only chooses among what looks alike (.doc and .xls, .csv and text)."""
    for signature, media_type in _SIGNATURES:
        if data.startswith(signature):
            return media_type
    if data.startswith(b"RIFF"):
        return _RIFF.get(data[8:12], UNKNOWN)
    if data[4:8] == b"ftyp":
        return _BRANDS.get(data[8:12], "video/mp4")
    suffix = PurePath(name).suffix.lower()
    if data.startswith(b"PK\x03\x04"):
        return _zipped(data)
    if data.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return _OLE.get(suffix, "application/x-ole-storage")
    if len(data) > 1 and data[0] == 0xFF and data[1] & 0xE6 == 0xE2:
        return "audio/mpeg"
    return _text(data, suffix)


def _zipped(data: bytes) -> str:
    if data[30:38] == b"mimetype":  # OpenDocument and EPUB put their type first, uncompressed
        end = data.find(b"PK", 38, 200)
        declared = data[38:end].decode("ascii", "replace")
        return declared if re.fullmatch(r"application/[\w.+-]+", declared) else "application/zip"
    if b"[Content_Types].xml" in data[:4096] or b"_rels/.rels" in data[:4096]:
        return next((media_type for folder, media_type in _OFFICE.items() if folder in data), "application/zip")
    return "application/zip"


def _text(data: bytes, suffix: str) -> str:
    if b"\x00" in data[:4096]:
        return UNKNOWN
    if (markup := _MARKUP.match(data[:2048].removeprefix(b"\xef\xbb\xbf"))) is not None:
        return _ACTIVE.get(markup[1].lower(), "application/xml" if data.lstrip().startswith(b"<?xml") else "text/plain")
    try:
        data.decode()
    except UnicodeDecodeError:
        return "text/plain" if suffix in (".txt", ".csv", ".log") else UNKNOWN
    return _TEXTS.get(suffix, "text/plain")


def is_accepted(media_type: str, name: str, accept: tuple[str, ...]) -> bool:
    """Does a file pass an `accept` list (`image/*`, `application/pdf`, `.docx`)? An empty list lets everything in."""
    if not accept:
        return True
    suffix = PurePath(name).suffix.lower()
    family = media_type.partition("/")[0] + "/*"
    return any(
        wanted.lower() in (media_type, family, "*/*") or _by_name(wanted, suffix, media_type) for wanted in accept
    )


_RUNNABLE = frozenset(
    ["application/vnd.microsoft.portable-executable", "application/x-executable", "text/x-script", "text/html"]
)


def _by_name(wanted: str, suffix: str, media_type: str) -> bool:
    """A name counts unless the content betrays it: a program called `.docx` is not a document."""
    return wanted.startswith(".") and wanted.lower() == suffix and media_type not in _RUNNABLE
