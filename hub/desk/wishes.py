"""Screen: what a client wants to hear from us — how things stand, all that was said, and one more word of his."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web
from sqlalchemy import Connection

from hub.actions import consents as acts
from hub.consents import ALL, standing
from hub.desk.body import read_body
from hub.desk.clients import layout, next_page
from hub.desk.doing import act, back, number_of, see
from hub.desk.pages import show
from hub.desk.reading import clients
from hub.errors import NotFound
from hub.ways import writing_channels
from storage.repositories import consents as rows

_MOST = 100


async def show_wishes(request: web.Request) -> web.StreamResponse:
    """GET /desk/clients/{id}/wishes"""
    number = number_of(request)

    def read(connection: Connection) -> Mapping[str, Any]:
        card = clients.read_card(connection, number)
        if card is None:
            raise NotFound("There is nothing at this address.")
        said = rows.find_all(connection, number)
        return {"card": card, "current": standing(said), "history": said[::-1][:_MOST]}

    return await show(
        request,
        "wishes.html",
        read,
        layout=layout(request),
        next=next_page(request, f"/desk/clients/{number}"),
        channels=(ALL, *writing_channels()),
    )


async def note_wish(request: web.Request) -> web.StreamResponse:
    """POST /desk/clients/{id}/wishes {channel, purpose, state, text, version, reason}"""
    number, body = number_of(request), await read_body(request)
    wish = acts.Wish(
        state=body.text("state"),
        channel=body.text("channel") or ALL,
        purpose=body.text("purpose") or ALL,
        text=body.optional("text"),
        version=body.optional("version"),
        reason=body.optional("reason"),
    )
    await act(request, lambda unit, setup, actor: acts.note_wish(unit, setup, number, actor, wish))
    return see(back(body, f"/desk/clients/{number}"), "saved")
