"""By which lines a client can be written to, and what stands in the way of the others; what a text costs there."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field
from sqlalchemy import Connection
from typing_extensions import TypedDict

from hub import ways
from hub.api.call import Call, operation
from hub.api.values import In, Long
from hub.costs import measure
from hub.errors import NotFound
from storage.repositories import conversations, ratings


class WayOut(TypedDict):
    """One line. `usual`: he wrote there last. `why` and `remedy` say what stands in the way of one that is not open."""

    line: str
    channel: str
    to: str | None
    open: bool
    usual: bool
    template_only: bool
    why: str | None
    remedy: str | None


class WayPage(TypedDict):
    """The best way first."""

    items: list[WayOut]
    next: None


@operation(
    "GET",
    "/conversations/{id}/ways",
    tag="conversations",
    summary="By which lines an answer can go",
    answer=WayPage,
    refusals=(404,),
)
async def list_ways(call: Call[Any, Any]) -> WayPage:
    """A reply without `line` takes the usual way; `template_only` ones take a template, and free text no more."""
    number, setup, now = call.path["id"], call.setup, call.hub.store.now()

    def read(connection: Connection) -> list[ways.Way]:
        talk = conversations.find(connection, number)
        if talk is None:
            raise NotFound("there is no conversation %(number)s", number=number)
        return ways.list_ways(connection, setup, talk.client_id, now, ratings.last_heard(connection, number))

    return {"items": [_show(one) for one in await call.read(read)], "next": None}


def _show(one: ways.Way) -> WayOut:
    return {
        "line": one.line,
        "channel": one.channel,
        "to": str(one.to) if one.to is not None else None,
        "open": one.open,
        "usual": one.usual,
        "template_only": one.template_only,
        "why": one.why,
        "remedy": one.remedy,
    }


class TextIn(In):
    """What somebody is about to send."""

    text: Annotated[Long, Field(examples=["Ваш заказ готов"])]


class CostOut(TypedDict):
    """Null everywhere where texts cost nothing. `foreign` is the letter that makes the text dearer than it need be."""

    parts: int | None
    units: int | None
    left: int | None
    foreign: str | None


@operation(
    "POST",
    "/lines/{key}/measure",
    tag="conversations",
    summary="What a text costs on a line",
    body=TextIn,
    answer=CostOut,
    refusals=(400, 404, 413, 415, 422),
)
async def post_measure(call: Call[Any, TextIn]) -> CostOut:
    """Counted as the line would send it; nothing is sent."""
    key = call.request.match_info["key"]
    if key not in call.setup.lines:
        raise NotFound("there is no line %(line)s", line=key)
    found = measure(call.setup, key, call.body.text)
    if found is None:
        return {"parts": None, "units": None, "left": None, "foreign": None}
    return {"parts": found.parts, "units": found.units, "left": found.left, "foreign": found.foreign}
