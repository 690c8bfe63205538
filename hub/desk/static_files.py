"""The desk's own style sheets, scripts and icons, served under a name that changes with their content."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

_FOLDER = Path(__file__).parent / "static"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True)
class StaticFiles:
    """All files in memory; `root` is the path under which they are served for as long as none of them changes."""

    root: str
    files: dict[str, bytes]

    @classmethod
    def load(cls, folder: Path = _FOLDER) -> StaticFiles:
        """Read the folder once."""
        paths = sorted(path for path in folder.rglob("*") if path.suffix in _TYPES)
        files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
        digest = hashlib.sha256(b"\0".join(name.encode() + data for name, data in files.items())).hexdigest()[:12]
        return cls(f"/desk/static/{digest}", files)


STATIC: web.AppKey[StaticFiles] = web.AppKey("desk_static")


async def serve_static(request: web.Request) -> web.Response:
    """GET /desk/static/{digest}/{name}"""
    name = request.match_info["name"]
    files = request.app[STATIC]
    data = files.files.get(name)
    if data is None:
        raise web.HTTPNotFound
    current = files.root.endswith(request.match_info["digest"])
    headers = {
        "Content-Type": _TYPES[Path(name).suffix],
        "Cache-Control": "public, max-age=31536000, immutable" if current else "no-cache",
        "X-Content-Type-Options": "nosniff",
    }
    return web.Response(body=data, headers=headers)
