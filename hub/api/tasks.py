"""Tasks: what operators are asked to do."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field
from sqlalchemy import Connection
from typing_extensions import TypedDict

from hub.actions import tasks as acts
from hub.actor import Actor
from hub.api.call import Call, operation
from hub.api.parameters import Number, Paging
from hub.api.values import Fields, Id, In, Instant, Key, Long, Shown, Text, show
from hub.errors import NotFound
from hub.setup.snapshot import SetUp
from storage.repositories import tasks as rows
from storage.unit import Unit

State = Literal["open", "done", "cancelled"]
Title = Annotated[Text, Field(min_length=1, max_length=1000, pattern=r"\S")]


class TaskOut(TypedDict):
    """One task. `closed_by` says which interaction, operator or regulation closed it."""

    id: int
    title: str
    client: int | None
    conversation: int | None
    obligation: int | None
    interaction: int | None
    owner: str | None
    team: str | None
    due: Shown | None
    remind_at: Shown | None
    state: State
    note: str
    made_at: Shown
    made_by: str
    closed_at: Shown | None
    closed_by: str | None
    met_by: dict[str, Any] | None


class TaskPage(TypedDict):
    """Some tasks, newest first."""

    items: list[TaskOut]
    next: str | None


class TaskQuery(Paging):
    """Filters may be combined."""

    state: State | None = None
    owner: Key | None = None
    team: Key | None = None
    client: Number | None = None
    conversation: Number | None = None
    obligation: Number | None = None


def show_task(one: rows.Task) -> TaskOut:
    """As the API writes it."""
    return {
        "id": one.id,
        "title": one.title,
        "client": one.client_id,
        "conversation": one.conversation_id,
        "obligation": one.obligation_id,
        "interaction": one.interaction_id,
        "owner": one.owner,
        "team": one.team,
        "due": show(one.due),
        "remind_at": show(one.remind_at),
        "state": one.state,  # type: ignore[typeddict-item]
        "note": one.note,
        "made_at": show(one.made_at) or "",
        "made_by": one.made_by,
        "closed_at": show(one.closed_at),
        "closed_by": one.closed_by,
        "met_by": dict(one.met_by) if one.met_by else None,
    }


@operation("GET", "/tasks", tag="tasks", summary="List tasks", query=TaskQuery, answer=TaskPage, refusals=(422,))
async def list_tasks(call: Call[TaskQuery, Any]) -> TaskPage:
    """Newest first."""
    asked = call.query
    wanted = rows.Filter(**asked.model_dump(exclude={"limit", "cursor"}))
    page = await call.read(
        lambda connection: rows.list_page(connection, wanted, limit=asked.limit, cursor=asked.cursor)
    )
    return {"items": [show_task(one) for one in page.items], "next": page.next}


@operation("GET", "/tasks/{id}", tag="tasks", summary="One task", answer=TaskOut, refusals=(404,))
async def get_task(call: Call[Any, Any]) -> TaskOut:
    """As it stands now."""
    number = call.path["id"]
    return await call.read(lambda connection: _one(connection, number))


def _one(connection: Connection, number: int) -> TaskOut:
    found = rows.find(connection, number)
    if found is None:
        raise NotFound(f"there is no task {number}")
    return show_task(found)


class TaskIn(In):
    """What somebody is to do, until when, and what it is about."""

    title: Title
    client: Id | None = None
    conversation: Id | None = None
    obligation: Id | None = None
    interaction: Id | None = None
    owner: Key | None = None
    team: Key | None = None
    due: Instant | None = None
    remind_at: Instant | None = None
    note: Long = ""
    met_by: Annotated[
        Fields | None, Field(description='closes it by itself, as a regulation\'s action: {"any": ["call"]}')
    ] = None


@operation(
    "POST",
    "/tasks",
    tag="tasks",
    summary="Make a task",
    body=TaskIn,
    answer=TaskOut,
    status=201,
    refusals=(400, 413, 415, 422),
)
async def post_task(call: Call[Any, TaskIn]) -> TaskOut:
    """Without owner and team it is for whoever asks."""
    new = acts.NewTask(**call.body.model_dump())

    def work(unit: Unit, setup: SetUp, actor: Actor) -> TaskOut:
        return _one(unit.connection, acts.make(unit, setup, actor, new))

    return await call.act(work)


class TaskPatch(In):
    """Only what is given changes; null takes owner, team, due and reminder away."""

    title: Title | None = None
    owner: Key | None = None
    team: Key | None = None
    due: Instant | None = None
    remind_at: Instant | None = None
    note: Long | None = None
    state: State | None = None


@operation(
    "PATCH",
    "/tasks/{id}",
    tag="tasks",
    summary="Change or close a task",
    body=TaskPatch,
    answer=TaskOut,
    refusals=(400, 404, 409, 413, 415, 422),
)
async def patch_task(call: Call[Any, TaskPatch]) -> TaskOut:
    """A task that a regulation made closes itself when the log shows that it was done."""
    number, given = call.path["id"], call.body
    kept = {"title", "note"}
    changes = {
        name: getattr(given, name)
        for name in given.model_fields_set - {"state"}
        if getattr(given, name) is not None or name not in kept
    }

    def work(unit: Unit, setup: SetUp, actor: Actor) -> TaskOut:
        acts.amend(unit, setup, number, actor, changes)
        state = _one(unit.connection, number)["state"]
        if given.state is not None and given.state != state:
            if state != "open":
                acts.reopen(unit, setup, number, actor)
            if given.state != "open":
                acts.close(unit, setup, number, actor, given.state)
        return _one(unit.connection, number)

    return await call.act(work)
