"""Files that an operator attaches: kept and fsynced before their rows are written."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from aiohttp import web
from sqlalchemy import insert

from hub.composition import HUB
from hub.desk.body import Upload, read_body
from hub.desk.visitor import who
from hub.errors import BadInput
from storage.models import attachment
from storage.unit import Unit


async def upload(request: web.Request) -> web.StreamResponse:
    """POST /desk/attachments: one file or several -> {"attachments": [{"id", "name", "size"}]}"""
    files = (await read_body(request)).files
    if not files:
        raise BadInput("Choose a file first.", field="file")
    numbers = await keep_uploads(request, files)
    kept = [{"id": number, "name": one.name, "size": len(one.data)} for number, one in zip(numbers, files, strict=True)]
    return web.json_response({"attachments": kept}, status=201)


async def keep_uploads(request: web.Request, files: Iterable[Upload]) -> tuple[int, ...]:
    """Their numbers; they belong to nothing until the message goes out."""
    hub, operator = request.app[HUB], who(request).key
    kept = [(one, await asyncio.to_thread(hub.store.files.keep, one.data)) for one in files]
    if not kept:
        return ()
    return await hub.store.write(lambda unit: tuple(_write_row(unit, one, path, operator) for one, path in kept))


def _write_row(unit: Unit, file: Upload, path: str, operator: str) -> int:
    values = {
        "name": file.name,
        "media_type": file.media_type,
        "size": len(file.data),
        "path": path,
        "uploaded_by": operator,
        "uploaded_at": unit.now,
    }
    return int(unit.connection.execute(insert(attachment).values(values)).inserted_primary_key[0])  # type: ignore[index]
