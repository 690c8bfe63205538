"""Screen: two clients are one — find the other, look at both, merge; and undo it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web
from sqlalchemy import Connection

from hub.actions import merging
from hub.desk.body import read_body
from hub.desk.doing import act, back, number_of, see
from hub.desk.pages import show
from hub.desk.reading import clients
from hub.errors import BadInput, NotFound

_MOST = 30


async def show_merge(request: web.Request) -> web.StreamResponse:
    """GET /desk/clients/{id}/merge[?q=|other=]"""
    number, words, other = number_of(request), request.query.get("q", ""), request.query.get("other", "")

    def read(connection: Connection) -> Mapping[str, Any]:
        card = clients.read_card(connection, number)
        second = clients.read_card(connection, int(other)) if other.isdigit() else None
        if card is None or (other and second is None):
            raise NotFound("There is nothing at this address.")
        found = clients.read_clients(connection, words, None, _MOST) if words else []
        held = clients.count_of_client(connection, number)
        moved = clients.count_of_client(connection, second.id) if second else {}
        return {"card": card, "other": second, "rows": found, "held": held, "moved": moved}

    return await show(request, "merge.html", read, words=words)


async def merge(request: web.Request) -> web.StreamResponse:
    """POST /desk/clients/{id}/merge {other}"""
    number, other = number_of(request), (await read_body(request)).number("other")
    if other is None:
        raise BadInput("Which client is it?", field="other")
    await act(request, lambda unit, setup, actor: merging.merge(unit, setup, number, other, actor))
    return see(f"/desk/clients/{number}", "merged")


async def undo_merge(request: web.Request) -> web.StreamResponse:
    """POST /desk/merges/{id}/undo"""
    number, body = number_of(request), await read_body(request)
    await act(request, lambda unit, setup, actor: merging.undo_merge(unit, setup, number, actor))
    return see(back(body, "/desk/clients"), "unmerged")
