"""Operators: who is here now, and handing over everything open of one of them."""

from __future__ import annotations

from typing import Any, Literal

from typing_extensions import TypedDict

from hub import presence
from hub.actions import leaving
from hub.actor import Actor
from hub.api.call import Call, operation
from hub.api.values import In, Instant, Key, Shown, show
from hub.errors import Forbidden, NotFound
from hub.setup.snapshot import SetUp
from storage.unit import Unit

State = Literal["here", "on_call", "away", "gone"]


class OperatorOut(TypedDict):
    """One operator as he is now. `on_leave` is what the set-up says, `state` what is seen of him."""

    operator: str
    name: str
    teams: list[str]
    state: State
    since: Shown | None
    on_leave: bool
    deputy: str | None


class OperatorPage(TypedDict):
    """All operators."""

    items: list[OperatorOut]
    next: None


@operation("GET", "/operators", tag="operators", summary="Who is here", answer=OperatorPage)
async def list_operators(call: Call[Any, Any]) -> OperatorPage:
    """At an open desk, on the telephone, away by his own word, or gone."""
    setup, now = call.setup, call.hub.store.now()
    found = await call.read(lambda connection: presence.read_presence(connection, now))
    items: list[OperatorOut] = []
    for key, one in sorted(setup.operators.items()):
        leave = setup.is_away(key, now)
        items.append(
            {
                "operator": key,
                "name": one.name,
                "teams": list(one.teams),
                "state": found.state_of(key),  # type: ignore[typeddict-item]
                "since": show(found.since.get(key)),
                "on_leave": leave,
                "deputy": setup.stand_in(key, now) if leave else None,
            }
        )
    return {"items": items, "next": None}


class PresenceIn(In):
    """`away` until he is back (or `until`), `here` for a shift (or `until`); `on_call`, `off_call`: telephones."""

    state: Literal["here", "away", "on_call", "off_call"]
    until: Instant | None = None
    telephone: Key = "api"


class PresenceOut(TypedDict):
    """How he is now."""

    operator: str
    state: State


@operation(
    "PUT",
    "/operators/{key}/presence",
    tag="operators",
    summary="Say where an operator is",
    body=PresenceIn,
    answer=PresenceOut,
    refusals=(400, 404, 413, 415, 422),
)
async def put_presence(call: Call[Any, PresenceIn]) -> PresenceOut:
    """His own, or anybody's for a supervisor and for programs with that role."""
    key = _key(call)

    def work(unit: Unit, setup: SetUp, actor: Actor) -> str:
        if actor.operator != key and not actor.may("supervisor"):
            raise Forbidden("this is somebody else's presence")
        _say(unit, key, call.body)
        return presence.read_presence(unit.connection, unit.now).state_of(key)

    state = await call.act(work)
    return {"operator": key, "state": state}  # type: ignore[typeddict-item]


def _say(unit: Unit, key: str, wanted: PresenceIn) -> None:
    if wanted.state == "away":
        presence.go_away(unit, key, wanted.until)
    elif wanted.state == "here":
        presence.be_here(unit, key, wanted.until)
    elif wanted.state == "on_call":
        presence.take_call(unit, key, wanted.telephone)
    else:
        presence.end_call(unit, key, wanted.telephone)


class HandOverIn(In):
    """To whom; null gives it back to the teams. `clients` hands over those he is responsible for, too."""

    to: Key | None = None
    clients: bool = False


class HandOverOut(TypedDict):
    """How much changed hands."""

    conversations: int
    obligations: int
    tasks: int
    clients: int


@operation(
    "POST",
    "/operators/{key}/hand-over",
    tag="operators",
    summary="Hand over everything open",
    body=HandOverIn,
    answer=HandOverOut,
    role="supervisor",
    refusals=(400, 404, 413, 415, 422),
)
async def hand_over(call: Call[Any, HandOverIn]) -> HandOverOut:
    """Conversations, promises and tasks of one operator go to another; he may have left the set-up already."""
    wanted, key = call.body, call.request.match_info["key"]

    def work(unit: Unit, setup: SetUp, actor: Actor) -> leaving.HandedOver:
        return leaving.hand_over_everything(unit, setup, actor, key, wanted.to, with_clients=wanted.clients)

    return (await call.act(work)).as_json()  # type: ignore[return-value]


def _key(call: Call[Any, Any]) -> str:
    key = call.request.match_info["key"]
    if key not in call.setup.operators:
        raise NotFound(f"there is no operator {key!r}")
    return key
