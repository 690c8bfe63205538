"""Alerts: what managers are told, until somebody says that he has it."""

from __future__ import annotations

from typing import Any, Literal

from sqlalchemy import Connection
from typing_extensions import TypedDict

from hub.actions import alerts as acts
from hub.actor import Actor
from hub.api.call import Call, operation
from hub.api.parameters import Number, Paging
from hub.api.values import Key, Shown, show
from hub.errors import NotFound
from hub.setup.snapshot import SetUp
from storage.repositories import alerts as rows
from storage.unit import Unit

State = Literal["open", "acknowledged", "withdrawn"]


class AlertOut(TypedDict):
    """One alert for one operator."""

    id: int
    obligation: int | None
    step: str
    at: Shown
    to: str
    title: str
    state: State
    data: dict[str, Any]
    acknowledged_at: Shown | None
    acknowledged_by: str | None


class AlertPage(TypedDict):
    """Some alerts, newest first."""

    items: list[AlertOut]
    next: str | None


class AlertQuery(Paging):
    """Filters may be combined."""

    to: Key | None = None
    obligation: Number | None = None
    state: State | None = None


def show_alert(one: rows.Alert) -> AlertOut:
    """As the API writes it."""
    return {
        "id": one.id,
        "obligation": one.obligation_id,
        "step": one.step,
        "at": show(one.at) or "",
        "to": one.to,
        "title": one.title,
        "state": one.state,  # type: ignore[typeddict-item]
        "data": dict(one.data),
        "acknowledged_at": show(one.acknowledged_at),
        "acknowledged_by": one.acknowledged_by,
    }


@operation("GET", "/alerts", tag="alerts", summary="List alerts", query=AlertQuery, answer=AlertPage, refusals=(422,))
async def list_alerts(call: Call[AlertQuery, Any]) -> AlertPage:
    """Newest first. A storm is one digest."""
    asked = call.query
    wanted = rows.Filter(to=asked.to, obligation=asked.obligation, state=asked.state)
    page = await call.read(
        lambda connection: rows.list_page(connection, wanted, limit=asked.limit, cursor=asked.cursor)
    )
    return {"items": [show_alert(one) for one in page.items], "next": page.next}


@operation(
    "POST",
    "/alerts/{id}/acknowledge",
    tag="alerts",
    summary="Acknowledge an alert",
    answer=AlertOut,
    refusals=(404,),
)
async def acknowledge_alert(call: Call[Any, Any]) -> AlertOut:
    """I have it: it climbs no further. Only he who was told, or a supervisor, may say so."""
    number = call.path["id"]

    def work(unit: Unit, setup: SetUp, actor: Actor) -> AlertOut:
        acts.acknowledge(unit, setup, number, actor)
        return _one(unit.connection, number)

    return await call.act(work)


def _one(connection: Connection, number: int) -> AlertOut:
    found = rows.find(connection, number)
    if found is None:
        raise NotFound(f"there is no alert {number}")
    return show_alert(found)
