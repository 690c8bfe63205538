"""Screen: clients — the list, the card with the whole timeline, and what is changed on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web
from sqlalchemy import Connection

from hub.actions import clients as acts
from hub.composition import HUB
from hub.consents import standing
from hub.desk.body import Body, read_body
from hub.desk.doing import act, back, local_path, number_of, see
from hub.desk.pages import show
from hub.desk.reading import clients, conversations, log, promises
from hub.desk.vocabulary import CATEGORIES
from hub.errors import NotFound
from hub.ways import writing_channels
from storage.repositories import consents

_STEP, _MOST = 50, 400


def shown(request: web.Request) -> int:
    """How many rows the address asks for."""
    written = request.query.get("show", "")
    return min(int(written), _MOST) if written.isdigit() and len(written) < 6 else _STEP


def more_than(count: int, limit: int) -> int | None:
    """How many rows the next page asks for; None when all are shown."""
    return limit + _STEP if count > limit and limit < _MOST else None


async def show_clients(request: web.Request) -> web.StreamResponse:
    """GET /desk/clients"""
    words, category, limit = request.query.get("q", ""), request.query.get("category") or None, shown(request)

    def read(connection: Connection) -> Mapping[str, Any]:
        rows = clients.read_clients(connection, words, category, limit + 1)
        return {"rows": rows[:limit], "more": more_than(len(rows), limit)}

    categories = [(key, key) for key in CATEGORIES]
    return await show(request, "clients.html", read, words=words, category=category, categories=categories)


async def show_client(request: web.Request) -> web.StreamResponse:
    """GET /desk/clients/{id}"""
    number, limit = number_of(request), shown(request)
    came_from = request.query.get("from", "")

    def read(connection: Connection) -> Mapping[str, Any]:
        card = clients.read_card(connection, number)
        if card is None:
            raise NotFound("There is nothing at this address.")
        timeline = log.read_timeline(connection, number, limit + 1)
        return {
            "card": card,
            "wishes": standing(consents.find_all(connection, number)),
            "timeline": timeline[:limit],
            "more": more_than(len(timeline), limit),
            "talks": conversations.read_client_talks(connection, number),
            "tasks": promises.read_client_tasks(connection, number),
            "open_promises": promises.read_promises(connection, None, number),
        }

    return await show(
        request,
        "client.html",
        read,
        parts={"timeline": "_client_timeline.html"},
        came_from=int(came_from) if came_from.isdigit() else None,
        next=f"/desk/clients/{number}",
    )


async def show_card_form(request: web.Request) -> web.StreamResponse:
    """GET /desk/clients/{id}/edit and /desk/clients/new"""
    number = number_of(request) if "id" in request.match_info else None

    def read(connection: Connection) -> Mapping[str, Any]:
        card = clients.read_card(connection, number) if number is not None else None
        if number is not None and card is None:
            raise NotFound("There is nothing at this address.")
        return {"card": card}

    return await show(
        request,
        "client_edit.html",
        read,
        layout=layout(request),
        next=next_page(request, f"/desk/clients/{number}" if number else "/desk/clients"),
        categories=[(key, key) for key in CATEGORIES],
        phone=request.query.get("phone", ""),
        writing_channels=writing_channels(),
    )


def layout(request: web.Request) -> str:
    """A dialog's inside when a script asks for one, else a page of its own."""
    return "dialog.html" if request.headers.get("X-Dialog") else "sheet.html"


def next_page(request: web.Request, otherwise: str) -> str:
    """Where a form in a dialog goes on: the page below it."""
    return local_path(request.headers.get("X-Dialog", "") or request.query.get("next", ""), otherwise)


async def save_card(request: web.Request) -> web.StreamResponse:
    """POST /desk/clients/{id}/edit"""
    number, body = number_of(request), await read_body(request)
    old = await request.app[HUB].store.read(lambda connection: clients.read_card(connection, number))
    changes = _read_card(body)
    if "fields" in body.fields and old is not None:
        wanted = _read_fields(body.text("fields"))
        same = {name: value for name, value in old.fields.items() if wanted.get(name) == str(value)}
        changes["fields"] = {**dict.fromkeys(old.fields), **wanted, **same}
    await act(request, lambda unit, setup, actor: acts.amend(unit, setup, number, actor, changes))
    return see(back(body, f"/desk/clients/{number}"), "saved")


async def make_client(request: web.Request) -> web.StreamResponse:
    """POST /desk/clients/new"""
    body = await read_body(request)
    known = [f"{scheme}:{body.text(scheme)}" for scheme in ("phone", "email") if body.text(scheme)]
    values = _read_card(body)
    number = await act(request, lambda unit, setup, actor: acts.create(unit, setup, actor, values, tuple(known)))
    return see(f"/desk/clients/{number}", "made")


def _read_card(body: Body) -> dict[str, Any]:
    return {
        "name": body.text("name"),
        "kind": body.text("kind") or "person",
        "category": body.optional("category"),
        "lifecycle": body.text("lifecycle") or "potential",
        "responsible": body.optional("responsible"),
        "source": body.optional("source"),
        "language": body.optional("language"),
        "preferred_channel": body.optional("preferred_channel"),
        "notes": body.text("notes").replace("\r\n", "\n"),
    }


def _read_fields(written: str) -> dict[str, Any]:
    pairs = (line.partition("=") for line in written.splitlines() if line.strip())
    return {name.strip()[:100]: value.strip() for name, _, value in pairs if name.strip()}


async def add_identity(request: web.Request) -> web.StreamResponse:
    """POST /desk/clients/{id}/identities {scheme, value}"""
    number, body = number_of(request), await read_body(request)
    written = f"{body.text('scheme')}:{body.text('value')}"
    await act(request, lambda unit, setup, actor: acts.add_identity(unit, setup, number, actor, written))
    return see(back(body, f"/desk/clients/{number}"), "saved")


async def remove_identity(request: web.Request) -> web.StreamResponse:
    """POST /desk/clients/{id}/identities/{identity}/remove"""
    number, wanted, body = number_of(request), number_of(request, "identity"), await read_body(request)
    card = await request.app[HUB].store.read(lambda connection: clients.read_card(connection, number))
    one = next((each for each in (card.identities if card else ()) if each.id == wanted), None)
    if one is None:
        raise NotFound("There is nothing at this address.")
    await act(request, lambda unit, setup, actor: acts.remove_identity(unit, setup, number, actor, str(one)))
    return see(back(body, f"/desk/clients/{number}"), "removed")
