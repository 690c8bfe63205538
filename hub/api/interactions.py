"""Interactions: the one log, read and added to by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import Field
from sqlalchemy import Connection
from typing_extensions import TypedDict

from hub.actions import interactions as acts
from hub.actor import Actor
from hub.api.call import Call, operation
from hub.api.files import AttachmentIn, keep_inline, note_files
from hub.api.log_entries import (
    Direction,
    InteractionFullOut,
    InteractionOut,
    Kind,
    Reason,
    show_interactions,
)
from hub.api.parameters import Number, Paging
from hub.api.values import Fields, Id, In, Instant, Key, Long, Short, Shown, Written, show
from hub.errors import NotFound
from hub.places import FORM
from hub.setup.snapshot import SetUp
from storage.repositories import interactions as log
from storage.unit import Unit

State = Literal["logged", "quarantined", "answered", "missed", "open", "waiting_client", "postponed", "solved", "junk"]


class InteractionPage(TypedDict):
    """Some interactions, newest first."""

    items: list[InteractionOut]
    next: str | None


class TouchOut(TypedDict):
    """One touch as it came; an interaction is the fold of its touches."""

    id: int
    line: str
    event_key: str
    at: Shown
    received_at: Shown
    phase: str | None
    body: dict[str, Any]
    text: str


class TouchPage(TypedDict):
    """All touches of one interaction, in the order in which they came."""

    items: list[TouchOut]
    next: None


class InteractionQuery(Paging):
    """Filters may be combined."""

    line: Key | None = None
    channel: Key | None = None
    client: Number | None = None
    conversation: Number | None = None
    kind: Kind | None = None
    direction: Direction | None = None
    operator: Key | None = None
    state: (
        Annotated[
            State,
            Field(description="of the interaction itself, of a call (answered, missed), or of its conversation"),
        ]
        | None
    ) = None
    since: Instant | None = None
    until: Instant | None = None
    q: (
        Annotated[Short, Field(min_length=1, description="words or parts of numbers, all of which must occur")] | None
    ) = None


@operation(
    "GET",
    "/interactions",
    tag="interactions",
    summary="List the log",
    query=InteractionQuery,
    answer=InteractionPage,
    refusals=(422,),
)
async def list_interactions(call: Call[InteractionQuery, Any]) -> InteractionPage:
    """Newest first. `q` forgives case, diacritics, ё/е, і/и, look-alike letters, and finds parts of phone numbers."""
    asked = call.query
    wanted = log.Filter(**asked.model_dump(exclude={"limit", "cursor"}))
    return await call.read(lambda connection: _page(connection, wanted, asked.limit, asked.cursor))


def _page(connection: Connection, wanted: log.Filter, limit: int, cursor: str | None) -> InteractionPage:
    page = log.list_page(connection, wanted, limit=limit, cursor=cursor)
    return {"items": show_interactions(connection, page.items), "next": page.next}


@operation(
    "GET",
    "/interactions/{id}",
    tag="interactions",
    summary="One interaction with everything",
    answer=InteractionFullOut,
    refusals=(404,),
)
async def get_interaction(call: Call[Any, Any]) -> InteractionFullOut:
    """With its whole text."""
    number = call.path["id"]
    return await call.read(lambda connection: _full(connection, number))


def _full(connection: Connection, number: int) -> InteractionFullOut:
    found = log.find(connection, number)
    if found is None:
        raise NotFound(f"there is no interaction {number}")
    content = log.content_of(connection, number)
    shown = show_interactions(connection, [found])[0]
    return {
        **shown,
        "full_text": content.full_text if content else None,
        "html": content.html if content else None,
    }


@operation(
    "GET",
    "/interactions/{id}/touches",
    tag="interactions",
    summary="What an interaction is the fold of",
    answer=TouchPage,
    refusals=(404,),
)
async def list_touches(call: Call[Any, Any]) -> TouchPage:
    """Every phase, correction and amendment: the log is never rewritten."""
    number = call.path["id"]

    def read(connection: Connection) -> TouchPage:
        if log.find(connection, number) is None:
            raise NotFound(f"there is no interaction {number}")
        items: list[TouchOut] = [
            {
                "id": one.id,
                "line": one.line.removeprefix(FORM),
                "event_key": one.event_key,
                "at": show(one.at) or "",
                "received_at": show(one.received_at) or "",
                "phase": one.phase,
                "body": dict(one.body),
                "text": one.text,
            }
            for one in log.touches_of(connection, number)
        ]
        return {"items": items, "next": None}

    return await call.read(read)


class CallIn(In):
    """What is known of a talk that is logged by hand."""

    outcome: Literal["answered", "missed"] | None = None
    reason: Reason | None = None
    from_: Short | None = Field(default=None, alias="from")
    to: Short | None = None
    queue: Key | None = None
    wait_s: Annotated[float, Field(ge=0, le=604_800)] | None = None
    talk_s: Annotated[float, Field(ge=0, le=604_800)] | None = None
    hold_s: Annotated[float, Field(ge=0, le=604_800)] | None = None
    ended_by: Literal["caller", "operator", "system"] | None = None


class InteractionIn(In):
    """Whose it is: `client`, `conversation`, or `identity` (which finds the client, or makes one)."""

    kind: Kind
    direction: (
        Annotated[Direction, Field(description="notes are internal, meetings outbound, all else inbound, if not said")]
        | None
    ) = None
    at: Annotated[Instant, Field(description="now, if not said")] | None = None
    ended_at: Instant | None = None
    client: Id | None = None
    identity: Annotated[Written, Field(examples=["phone:+79161234567"])] | None = None
    identities: Annotated[list[Written], Field(max_length=50, default_factory=list)]
    name: Short | None = None
    conversation: Id | None = None
    line: Key | None = None
    channel: Key | None = None
    operator: Key | None = None
    team: Key | None = None
    subject: Short | None = None
    text: Long = ""
    fields: Annotated[Fields, Field(default_factory=dict)]
    attachments: Annotated[list[AttachmentIn], Field(default_factory=list)]
    call: CallIn | None = None
    disposition: Annotated[Key, Field(max_length=100)] | None = None
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}$")] | None = None
    key: (
        Annotated[Key, Field(description="makes the call idempotent: the same key gives the same interaction")] | None
    ) = None


@operation(
    "POST",
    "/interactions",
    tag="interactions",
    summary="Log an interaction by hand",
    body=InteractionIn,
    answer=InteractionOut,
    status=201,
    refusals=(400, 413, 415, 422),
)
async def post_interaction(call: Call[Any, InteractionIn]) -> InteractionOut:
    """A visit, a letter, a fax, a talk on a mobile phone, a note: it starts and meets promises as any touch does."""
    given = call.body
    ids, kept = await keep_inline(call.hub.store.files, given.attachments)
    made = _hand_made(given)

    def work(unit: Unit, setup: SetUp, actor: Actor) -> InteractionOut:
        files = (*ids, *note_files(unit, kept, actor.key))
        number = acts.log_by_hand(unit, setup, actor, replace(made, attachments=files))
        found = log.find(unit.connection, number)
        assert found is not None
        return show_interactions(unit.connection, [found])[0]

    return await call.act(work)


def _hand_made(given: InteractionIn) -> acts.HandMade:
    values = given.model_dump(exclude={"identity", "identities", "attachments", "call"})
    identities = (*([given.identity] if given.identity else []), *given.identities)
    call = given.call.model_dump(by_alias=True, exclude_none=True) if given.call else None
    return acts.HandMade(**values, identities=identities, call=call)


class InteractionPatch(In):
    """Only what is given changes."""

    disposition: Annotated[Short, Field(max_length=100, description="empty takes it away")] | None = None
    fields: Annotated[Fields, Field(description="merged in; null takes a field away")] | None = None
    client: Annotated[Id, Field(description="which of the candidates it was; its conversation goes along")] | None = (
        None
    )


@operation(
    "PATCH",
    "/interactions/{id}",
    tag="interactions",
    summary="Say what came of it",
    body=InteractionPatch,
    answer=InteractionFullOut,
    refusals=(400, 404, 409, 413, 415, 422),
)
async def patch_interaction(call: Call[Any, InteractionPatch]) -> InteractionFullOut:
    """A field that is filled in late starts its follow-up from the end of the touch, not from now."""
    number, given = call.path["id"], call.body

    def work(unit: Unit, setup: SetUp, actor: Actor) -> InteractionFullOut:
        if given.client is not None:
            acts.choose_client(unit, setup, number, actor, given.client)
        acts.amend(unit, setup, number, actor, given.disposition, given.fields)
        return _full(unit.connection, number)

    return await call.act(work)


@operation(
    "POST",
    "/interactions/{id}/release",
    tag="interactions",
    summary="Release from quarantine",
    answer=InteractionFullOut,
    refusals=(404, 409),
)
async def release_interaction(call: Call[Any, Any]) -> InteractionFullOut:
    """It was no spam: it becomes a touch like any other, and its clock runs since it came."""
    number = call.path["id"]

    def work(unit: Unit, setup: SetUp, actor: Actor) -> InteractionFullOut:
        acts.release(unit, setup, number, actor)
        return _full(unit.connection, number)

    return await call.act(work)
