"""Screen: alerts — what a manager is told, until he acknowledges it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web
from sqlalchemy import Connection

from hub.actions import alerts
from hub.desk.doing import act, number_of, see
from hub.desk.pages import show
from hub.desk.reading import promises
from hub.desk.visitor import who


async def show_alerts(request: web.Request) -> web.StreamResponse:
    """GET /desk/alerts[?tab=settled][?digest=NUMBER]"""
    key, settled = who(request).key, request.query.get("tab") == "settled"
    written = request.query.get("digest", "")
    digest = int(written) if written.isdecimal() and len(written) < 16 else None

    def read(connection: Connection) -> Mapping[str, Any]:
        return {"alerts": promises.read_alerts(connection, key, settled=settled, digest=digest)}

    parts = {"list": "_alerts_list.html"}
    return await show(request, "alerts.html", read, parts=parts, settled=settled, digest=digest)


async def acknowledge(request: web.Request) -> web.StreamResponse:
    """POST /desk/alerts/{id}/acknowledge"""
    number = number_of(request)
    await act(request, lambda unit, setup, actor: alerts.acknowledge(unit, setup, number, actor))
    return see("/desk/alerts", "acknowledged")


async def show_bell(request: web.Request) -> web.StreamResponse:
    """GET /desk/frame?part=bell: the count in the header"""
    key = who(request).key

    def read(connection: Connection) -> Mapping[str, Any]:
        return {"tallies": {"alerts": promises.count_alerts(connection, key)}}

    return await show(request, "_bell.html", read, parts={"bell": "_bell.html"})
