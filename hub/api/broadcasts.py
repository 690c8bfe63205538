"""Broadcasts: how many of the clients whom an event concerns were told of it in time."""

from __future__ import annotations

from typing import Any, Literal

from typing_extensions import TypedDict

from hub.api.call import Call, operation
from hub.api.values import Asked, Key, Shown, show
from hub.broadcasts import Broadcast, list_broadcasts


class BroadcastOut(TypedDict):
    """One event as one regulation tells it. `coverage` and `wanted` are shares of 1; the exempt are not counted."""

    regulation: str
    title: str
    id: str
    event: str
    started: Shown
    due: Shown | None
    clients: int
    told: int
    coverage: float
    wanted: float
    state: Literal["running", "reached", "missed"]


class BroadcastPage(TypedDict):
    """The newest broadcasts."""

    items: list[BroadcastOut]
    next: None


class BroadcastQuery(Asked):
    """Of one regulation, or of all."""

    regulation: Key | None = None


@operation(
    "GET",
    "/broadcasts",
    tag="obligations",
    summary="How far broadcasts reached",
    query=BroadcastQuery,
    answer=BroadcastPage,
    refusals=(422,),
)
async def list_all(call: Call[BroadcastQuery, Any]) -> BroadcastPage:
    """Newest first, at most 200. `missed` says that the due passed before enough were told."""
    setup, only, now = call.setup, call.query.regulation, call.hub.store.now()
    found = await call.read(lambda connection: list_broadcasts(connection, setup, now, only))
    return {"items": [_show(one) for one in found], "next": None}


def _show(one: Broadcast) -> BroadcastOut:
    told = one.coverage
    return {
        "regulation": told.regulation,
        "title": one.title,
        "id": told.event,
        "event": told.name,
        "started": show(told.started) or "",
        "due": show(told.due),
        "clients": told.clients,
        "told": told.told,
        "coverage": round(told.share, 4),
        "wanted": one.wanted,
        "state": one.state,
    }
