"""The body of a form that a person sends: fields and files, read once, within limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo

from aiohttp import BodyPartReader, web
from multidict import MultiDict

from hub.errors import BadInput, Refused

MOST_BYTES = 40 * 1024 * 1024
_LONGEST_FIELD = 1024 * 1024


class TooLarge(Refused):
    """More than the desk takes."""

    status = 413
    code = "too_large"


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as the browser sent it."""

    name: str
    media_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Body:
    """What was filled in."""

    fields: MultiDict[str] = field(default_factory=MultiDict)
    files: tuple[Upload, ...] = ()

    def text(self, name: str) -> str:
        """A field without blanks around it; empty when missing."""
        return self.fields.get(name, "").strip()

    def optional(self, name: str) -> str | None:
        """A field, or None when it is empty."""
        return self.text(name) or None

    def ticked(self, name: str) -> bool:
        """Is a box ticked?"""
        return bool(self.fields.get(name))

    def all(self, name: str) -> Sequence[str]:
        """Every value of a repeated field, empty ones left out."""
        return [value.strip() for value in self.fields.getall(name, []) if value.strip()]

    def numbers(self, name: str) -> tuple[int, ...]:
        """Row numbers. Raises `BadInput`."""
        try:
            return tuple(int(value) for value in self.all(name))
        except ValueError:
            raise BadInput("A number is expected here.", field=name) from None

    def number(self, name: str) -> int | None:
        """One row number, or None when it is empty."""
        found = self.numbers(name)
        return found[0] if found else None

    def instant(self, name: str, zone: tzinfo) -> datetime | None:
        """What an <input type="datetime-local"> sends, read in the visitor's zone. Raises `BadInput`."""
        written = self.text(name)
        if not written:
            return None
        try:
            return datetime.fromisoformat(written).replace(tzinfo=zone).astimezone(UTC)
        except ValueError:
            raise BadInput("This is no date and time.", field=name) from None


BODY: web.RequestKey[Body] = web.RequestKey("body")


async def read_body(request: web.Request) -> Body:
    """Read it once; later calls get the same. Raises `TooLarge`."""
    known: Body | None = request.get(BODY)
    if known is not None:
        return known
    if request.content_type == "multipart/form-data":
        found = await _read_parts(request)
    else:
        found = Body(
            MultiDict((name, value) for name, value in (await request.post()).items() if isinstance(value, str))
        )
    request[BODY] = found
    return found


async def _read_parts(request: web.Request) -> Body:
    fields: MultiDict[str] = MultiDict()
    files: list[Upload] = []
    left = MOST_BYTES
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader) or part.name is None:
            continue
        data = await _read_part(part, left if part.filename else min(left, _LONGEST_FIELD))
        left -= len(data)
        if part.filename is None:
            fields.add(part.name, data.decode("utf-8", "replace"))
        elif part.filename or data:
            kind = part.headers.get("Content-Type", "application/octet-stream").partition(";")[0].strip()
            files.append(Upload(part.filename[-200:], kind[:200], data))
    return Body(fields, tuple(files))


async def _read_part(part: BodyPartReader, most: int) -> bytes:
    found = bytearray()
    while chunk := await part.read_chunk(65536):
        found += chunk
        if len(found) > most:
            raise TooLarge("The files are too large: at most 40 MB go with one message.")
    return bytes(found)
