"""Plays a sound to a browser: whole or in parts, from a file or through from the PBX's web server."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from pathlib import PurePosixPath
from typing import BinaryIO
from urllib.parse import quote

import structlog
from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, web

from channels.contract import Sound
from hub.errors import NotFound, Unavailable
from hub.recordings.ranges import Part, Unsatisfiable, find_part, is_known, is_unchanged

log = structlog.get_logger(__name__)

_CHUNK = 256 * 1024
_TIMES = ClientTimeout(total=None, connect=5, sock_read=30)
_PASSED = ("Content-Range", "ETag", "Last-Modified")

Noted = Callable[[], Awaitable[None]]


async def play(request: web.Request, sound: Sound, noted: Noted) -> web.StreamResponse:
    """Answer the request with the sound. `noted` is awaited before the first byte of it goes out.

    Raises `NotFound`, or `Unavailable` when the PBX's web server does not give it.
    """
    if sound.path is None:
        return await _pass_through(request, sound, noted)
    try:
        file = await asyncio.to_thread(sound.path.open, "rb")
    except OSError:
        raise NotFound("the recording is not there yet", remedy="try again in a few minutes") from None
    try:
        return await _play_file(request, sound, file, noted)
    finally:
        await asyncio.to_thread(file.close)


async def _play_file(request: web.Request, sound: Sound, file: BinaryIO, noted: Noted) -> web.StreamResponse:
    about = os.fstat(file.fileno())
    size, modified = about.st_size, formatdate(about.st_mtime, usegmt=True)
    etag = f'"{about.st_mtime_ns:x}-{size:x}"'
    response = _begin(sound)
    response.headers.update({"ETag": etag, "Last-Modified": modified})
    if is_known(request.headers.get("If-None-Match"), etag):
        response.set_status(304)
        await response.prepare(request)
        return response
    part = None
    if is_unchanged(request.headers.get("If-Range"), etag, modified):
        part = _part(request, response, size)
        if response.status == 416:
            return await _refuse_part(request, response)
    start = _measure(response, part, size)
    if request.method == "HEAD":
        await response.prepare(request)
        return response
    await noted()
    await response.prepare(request)
    left = part.size if part else size
    await asyncio.to_thread(file.seek, start)
    while left and (chunk := await asyncio.to_thread(file.read, min(_CHUNK, left))):
        left -= len(chunk)
        await response.write(chunk)
    await response.write_eof()
    return response


async def _pass_through(request: web.Request, sound: Sound, noted: Noted) -> web.StreamResponse:
    """The web server's password stays here; what the browser asks for of a part goes along."""
    assert sound.address is not None
    asked = {name: request.headers[name] for name in ("Range", "If-Range") if name in request.headers}
    headers = {**sound.headers, **asked, "Accept-Encoding": "identity"}
    try:
        async with (
            ClientSession(timeout=_TIMES, auto_decompress=False) as http,
            http.request(request.method, sound.address, headers=headers, allow_redirects=False) as source,
        ):
            return await _pass_on(request, sound, source, noted)
    except (ClientError, TimeoutError) as error:
        log.warning("recording_not_given", error=type(error).__name__)
        raise Unavailable("the PBX's web server does not answer", remedy="try again later") from None


async def _pass_on(request: web.Request, sound: Sound, source: ClientResponse, noted: Noted) -> web.StreamResponse:
    if source.status in {404, 410}:
        raise NotFound("the recording is not there yet", remedy="try again in a few minutes")
    if source.status not in {200, 206, 416}:
        log.warning("recording_not_given", status=source.status)
        raise Unavailable(
            "the PBX's web server does not give the recording",
            remedy="ask the administrator for recordings_user and recordings_password of the line",
        )
    response = _begin(sound)
    response.set_status(source.status)
    response.headers.update({name: source.headers[name] for name in _PASSED if name in source.headers})
    if source.status == 416:
        return await _refuse_part(request, response)
    skip, size = 0, source.content_length
    if source.status == 200 and size is not None and "If-Range" not in request.headers:
        part = _part(request, response, size)  # it knows no parts: they are cut here
        if response.status == 416:
            return await _refuse_part(request, response)
        skip, size = _measure(response, part, size), part.size if part else size
    if size is not None:
        response.content_length = size
    if request.method != "HEAD":
        await noted()
    await response.prepare(request)
    if request.method != "HEAD":
        await _copy(source, response, skip, size)
        await response.write_eof()
    return response


async def _copy(source: ClientResponse, response: web.StreamResponse, skip: int, size: int | None) -> None:
    left = size
    async for chunk in source.content.iter_chunked(_CHUNK):
        cut = chunk[skip:]
        skip = max(skip - len(chunk), 0)
        if left is not None:
            cut = cut[:left]
            left -= len(cut)
        if cut:
            await response.write(cut)
        if left == 0:
            return


def _begin(sound: Sound) -> web.StreamResponse:
    name = quote(PurePosixPath(sound.name).name, safe="")
    return web.StreamResponse(
        headers={
            "Content-Type": sound.media_type,
            "Content-Disposition": f"inline; filename*=UTF-8''{name}",
            "Accept-Ranges": "bytes",
            "Cache-Control": "private, no-store",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "X-Content-Type-Options": "nosniff",
        }
    )


def _part(request: web.Request, response: web.StreamResponse, size: int) -> Part | None:
    """The part that is asked for; the status says what becomes of it."""
    try:
        part = find_part(request.headers.get("Range"), size)
    except Unsatisfiable:
        response.set_status(416)
        response.headers["Content-Range"] = f"bytes */{size}"
        return None
    response.set_status(206 if part else 200)
    return part


def _measure(response: web.StreamResponse, part: Part | None, size: int) -> int:
    """The length, and for a part where it lies; answers where it begins."""
    response.content_length = part.size if part else size
    if part is None:
        return 0
    response.headers["Content-Range"] = part.content_range(size)
    return part.start


async def _refuse_part(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    response.content_length = 0
    await response.prepare(request)
    return response
