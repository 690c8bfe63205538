"""Events from other programs: a contract closed, a product published, a shipment delivered."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field
from typing_extensions import TypedDict

from hub.actions import events as acts
from hub.actor import Actor
from hub.api.call import Answer, Call, operation
from hub.api.values import Fields, Id, In, Instant, Text, Written
from hub.setup.snapshot import SetUp
from routing.conditions import doubt_event
from storage.unit import Unit


class EventIn(In):
    """`id` makes it idempotent; `client` is a number or an identity, and is left out for what concerns everybody."""

    id: Annotated[Text, Field(min_length=1, max_length=120, examples=["1c-contract-4711"])]
    event: Annotated[
        str, Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)+$", max_length=60, examples=["contract.closed"])
    ]
    client: Id | Written | None = None
    at: Annotated[Instant, Field(description="now, if not said")] | None = None
    fields: Annotated[Fields, Field(default_factory=dict)]


class EventOut(TypedDict):
    """`again`: this id was reported before, and nothing has happened. `remark`: why no regulation can ever see it."""

    id: str
    again: bool
    remark: str | None


@operation(
    "POST",
    "/events",
    tag="events",
    summary="Report an event",
    body=EventIn,
    answer=EventOut,
    status=201,
    statuses={200: "This id was reported before"},
    refusals=(400, 413, 415, 422),
)
async def post_event(call: Call[Any, EventIn]) -> Answer:
    """Regulations start, meet or cancel promises by it."""
    given = call.body
    told = acts.Report(given.id, given.event, given.client, given.at, given.fields)

    def work(unit: Unit, setup: SetUp, actor: Actor) -> bool:
        return acts.report(unit, setup, actor, told)

    fresh = await call.act(work)
    found: EventOut = {"id": given.id, "again": not fresh, "remark": doubt_event(given.event)}
    return Answer(found, 201 if fresh else 200)
