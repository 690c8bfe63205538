"""Sending a message again that failed, or of which nobody knows whether it went out."""

from __future__ import annotations

from aiohttp import web
from sqlalchemy import select, update

from hub.actor import Actor
from hub.desk.doing import act, number_of, see
from hub.errors import Conflict, NotFound
from hub.journal import note
from hub.setup.snapshot import SetUp
from storage.events import Event
from storage.models import delivery
from storage.repositories import jobs
from storage.unit import Unit


async def retry(request: web.Request) -> web.StreamResponse:
    """POST /desk/deliveries/{id}/retry"""
    number = number_of(request)
    conversation = await act(request, lambda unit, setup, actor: send_again(unit, setup, number, actor))
    return see(f"/desk/conversations/{conversation}" if conversation else "/desk", "retried")


def send_again(unit: Unit, setup: SetUp, number: int, actor: Actor) -> int | None:
    """A person has decided: the same message, with the same reference, once more. Returns its conversation."""
    query = select(delivery).where(delivery.c.id == number)
    row = unit.connection.execute(query).first()
    if row is None:
        raise NotFound("There is nothing at this address.")
    if row.state not in {"failed", "unknown"}:
        raise Conflict("This message did not fail.")
    change = {"state": "pending", "reason": None, "settled_at": None}
    unit.connection.execute(update(delivery).where(delivery.c.id == number).values(**change))
    jobs.add(unit, "deliver", {"delivery": number})
    note(unit, actor, "sent_again", "delivery", number, {"was": row.state, "reason": row.reason})
    unit.emit(Event("delivery", number, "pending", conversation=row.conversation_id))
    return row.conversation_id  # type: ignore[no-any-return]
