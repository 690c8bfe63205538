"""Screen: people — who works here, inviting and disabling them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import web
from sqlalchemy import Connection

from hub.access import accounts
from hub.access.tickets import make_ticket
from hub.actions.leaving import hand_over_everything
from hub.actor import Actor
from hub.composition import HUB
from hub.desk.body import read_body
from hub.desk.doing import see
from hub.desk.pages import show
from hub.desk.post import link, send_link
from hub.desk.visitor import require
from hub.errors import BadInput, NotFound
from hub.journal import note
from hub.presence import read_presence
from hub.setup.snapshot import SetUp
from storage.events import Event
from storage.unit import Unit


@dataclass(frozen=True, slots=True)
class Person:
    """One operator in the list."""

    key: str
    name: str
    email: str | None
    role: str
    teams: tuple[str, ...]
    disabled_at: datetime | None
    seen_at: datetime | None
    away_until: datetime | None
    state: str


async def show_people(request: web.Request, invited: tuple[str, str] | None = None) -> web.StreamResponse:
    """GET /desk/people, for supervisors; only administrators change anything"""
    require(request, "supervisor")
    hub = request.app[HUB]
    setup, now = hub.setup.current, hub.store.now()

    def read(connection: Connection) -> Mapping[str, Any]:
        here = read_presence(connection, now)
        found = [_person(connection, setup, key, now, here.state_of(key)) for key in sorted(setup.operators)]
        return {"people": found}

    return await show(request, "people.html", read, link=invited)


def _person(connection: Connection, setup: SetUp, key: str, now: datetime, state: str) -> Person:
    known, account = setup.operators[key], accounts.read_account(connection, key)
    leaves = [one.span(setup.zone_of(key)) for one in known.away]
    away = next((until for since, until in leaves if since <= now < until), None)
    return Person(
        key, known.name, known.email, known.role, tuple(known.teams), account.disabled_at, account.seen_at, away, state
    )


async def hand_over(request: web.Request) -> web.StreamResponse:
    """POST /desk/hand-over {who, to, clients}: everything open of one operator, for supervisors"""
    actor, body = require(request, "supervisor").actor, await read_body(request)
    key = body.text("who")
    if key not in request.app[HUB].setup.current.operators:
        raise BadInput("Hand over whose work?", field="who")
    to, clients, hub = body.text("to") or None, bool(body.text("clients")), request.app[HUB]
    setup = hub.setup.current
    await hub.store.write(
        lambda unit: hand_over_everything(unit, setup, actor, key, to, with_clients=clients and to is not None)
    )
    return see("/desk/people", "handed_over")


async def invite(request: web.Request) -> web.StreamResponse:
    """POST /desk/people/{key}/invite {by: link|mail}"""
    key, actor = _key(request), require(request, "admin").actor
    hub = request.app[HUB]
    if (await read_body(request)).text("by") == "mail":
        if not hub.setup.current.operators[key].email:
            raise BadInput("This person has no email address.", field="email")
        await send_link(request, key, "invitation")
        await hub.store.write(lambda unit: note(unit, actor, "invited", "operator", key, {"by": "mail"}))
        return see("/desk/people", "invited")

    def make(unit: Unit) -> str:
        note(unit, actor, "invited", "operator", key, {"by": "link"})
        return make_ticket(unit, "invitation", key)

    secret = await hub.store.write(make)
    return await show_people(request, (key, link(request, "invitation", secret)))


async def disable(request: web.Request) -> web.StreamResponse:
    """POST /desk/people/{key}/disable"""
    key, actor = _key(request), require(request, "admin").actor
    if key == actor.key:
        raise BadInput("You cannot disable yourself.")
    await _change(request, key, actor, "disabled")
    return see("/desk/people", "disabled")


async def enable(request: web.Request) -> web.StreamResponse:
    """POST /desk/people/{key}/enable"""
    key, actor = _key(request), require(request, "admin").actor
    await _change(request, key, actor, "enabled")
    return see("/desk/people", "enabled")


async def _change(request: web.Request, key: str, actor: Actor, action: str) -> None:
    def work(unit: Unit) -> None:
        if action == "disabled":
            accounts.disable(unit, key, str(actor))
        else:
            accounts.enable(unit, key)
        note(unit, actor, action, "operator", key, {})
        unit.emit(Event("operator", key, action, operator=key))

    await request.app[HUB].store.write(work)


def _key(request: web.Request) -> str:
    key = request.match_info["key"]
    if key not in request.app[HUB].setup.current.operators:
        raise NotFound("There is nothing at this address.")
    return key
