"""winmail.dat (MS-OXTNEF): the files and the text that Outlook hides in it.

Read by hand, because the libraries for it believe every count in a stranger's file: four bytes keep them busy for
hours. Here every step moves forward, so the work is bounded by the size of the file.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from channels.email.charset import decode

_SIGNATURE = 0x223E9F78
_MOST = 10_000
_RENDER, _TITLE, _DATA, _ATTACHMENT = 0x9002, 0x8010, 0x800F, 0x9005
_BODY, _PROPERTIES, _CODEPAGE = 0x800C, 0x9003, 0x9007
_FILE_NAME, _LONG_FILE_NAME, _MEDIA_TYPE, _OBJECT, _CONTENT_ID = 0x3704, 0x3707, 0x370E, 0x3701, 0x3712
_MESSAGE_BODY, _MESSAGE_HTML, _INTERNET_CODEPAGE = 0x1000, 0x1013, 0x3FDE
_FIXED = {0: 0, 1: 0, 2: 4, 3: 4, 4: 4, 5: 8, 6: 8, 7: 8, 0x0A: 4, 0x0B: 4, 0x14: 8, 0x40: 8, 0x48: 16}
_UNICODE, _VARIABLE = 0x1F, frozenset({0x0D, 0x1E, 0x1F, 0x102})
_GUID_LENGTH = 16


@dataclass(slots=True)
class TnefFile:
    """One attachment inside."""

    name: str = ""
    media_type: str = ""
    data: bytes = b""
    content_id: str | None = None


@dataclass(slots=True)
class Tnef:
    """What a winmail.dat holds."""

    files: list[TnefFile] = field(default_factory=list)
    text: str = ""
    html: str = ""


def read_tnef(data: bytes) -> Tnef | None:
    """The content, as far as it can be read; None if this is no TNEF at all. Never raises."""
    if len(data) < 6 or struct.unpack_from("<I", data)[0] != _SIGNATURE:
        return None
    found, charset = Tnef(), "cp1252"
    for number, content in _attributes(data):
        if number == _CODEPAGE and len(content) >= 4:
            charset = f"cp{struct.unpack_from('<I', content)[0]}"
        elif number == _RENDER:
            found.files.append(TnefFile())
        elif number in (_TITLE, _DATA, _ATTACHMENT) and found.files:
            _take_file(found.files[-1], number, content, charset)
        elif number == _BODY:
            found.text = _text(content, charset)
        elif number == _PROPERTIES:
            _take_body(found, content, charset)
    found.files = [file for file in found.files if file.data]
    return found


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    at, view = 6, memoryview(data)
    for _ in range(_MOST):
        if at + 11 > len(data):
            return
        number, length = struct.unpack_from("<xHxxI", data, at)
        yield number, bytes(view[at + 9 : at + 9 + length])
        at += 11 + length


def _take_file(file: TnefFile, number: int, content: bytes, charset: str) -> None:
    if number == _TITLE:
        file.name = file.name or _text(content, charset)
    elif number == _DATA:
        file.data = content
    else:
        for prop, kind, value in _properties(content):
            _take_file_property(file, prop, _string(kind, value, charset), value)


def _take_file_property(file: TnefFile, prop: int, text: str, value: bytes) -> None:
    if prop == _LONG_FILE_NAME and text:
        file.name = text
    elif prop == _FILE_NAME:
        file.name = file.name or text
    elif prop == _MEDIA_TYPE:
        file.media_type = text.lower()
    elif prop == _CONTENT_ID:
        file.content_id = text.strip("<>") or None
    elif prop == _OBJECT and not file.data:
        file.data = value[_GUID_LENGTH:]


def _take_body(found: Tnef, content: bytes, charset: str) -> None:
    for prop, kind, value in _properties(content):
        if prop == _INTERNET_CODEPAGE and len(value) >= 4:
            page = struct.unpack_from("<I", value)[0]
            charset = "utf-8" if page == 65001 else f"cp{page}"
        elif prop == _MESSAGE_BODY:
            found.text = _string(kind, value, charset)
        elif prop == _MESSAGE_HTML:
            found.html = _string(kind, value, charset)


def _properties(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """(number, type, first value) of every MAPI property; stops at the first thing that makes no sense."""
    try:
        at = 4
        for _ in range(min(_MOST, struct.unpack_from("<I", data)[0])):
            kind, number = struct.unpack_from("<HH", data, at)
            at = _skip_name(data, at + 4) if number >= 0x8000 else at + 4
            value, at = _value(data, at, kind)
            yield number, kind & 0xFFF, value
    except (struct.error, ValueError):
        return


def _skip_name(data: bytes, at: int) -> int:
    at += _GUID_LENGTH
    (named,) = struct.unpack_from("<I", data, at)
    (length,) = struct.unpack_from("<I", data, at + 4)
    return at + 8 + (_padded(length) if named else 0)


def _value(data: bytes, at: int, kind: int) -> tuple[bytes, int]:
    many, kind = bool(kind & 0x1000), kind & 0xFFF
    variable = kind in _VARIABLE
    count = 1
    if many or variable:
        (count,) = struct.unpack_from("<I", data, at)
        at += 4
    if count > _MOST or (not variable and kind not in _FIXED):
        raise ValueError("makes no sense")
    first = b""
    for place in range(count):
        length = struct.unpack_from("<I", data, at)[0] if variable else _FIXED[kind]
        at += 4 if variable else 0
        if at + length > len(data):
            raise ValueError("longer than the file")
        first = data[at : at + length] if place == 0 else first
        at += _padded(length)
    return first, at


def _padded(length: int) -> int:
    return length + (-length % 4)


def _string(kind: int, value: bytes, charset: str) -> str:
    return decode(value, "utf-16-le")[0].rstrip("\ufffd\0") if kind == _UNICODE else _text(value, charset)


def _text(content: bytes, charset: str) -> str:
    return decode(content.rstrip(b"\0"), charset)[0]
