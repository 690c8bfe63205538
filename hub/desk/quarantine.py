"""Screen: quarantine — release into the log, or say that it is junk. Nothing is thrown away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web
from sqlalchemy import Connection

from hub.actions import interactions
from hub.desk.body import read_body
from hub.desk.doing import act, number_of, see
from hub.desk.pages import show
from hub.desk.reading import log

JUNK = "spam"


async def show_quarantine(request: web.Request) -> web.StreamResponse:
    """GET /desk/quarantine[?tab=junk]"""
    junk = request.query.get("tab") == "junk"

    def read(connection: Connection) -> Mapping[str, Any]:
        return {"entries": [one for one in log.read_quarantine(connection) if (one.disposition == JUNK) == junk]}

    return await show(request, "quarantine.html", read, parts={"list": "_quarantine_list.html"}, junk=junk)


async def settle(request: web.Request) -> web.StreamResponse:
    """POST /desk/quarantine/{id} {do}"""
    number, do = number_of(request), (await read_body(request)).text("do")
    if do == "junk":
        await act(request, lambda unit, setup, actor: interactions.amend(unit, setup, number, actor, disposition=JUNK))
        return see("/desk/quarantine", "junked")
    await act(request, lambda unit, setup, actor: interactions.release(unit, setup, number, actor))
    return see("/desk/quarantine", "released")
