"""Recordings and voice mail over the API, and who listened to them."""

from __future__ import annotations

from typing import Annotated, Any

from aiohttp import web
from pydantic import Field
from typing_extensions import TypedDict

from hub.api.call import Call, operation
from hub.api.values import Asked, Shown, show
from hub.errors import NotFound
from hub.recordings.audit import Listening, read_listenings
from hub.recordings.finding import Wanted, find_sound, read_call
from hub.recordings.playing import play

_REFUSALS = (403, 404, 409, 410, 416)
_PART = {206: "The part that was asked for"}


class RecordingQuery(Asked):
    """Which of several."""

    part: Annotated[int, Field(ge=1, le=1000, description="a transfer begins a new one")] = 1


@operation(
    "GET",
    "/interactions/{id}/recording",
    tag="interactions",
    summary="Listen to a call",
    query=RecordingQuery,
    answer=None,
    statuses=_PART,
    refusals=_REFUSALS,
)
async def get_recording(call: Call[RecordingQuery, Any]) -> web.StreamResponse:
    """The sound, whole or by `Range`. That it was listened to is written down, once per listening."""
    return await _play(call, Wanted(call.path["id"], "recording", call.query.part))


@operation(
    "GET",
    "/interactions/{id}/voicemail",
    tag="interactions",
    summary="Listen to the message that was left",
    answer=None,
    statuses=_PART,
    refusals=_REFUSALS,
)
async def get_voicemail(call: Call[Any, Any]) -> web.StreamResponse:
    """As for a recording."""
    return await _play(call, Wanted(call.path["id"], "voicemail"))


async def _play(call: Call[Any, Any], wanted: Wanted) -> web.StreamResponse:
    hub, actor = call.hub, call.actor
    sound = await find_sound(hub, actor, wanted)
    return await play(call.request, sound, lambda: hub.listenings.note(hub.store, actor, wanted))


class ListeningOut(TypedDict):
    """Somebody listened. `who` is `operator:KEY` or `token:NAME`; `what` is `recording` or `voicemail`."""

    who: str
    at: Shown
    what: str
    part: int


class ListeningPage(TypedDict):
    """All of one call, newest first."""

    items: list[ListeningOut]
    next: None


@operation(
    "GET",
    "/interactions/{id}/listenings",
    tag="interactions",
    summary="Who listened to a call",
    answer=ListeningPage,
    role="supervisor",
    refusals=(404,),
)
async def list_listenings(call: Call[Any, Any]) -> ListeningPage:
    """One row per listening, however many parts of the file were fetched for it."""
    number = call.path["id"]

    def read(connection: Any) -> list[Listening]:
        if read_call(connection, number) is None:
            raise NotFound(f"there is no call {number}")
        return read_listenings(connection, [number]).get(number, [])[::-1]

    items: list[ListeningOut] = [
        {"who": one.who, "at": show(one.at) or "", "what": one.what, "part": one.part} for one in await call.read(read)
    ]
    return {"items": items, "next": None}
