"""The black list: numbers whose calls the dialplan is told to refuse."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection
from typing_extensions import TypedDict

from hub.actions import blocking
from hub.actions.blocking import NewBlock
from hub.actor import Actor
from hub.api.call import Call, operation
from hub.api.parameters import Paging
from hub.api.values import In, Instant, Short, Shown, Written, show
from hub.errors import NotFound
from hub.setup.snapshot import SetUp
from storage.repositories import blocked as rows
from storage.unit import Unit


class BlockedOut(TypedDict):
    """One entry. `expires` null: until somebody lifts it. It never holds while its owner is a VIP."""

    id: int
    identity: str
    reason: str
    made_at: Shown
    made_by: str
    expires: Shown | None
    lifted_at: Shown | None
    lifted_by: str | None


class BlockedPage(TypedDict):
    """Some entries, newest first."""

    items: list[BlockedOut]
    next: str | None


@operation("GET", "/blocked", tag="calls", summary="The black list", query=Paging, answer=BlockedPage, refusals=(422,))
async def list_blocked(call: Call[Paging, Any]) -> BlockedPage:
    """What holds now, newest first."""
    asked, now = call.query, call.hub.store.now()
    page = await call.read(lambda connection: rows.list_page(connection, now, limit=asked.limit, cursor=asked.cursor))
    return {"items": [_show(one) for one in page.items], "next": page.next}


class BlockedIn(In):
    """A telephone number as people write it. Without `expires` it holds until somebody lifts it."""

    number: Written
    reason: Short = ""
    expires: Instant | None = None


@operation(
    "POST",
    "/blocked",
    tag="calls",
    summary="Block a number",
    body=BlockedIn,
    answer=BlockedOut,
    status=201,
    role="supervisor",
    refusals=(400, 409, 413, 415, 422),
)
async def post_blocked(call: Call[Any, BlockedIn]) -> BlockedOut:
    """Replaces what holds for the number already; refused for the number of a VIP."""
    given = call.body
    new = NewBlock(given.number, given.reason, given.expires)

    def work(unit: Unit, setup: SetUp, actor: Actor) -> BlockedOut:
        return _one(unit.connection, blocking.block(unit, setup, actor, new))

    return await call.act(work)


@operation(
    "DELETE",
    "/blocked/{id}",
    tag="calls",
    summary="Take a number off the black list",
    answer=BlockedOut,
    role="supervisor",
    refusals=(404, 409),
)
async def delete_blocked(call: Call[Any, Any]) -> BlockedOut:
    """The entry stays, with who lifted it and when."""
    number = call.path["id"]

    def work(unit: Unit, setup: SetUp, actor: Actor) -> BlockedOut:
        blocking.lift(unit, setup, actor, number)
        return _one(unit.connection, number)

    return await call.act(work)


def _one(connection: Connection, number: int) -> BlockedOut:
    found = rows.find(connection, number)
    if found is None:
        raise NotFound("there is no entry %(number)s in the black list", number=number)
    return _show(found)


def _show(one: Any) -> BlockedOut:
    return {
        "id": one.id,
        "identity": f"{one.scheme}:{one.value}",
        "reason": one.reason,
        "made_at": show(one.made_at) or "",
        "made_by": one.made_by,
        "expires": show(one.expires_at),
        "lifted_at": show(one.lifted_at),
        "lifted_by": one.lifted_by,
    }
