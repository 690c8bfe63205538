"""Deliveries: how far our own messages came."""

from __future__ import annotations

from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from hub.api.call import Call, operation
from hub.api.parameters import Number, Paging
from hub.api.values import Shown, show
from hub.errors import NotFound
from storage.repositories import deliveries as rows

State = Literal["pending", "sent", "delivered", "read", "failed", "unknown"]


class RecipientOut(TypedDict):
    """To whom; `role` is to or cc."""

    identity: str
    name: NotRequired[str]
    role: str


class DeliveryOut(TypedDict):
    """One message on its way. `unknown` = nobody can say whether it is out; it is never sent blindly twice."""

    id: int
    interaction: int
    conversation: int | None
    line: str
    state: State
    external_id: str | None
    recipients: list[RecipientOut]
    reason: str | None
    made_at: Shown
    sent_at: Shown | None
    settled_at: Shown | None
    postponed_until: Shown | None


class DeliveryPage(TypedDict):
    """Some deliveries, newest first."""

    items: list[DeliveryOut]
    next: str | None


class DeliveryQuery(Paging):
    """Filters may be combined."""

    state: State | None = None
    interaction: Number | None = None


def show_delivery(one: rows.Delivery) -> DeliveryOut:
    """As the API writes it."""
    return {
        "id": one.id,
        "interaction": one.interaction_id,
        "conversation": one.conversation_id,
        "line": one.line,
        "state": one.state,  # type: ignore[typeddict-item]
        "external_id": one.external_id,
        "recipients": [dict(each) for each in one.recipients],  # type: ignore[misc]
        "reason": one.reason,
        "made_at": show(one.made_at) or "",
        "sent_at": show(one.sent_at),
        "settled_at": show(one.settled_at),
        "postponed_until": show(one.postponed_until),
    }


@operation(
    "GET",
    "/deliveries",
    tag="deliveries",
    summary="List deliveries",
    query=DeliveryQuery,
    answer=DeliveryPage,
    refusals=(422,),
)
async def list_deliveries(call: Call[DeliveryQuery, Any]) -> DeliveryPage:
    """Newest first."""
    asked = call.query
    wanted = rows.Filter(state=asked.state, interaction=asked.interaction)
    page = await call.read(
        lambda connection: rows.list_page(connection, wanted, limit=asked.limit, cursor=asked.cursor)
    )
    return {"items": [show_delivery(one) for one in page.items], "next": page.next}


@operation("GET", "/deliveries/{id}", tag="deliveries", summary="One delivery", answer=DeliveryOut, refusals=(404,))
async def get_delivery(call: Call[Any, Any]) -> DeliveryOut:
    """As far as it came."""
    number = call.path["id"]
    found = await call.read(lambda connection: rows.find(connection, number))
    if found is None:
        raise NotFound(f"there is no delivery {number}")
    return show_delivery(found)
