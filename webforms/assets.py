"""Scripts and styles, put together once: two scripts share one half, page and snippet share one style sheet."""

from __future__ import annotations

from functools import cache
from hashlib import blake2b
from pathlib import Path

from aiohttp import web

_FOLDER = Path(__file__).with_name("static")
_PARTS = {
    "page.css": ("form.css", "page.css"),
    "page.js": ("shared.js", "page.js"),
    "thanks.js": ("shared.js", "thanks.js"),
}
_TYPES = {"css": "text/css", "js": "text/javascript"}
_YEAR = "public, max-age=31536000, immutable"


def read(name: str) -> str:
    """One file of the folder."""
    return (_FOLDER / name).read_text("utf-8")


@cache
def text_of(name: str) -> str:
    """An asset as it is served. Scripts are closed in a function, so that nothing leaks into the page."""
    joined = "\n".join(read(part) for part in _PARTS[name])
    return f'(() => {{\n"use strict";\n{joined}\n}})();\n' if name.endswith(".js") else joined


@cache
def version_of(name: str) -> str:
    """Changes with the content, so that browsers may keep an asset for ever."""
    return blake2b(text_of(name).encode(), digest_size=6).hexdigest()


def link(name: str) -> str:
    """The address of an asset."""
    return f"/forms/-/{name}?v={version_of(name)}"


async def serve(request: web.Request) -> web.Response:
    """`GET /forms/-/{name}`"""
    name = request.match_info["name"]
    if name not in _PARTS:
        raise web.HTTPNotFound
    fresh = request.query.get("v") == version_of(name)
    response = web.Response(
        text=text_of(name),
        content_type=_TYPES[name.rpartition(".")[2]],
        headers={"Cache-Control": _YEAR if fresh else "no-cache", "X-Content-Type-Options": "nosniff"},
    )
    response.enable_compression()
    return response
