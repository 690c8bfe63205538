"""Operators' telephones and the exchanges' queues as they are now, and what operators tell their telephones."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field
from typing_extensions import TypedDict

from hub.actions import calling
from hub.api.call import Call, operation
from hub.api.values import In, Key, Short, Shown, show
from hub.errors import NotFound
from hub.telephony.picture import OperatorNow, QueueNow, read_picture

State = Literal["free", "ringing", "talking", "wrap_up", "paused", "offline"]

_REFUSALS = (400, 404, 409, 413, 415, 422)


class TelephoneOut(TypedDict):
    """One telephone. `reason`: why it is paused; `until`, `interaction`: of a wrap-up, its end and its call."""

    operator: str
    extension: str
    state: State
    since: Shown | None
    reason: str
    paused: bool
    queues: list[str]
    line: str | None
    until: Shown | None
    interaction: int | None


class CallQueueOut(TypedDict):
    """One queue of an exchange: how many wait, and since when the first of them."""

    line: str
    queue: str
    team: str | None
    waiting: int
    longest_since: Shown | None


class PhonesOut(TypedDict):
    """Everybody who has an extension, and every queue of the lines that run."""

    operators: list[TelephoneOut]
    queues: list[CallQueueOut]


@operation("GET", "/phones", tag="calls", summary="Telephones and queues now", answer=PhonesOut)
async def get_phones(call: Call[Any, Any]) -> PhonesOut:
    """As the exchanges tell it; of a line that does not run nothing is known."""
    setup, now = call.setup, call.hub.store.now()
    picture = await call.read(lambda connection: read_picture(connection, setup, now))
    return {
        "operators": [_show(one) for one in picture.operators],
        "queues": [_show_queue(one) for one in picture.queues],
    }


def _show(one: OperatorNow) -> TelephoneOut:
    return {
        "operator": one.operator,
        "extension": one.extension,
        "state": one.state,
        "since": show(one.since),
        "reason": one.reason,
        "paused": one.paused,
        "queues": list(one.queues),
        "line": one.line,
        "until": show(one.until),
        "interaction": one.interaction,
    }


def _show_queue(one: QueueNow) -> CallQueueOut:
    return {
        "line": one.line,
        "queue": one.queue,
        "team": one.team,
        "waiting": one.waiting,
        "longest_since": show(one.longest_since),
    }


class PauseIn(In):
    """Why: shown to supervisors."""

    reason: Annotated[Short, Field(max_length=80)] = ""


class PhoneActOut(TypedDict):
    """The exchange has taken it."""

    operator: str


@operation(
    "POST",
    "/operators/{key}/pause",
    tag="calls",
    summary="No calls from queues",
    body=PauseIn,
    answer=PhoneActOut,
    refusals=_REFUSALS,
)
async def post_pause(call: Call[Any, PauseIn]) -> PhoneActOut:
    """For oneself, or for anybody as a supervisor."""
    key = _key(call)
    await calling.pause(call.hub, call.actor, key, call.body.reason)
    return {"operator": key}


@operation(
    "POST",
    "/operators/{key}/resume",
    tag="calls",
    summary="Calls from queues again",
    answer=PhoneActOut,
    refusals=(404, 409, 422),
)
async def post_resume(call: Call[Any, Any]) -> PhoneActOut:
    """Ends a wrap-up, too."""
    key = _key(call)
    await calling.unpause(call.hub, call.actor, key)
    return {"operator": key}


class MembershipIn(In):
    """A queue as the exchange calls it; `member` false: out of it."""

    queue: Key
    member: bool = True


@operation(
    "POST",
    "/operators/{key}/queues",
    tag="calls",
    summary="Into a queue, or out of it",
    body=MembershipIn,
    answer=PhoneActOut,
    refusals=_REFUSALS,
)
async def post_queues(call: Call[Any, MembershipIn]) -> PhoneActOut:
    """What is so already is no error. Whom the exchange's own settings make a member can only be paused."""
    key = _key(call)
    act = calling.log_in if call.body.member else calling.log_out
    await act(call.hub, call.actor, key, call.body.queue)
    return {"operator": key}


class WrappedUpOut(TypedDict):
    """For how many seconds he worked after the call; null when he was in no wrap-up."""

    operator: str
    seconds: float | None


@operation(
    "POST",
    "/operators/{key}/finish-wrap-up",
    tag="calls",
    summary="Done with the last call",
    answer=WrappedUpOut,
    refusals=(404,),
)
async def post_finish_wrap_up(call: Call[Any, Any]) -> WrappedUpOut:
    """It ends by itself, too, after the line's `wrap_up`."""
    key = _key(call)
    return {"operator": key, "seconds": await calling.finish_wrap_up(call.hub, call.actor, key)}


def _key(call: Call[Any, Any]) -> str:
    key = call.request.match_info["key"]
    if key not in call.setup.operators:
        raise NotFound("there is no operator %(operator)r", operator=key)
    return key
