"""Calls while they last: made, handed over, ended, their recording silenced; done at once, or refused."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy import Connection, select
from typing_extensions import TypedDict

from hub.actions import calling
from hub.api.call import Call, operation
from hub.api.values import In, Key, Text
from storage import models
from storage.events import Event

Number = Annotated[Text, Field(min_length=1, max_length=80, pattern=r"\S", examples=["+79161234567", "102"])]

_SHOWN_S = 2.0
_REFUSALS = (400, 404, 409, 413, 415, 422)


class CallIn(In):
    """Whose telephone rings first, and whom he calls then: a number as people write it, or an extension."""

    operator: Key
    number: Number


class CallMade(TypedDict):
    """`call` is the exchange's id of it; `interaction` its row of the log, null when there is none yet."""

    call: str
    interaction: int | None


class CallActOut(TypedDict):
    """The exchange has taken it."""

    interaction: int


@operation(
    "POST",
    "/calls",
    tag="calls",
    summary="Click to call",
    body=CallIn,
    answer=CallMade,
    status=201,
    refusals=_REFUSALS,
)
async def post_call(call: Call[Any, CallIn]) -> CallMade:
    """His telephone rings; when he answers, the number is dialled. For oneself, or, as a supervisor, for anybody."""
    async with call.hub.live.listen() as queue:
        made = await calling.call(call.hub, call.actor, call.body.operator, call.body.number)
        return {"call": made, "interaction": await _wait_for_row(call, queue, made)}


async def _wait_for_row(call: Call[Any, Any], queue: asyncio.Queue[Event | None], made: str) -> int | None:
    """The call is in the log as soon as the telephone rings."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_SHOWN_S):
            while (found := await call.read(lambda connection: _find(connection, made))) is None:
                while (event := await queue.get()) is not None and event.subject != "interaction":
                    pass
            return found
    return None


def _find(connection: Connection, made: str) -> int | None:
    table = models.interaction
    query = select(table.c.id).where(table.c.external_id == made, table.c.kind == "call").limit(1)
    found: int | None = connection.execute(query).scalar_one_or_none()
    return found


class TransferIn(In):
    """An operator's key, an extension or a number. Attended: the operator talks to it first, and hangs up when done."""

    to: Number
    attended: bool = False


@operation(
    "POST",
    "/calls/{id}/transfer",
    tag="calls",
    summary="Hand a call over",
    body=TransferIn,
    answer=CallActOut,
    refusals=_REFUSALS,
)
async def post_transfer(call: Call[Any, TransferIn]) -> CallActOut:
    """By who talks, or by a supervisor."""
    number = call.path["id"]
    await calling.transfer(call.hub, call.actor, number, call.body.to, call.body.attended)
    return {"interaction": number}


@operation(
    "POST", "/calls/{id}/take-back", tag="calls", summary="Back to the caller", answer=CallActOut, refusals=(404, 409)
)
async def post_take_back(call: Call[Any, Any]) -> CallActOut:
    """While somebody is talked to before handing over: he is left, and the other side is talked to again."""
    number = call.path["id"]
    await calling.take_back(call.hub, call.actor, number)
    return {"interaction": number}


class RedirectIn(In):
    """An operator's key, an extension or a number."""

    to: Number


@operation(
    "POST",
    "/calls/{id}/redirect",
    tag="calls",
    summary="Send a waiting call elsewhere",
    body=RedirectIn,
    answer=CallActOut,
    refusals=_REFUSALS,
)
async def post_redirect(call: Call[Any, RedirectIn]) -> CallActOut:
    """A call that rings or waits; an operator may take any of them to himself."""
    number = call.path["id"]
    await calling.redirect(call.hub, call.actor, number, call.body.to)
    return {"interaction": number}


@operation("POST", "/calls/{id}/hang-up", tag="calls", summary="End a call", answer=CallActOut, refusals=(404, 409))
async def post_hang_up(call: Call[Any, Any]) -> CallActOut:
    """An operator ends his own part (a call that rings is declined), a supervisor the whole call."""
    number = call.path["id"]
    await calling.hang_up(call.hub, call.actor, number)
    return {"interaction": number}


class PauseRecordingIn(In):
    """False: the voice again."""

    paused: bool = True


@operation(
    "POST",
    "/calls/{id}/pause-recording",
    tag="calls",
    summary="Record silence, and the voice again",
    body=PauseRecordingIn,
    answer=CallActOut,
    refusals=_REFUSALS,
)
async def post_pause_recording(call: Call[Any, PauseRecordingIn]) -> CallActOut:
    """While card numbers are spoken."""
    number = call.path["id"]
    await calling.pause_recording(call.hub, call.actor, number, call.body.paused)
    return {"interaction": number}
