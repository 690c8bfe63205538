"""Screen: what a search over clients and the whole log finds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web
from sqlalchemy import Connection

from hub.desk.pages import show
from hub.desk.reading import clients, log

_CLIENTS, _ENTRIES = 10, 50


async def show_found(request: web.Request) -> web.StreamResponse:
    """GET /desk/search?q="""
    words = request.query.get("q", "").strip()[:200]

    def read(connection: Connection) -> Mapping[str, Any]:
        if not words:
            return {"clients": [], "entries": []}
        numbers = clients.search_log(connection, words, _ENTRIES)
        found = log.read_found(connection, numbers)
        return {"clients": clients.read_clients(connection, words, None, _CLIENTS), "entries": found}

    return await show(request, "search.html", read, words=words)
