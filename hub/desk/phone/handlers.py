"""What an operator does with a call that he is shown: types, says who it is, hands it over, is done with it."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from sqlalchemy import Connection, Row

from hub.actions import call_notes, calling, clients, interactions
from hub.actions.call_notes import CallNote
from hub.actor import Actor
from hub.composition import HUB
from hub.desk.body import Body, read_body
from hub.desk.doing import act, number_of
from hub.desk.pages import show, speech_of
from hub.desk.reading.clients import read_card, read_clients
from hub.desk.visitor import who
from hub.errors import BadInput, NotFound
from hub.setup.snapshot import SetUp
from hub.telephony.picture import read_picture
from storage.models import interaction
from storage.unit import Unit

_FIELD = "field."
_DONE = {"done": True}
_MOST_FOUND = 8


async def save_note(request: web.Request) -> web.StreamResponse:
    """POST /desk/calls/{id}/note: as typed so far"""
    number, typed = number_of(request), await _read_note(request)
    await act(request, lambda unit, setup, actor: call_notes.save(unit, setup, number, actor, typed))
    return web.json_response({"saved": True})


async def finish(request: web.Request) -> web.StreamResponse:
    """POST /desk/calls/{id}/finish {anyway}: what was typed is kept also when a gate refuses"""
    number, typed = number_of(request), await _read_note(request)
    anyway = (await read_body(request)).ticked("anyway")
    title = speech_of(request).say("Call back, as agreed")

    await act(request, lambda unit, setup, actor: call_notes.save(unit, setup, number, actor, typed))
    await act(
        request,
        lambda unit, setup, actor: call_notes.finish(
            unit, setup, number, actor, typed, anyway=anyway, task_title=title
        ),
    )
    visitor = who(request)
    await calling.finish_wrap_up(request.app[HUB], visitor.actor, visitor.key)
    return web.json_response(_DONE)


async def choose_client(request: web.Request) -> web.StreamResponse:
    """POST /desk/calls/{id}/client {client}"""
    number, chosen = number_of(request), (await read_body(request)).number("client")
    if chosen is None:
        raise BadInput("Which client is it?", field="client")
    await act(request, lambda unit, setup, actor: interactions.choose_client(unit, setup, number, actor, chosen))
    return web.json_response(_DONE)


async def name_client(request: web.Request) -> web.StreamResponse:
    """POST /desk/calls/{id}/name {name}: who was only a number gets a name; if he stood in for others, he is new"""
    number, name = number_of(request), (await read_body(request)).text("name")
    if not name:
        raise BadInput("What is the name?", field="name")
    await act(request, lambda unit, setup, actor: _name(unit, setup, actor, number, name))
    return web.json_response(_DONE)


async def show_whose(request: web.Request) -> web.StreamResponse:
    """GET /desk/calls/{id}/whose[?q=]: look for somebody we know; a stand-in can also become a client of his own"""
    number, words = number_of(request), request.query.get("q", "").strip()

    def read(connection: Connection) -> dict[str, object]:
        row = _find_row(connection, number)
        card = read_card(connection, row.client_id) if row.client_id is not None else None
        found = read_clients(connection, words, None, _MOST_FOUND) if words else []
        rows = [one for one in found if one.id != row.client_id]
        return {"rows": rows, "fresh": card is not None and card.provisional}

    parts = {"": "_whose.html", "found": "_whose_found.html"}
    return await show(request, "_whose.html", read, parts=parts, number=number, words=words)


async def take_back(request: web.Request) -> web.StreamResponse:
    """POST /desk/calls/{id}/take-back"""
    await calling.take_back(request.app[HUB], who(request).actor, number_of(request))
    return web.json_response(_DONE)


async def hang_up(request: web.Request) -> web.StreamResponse:
    """POST /desk/calls/{id}/hang-up"""
    await calling.hang_up(request.app[HUB], who(request).actor, number_of(request))
    return web.json_response(_DONE)


async def show_transfer(request: web.Request) -> web.StreamResponse:
    """GET /desk/calls/{id}/transfer: colleagues, and how their telephones are"""
    hub, visitor, number = request.app[HUB], who(request), number_of(request)

    def read(connection: Connection) -> dict[str, object]:
        picture = read_picture(connection, hub.setup.current, hub.store.now())
        return {"colleagues": [one for one in picture.operators if one.operator != visitor.key]}

    return await show(request, "_transfer.html", read, parts={"": "_transfer.html"}, number=number)


async def transfer(request: web.Request) -> web.StreamResponse:
    """POST /desk/calls/{id}/transfer {to or number, attended}"""
    number, body = number_of(request), await read_body(request)
    to = body.text("number") or body.text("to")
    if not to:
        raise BadInput("To whom?", field="to")
    attended = body.text("attended") == "1"
    await calling.transfer(request.app[HUB], who(request).actor, number, to, attended)
    return web.json_response(_DONE)


async def pause_recording(request: web.Request) -> web.StreamResponse:
    """POST /desk/calls/{id}/recording {paused}"""
    number, paused = number_of(request), (await read_body(request)).text("paused") == "1"
    await calling.pause_recording(request.app[HUB], who(request).actor, number, paused)
    return web.json_response({"paused": paused})


def _find_row(connection: Connection, number: int) -> Row[Any]:
    row = connection.execute(interaction.select().where(interaction.c.id == number)).first()
    if row is None:
        raise NotFound("There is nothing at this address.")
    return row


def _name(unit: Unit, setup: SetUp, actor: Actor, number: int, name: str) -> None:
    row = _find_row(unit.connection, number)
    card = read_card(unit.connection, row.client_id) if row.client_id is not None else None
    if card is None:
        raise NotFound("There is nothing at this address.")
    if not card.provisional:
        clients.amend(unit, setup, card.id, actor, {"name": name})
        return
    new = clients.create(unit, setup, actor, {"name": name})
    for one in row.party:
        clients.add_identity(unit, setup, new, actor, one["identity"], shared=True)
    interactions.choose_client(unit, setup, number, actor, new)


async def _read_note(request: web.Request) -> CallNote:
    body: Body = await read_body(request)
    fields = {name.removeprefix(_FIELD): body.text(name) for name in body.fields if name.startswith(_FIELD)}
    return CallNote(
        text=body.fields.get("text", "").replace("\r\n", "\n"),
        disposition=body.text("disposition"),
        fields=fields,
        reason=body.text("reason"),
        call_back_at=body.instant("call_back_at", who(request).zone),
    )
