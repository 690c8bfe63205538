"""Screen: log by hand what no line has heard — a visit, a letter, a fax, a talk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web
from sqlalchemy import Connection, select

from hub.actions import interactions
from hub.actions.interactions import HandMade
from hub.composition import HUB
from hub.desk.body import read_body
from hub.desk.doing import act, see
from hub.desk.pages import show, speech_of
from hub.desk.reading import clients
from hub.desk.uploads import keep_uploads
from hub.desk.visitor import who
from hub.desk.vocabulary import Vocabulary
from storage.models import interaction

KINDS = ("meeting", "call", "letter", "fax", "note")


async def show_log(request: web.Request) -> web.StreamResponse:
    """GET /desk/log[?client=&conversation=]"""
    client, conversation = request.query.get("client", ""), request.query.get("conversation", "")
    vocabulary = Vocabulary(speech_of(request))

    def read(connection: Connection) -> Mapping[str, Any]:
        return {"card": clients.read_card(connection, int(client)) if client.isdigit() else None}

    kinds = [(key, vocabulary("kind", key)) for key in KINDS]
    number = int(conversation) if conversation.isdigit() else None
    return await show(request, "log.html", read, kinds=kinds, kind="meeting", conversation=number)


async def write_log(request: web.Request) -> web.StreamResponse:
    """POST /desk/log"""
    body, visitor = await read_body(request), who(request)
    kind = body.text("kind")
    made = HandMade(
        kind=kind,
        direction="internal" if kind == "note" else body.text("direction") or None,
        at=body.instant("at", visitor.zone),
        client=body.number("client"),
        identities=(body.text("party"),) if body.text("party") else (),
        name=body.optional("name"),
        conversation=body.number("conversation"),
        operator=visitor.key,
        subject=body.optional("subject"),
        text=body.text("text").replace("\r\n", "\n"),
        attachments=await keep_uploads(request, body.files),
        call={"outcome": "answered"} if kind == "call" else None,
    )
    number = await act(request, lambda unit, setup, actor: interactions.log_by_hand(unit, setup, actor, made))
    place = await request.app[HUB].store.read(lambda connection: _place_of(connection, number))
    return see(place, "logged")


def _place_of(connection: Connection, number: int) -> str:
    query = select(interaction.c.conversation_id, interaction.c.client_id).where(interaction.c.id == number)
    row = connection.execute(query).one()
    return f"/desk/conversations/{row[0]}" if row[0] else f"/desk/clients/{row[1]}"
