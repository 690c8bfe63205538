"""What an operator does with a conversation, answering aside: take, hand over, close, reopen, postpone, choose."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aiohttp import web

from hub.actions import conversations, interactions
from hub.desk.body import read_body
from hub.desk.doing import act, number_of, see
from hub.desk.visitor import who
from hub.errors import BadInput


async def take(request: web.Request) -> web.StreamResponse:
    """POST /desk/conversations/{id}/take"""
    number = number_of(request)
    await act(request, lambda unit, setup, actor: conversations.take(unit, setup, number, actor))
    return see(f"/desk/conversations/{number}", "taken")


async def hand_over(request: web.Request) -> web.StreamResponse:
    """POST …/hand-over {operator, team, why}"""
    number, body = number_of(request), await read_body(request)
    to: dict[str, Any] = {"operator": body.optional("operator"), "team": body.optional("team")}
    why = body.text("why")
    await act(request, lambda unit, setup, actor: conversations.hand_over(unit, setup, number, actor, **to, why=why))
    return see(f"/desk/conversations/{number}", "handed_over")


async def close(request: web.Request) -> web.StreamResponse:
    """POST …/close {how}: back to the list, where the next one waits"""
    number, body = number_of(request), await read_body(request)
    how = body.text("how")
    await act(request, lambda unit, setup, actor: conversations.close(unit, setup, number, actor, how))
    return see("/desk", "closed")


async def reopen(request: web.Request) -> web.StreamResponse:
    """POST …/reopen"""
    return await _do(request, conversations.reopen, "reopened")


async def wait(request: web.Request) -> web.StreamResponse:
    """POST …/wait"""
    return await _do(request, conversations.wait_for_client, "waits")


async def postpone(request: web.Request) -> web.StreamResponse:
    """POST …/postpone {until} or {choice}"""
    number, body = number_of(request), await read_body(request)
    zone = who(request).zone
    until = body.instant("until", zone) or body.instant("choice", zone)
    if until is None:
        raise BadInput("Until when?", field="until")
    await act(request, lambda unit, setup, actor: conversations.postpone(unit, setup, number, actor, until))
    return see("/desk", "postponed")


async def choose_client(request: web.Request) -> web.StreamResponse:
    """POST …/choose-client {interaction, client}"""
    number, body = number_of(request), await read_body(request)
    interaction, client = body.number("interaction"), body.number("client")
    if interaction is None or client is None:
        raise BadInput("Which client is it?", field="client")
    await act(request, lambda unit, setup, actor: interactions.choose_client(unit, setup, interaction, actor, client))
    return see(f"/desk/conversations/{number}", "chosen")


async def _do(request: web.Request, work: Callable[..., Any], said: str) -> web.Response:
    number = number_of(request)
    await act(request, lambda unit, setup, actor: work(unit, setup, number, actor))
    return see(f"/desk/conversations/{number}", said)
