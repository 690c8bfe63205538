"""Screen: lines — how each is, why, what to do about it; and the touches that could not be taken in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web
from sqlalchemy import Connection

from hub.composition import HUB
from hub.desk.pages import show
from hub.desk.reading import lines
from hub.desk.reading.log import icon_of


async def show_lines(request: web.Request) -> web.StreamResponse:
    """GET /desk/lines"""
    setup = request.app[HUB].setup.current

    def read(connection: Connection) -> Mapping[str, Any]:
        health = lines.read_health(connection)
        known = [(key, line, health.get(key)) for key, line in sorted(setup.lines.items())]
        return {"lines": known, "set_aside": lines.read_set_aside(connection)}

    return await show(
        request,
        "lines.html",
        read,
        parts={"list": "_lines_list.html"},
        forms=sorted(setup.forms.items()),
        problems=setup.problems,
        icon_of=icon_of,
    )
