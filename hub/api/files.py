"""Attachments: uploaded before they are sent, or inside a call's JSON; downloaded as files, never shown in place."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote

from aiohttp import web
from pydantic import AfterValidator, Field
from sqlalchemy import insert
from typing_extensions import TypedDict

from hub.api.call import Call, operation
from hub.api.refusal import WrongType
from hub.api.serve import read_bytes
from hub.api.values import Asked, Id, InlineFile, without_nulls
from hub.errors import BadInput, NotFound
from storage.files import FileStore
from storage.models import attachment
from storage.repositories import interactions
from storage.unit import Unit

MOST_FILE = 30 * 1024 * 1024
_MOST_FILES = 50
_MEDIA_TYPE = re.compile(r"[\w.+-]{1,100}/[\w.+-]{1,99}", re.ASCII)


class AttachmentOut(TypedDict):
    """A file of an interaction; `content_id` marks an image inside its text."""

    id: int
    name: str
    media_type: str
    size: int
    content_id: str | None
    url: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A file that lies in the file store and is not in the database yet."""

    name: str
    media_type: str
    size: int
    path: str


def show_attachment(one: interactions.Attachment) -> AttachmentOut:
    """As the API writes it."""
    return {
        "id": one.id,
        "name": one.name,
        "media_type": one.media_type,
        "size": one.size,
        "content_id": one.content_id,
        "url": f"/api/v1/attachments/{one.id}",
    }


def _file_name(value: str) -> str:
    return re.sub(r"[\x00-\x1f\x7f/\\]", "_", without_nulls(value))


class UploadQuery(Asked):
    """How the file is called."""

    name: Annotated[str, Field(min_length=1, max_length=255, examples=["offer.pdf"]), AfterValidator(_file_name)]


@operation(
    "POST",
    "/attachments",
    tag="attachments",
    summary="Upload a file",
    query=UploadQuery,
    upload=True,
    answer=AttachmentOut,
    status=201,
    refusals=(413, 422),
)
async def upload(call: Call[UploadQuery, Any]) -> AttachmentOut:
    """The body is the file itself, `Content-Type` its media type. Its id goes into `attachments` of a reply."""
    if call.request.content_type.startswith("multipart/"):
        raise WrongType("the body is the file itself here", remedy="send the bytes with their own media type")
    data = await read_bytes(call.request, MOST_FILE)
    if not data:
        raise BadInput("the file is empty", remedy="send its bytes as the body")
    kept = (await keep_files(call.hub.store.files, [(call.query.name, call.request.content_type, data)]))[0]
    number = (await call.act(lambda unit, setup, actor: note_files(unit, [kept], actor.key)))[0]
    found = interactions.Attachment(number, None, kept.name, kept.media_type, kept.size, None, kept.path, None)
    return show_attachment(found)


@operation(
    "GET",
    "/attachments/{id}",
    tag="attachments",
    summary="Download a file",
    answer=None,
    refusals=(404,),
)
async def download(call: Call[Any, Any]) -> web.StreamResponse:
    """The bytes as they came. Whatever a file claims to be, browsers are told to save it and never to run it."""
    number = call.path["id"]
    found = await call.read(lambda connection: interactions.find_attachment(connection, number))
    if found is None:
        raise NotFound(f"there is no attachment {number}")
    path = call.hub.store.files.locate(found.path)
    if not await asyncio.to_thread(path.is_file):
        raise NotFound(f"the file of attachment {number} is gone", remedy="restore the files folder from a backup")
    media_type = found.media_type if _MEDIA_TYPE.fullmatch(found.media_type) else "application/octet-stream"
    headers = {
        "Content-Type": media_type,
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(found.name, safe='')}",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, max-age=3600",
    }
    return web.FileResponse(path, headers=headers)


async def keep_inline(files: FileStore, given: Sequence[int | InlineFile]) -> tuple[list[int], list[Kept]]:
    """Ids as they are; files inside the JSON are kept now, fsynced, before the database hears of them."""
    if len(given) > _MOST_FILES:
        raise BadInput(f"at most {_MOST_FILES} files", field="attachments")
    inline: list[tuple[str, str, bytes]] = []
    for one in given:
        if isinstance(one, InlineFile):
            try:
                inline.append((_file_name(one.name), one.media_type, one.decode()))
            except ValueError as error:
                raise BadInput(
                    f"{one.name} is not base64", field="attachments", remedy="encode the bytes as base64"
                ) from error
    return [one for one in given if isinstance(one, int)], await keep_files(files, inline)


async def keep_files(files: FileStore, given: Sequence[tuple[str, str, bytes]]) -> list[Kept]:
    """Write files to the file store."""
    if not given:
        return []

    def keep() -> list[Kept]:
        return [Kept(name, media_type, len(data), files.keep(data)) for name, media_type, data in given]

    return await asyncio.to_thread(keep)


def note_files(unit: Unit, kept: Sequence[Kept], owner: str) -> list[int]:
    """Write kept files down as attachments that belong to nothing yet."""
    numbers = []
    for one in kept:
        values = {"name": one.name, "media_type": one.media_type, "size": one.size, "path": one.path}
        done = unit.connection.execute(
            insert(attachment).values(**values, uploaded_by=owner[:100], uploaded_at=unit.now)
        )
        numbers.append(int(done.inserted_primary_key[0]))  # type: ignore[index]
    return numbers


AttachmentIn = Id | InlineFile
