"""Clients: found by identity or words, made, amended, merged and unmerged."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field
from sqlalchemy import Connection
from typing_extensions import TypedDict

from hub.actions import clients as acts
from hub.actions import merging
from hub.actions.identities import spellings
from hub.actor import Actor
from hub.api.call import Call, operation
from hub.api.parameters import Number, Paging
from hub.api.values import Fields, Id, In, Key, Long, Short, Shown, Written, show
from hub.errors import NotFound
from hub.setup.snapshot import SetUp
from storage.repositories import clients as rows
from storage.unit import Unit

Kind = Literal["person", "company"]
Lifecycle = Literal["potential", "current", "gone"]


class IdentityOut(TypedDict):
    """How a client is known. A `shared` one serves several people; an `odd` one is kept as it was written."""

    identity: str
    name: str | None
    odd: bool
    shared: bool
    bounced_at: Shown | None


class ClientOut(TypedDict):
    """A person or a company. `provisional` ones stand in until somebody chooses among candidates."""

    id: int
    kind: Kind
    name: str
    company: int | None
    identities: list[str]
    known_by: list[IdentityOut]
    category: str | None
    lifecycle: Lifecycle
    source: str | None
    responsible: str | None
    region: str | None
    language: str | None
    notes: str
    preferred_channel: str | None
    fields: dict[str, Any]
    provisional: bool
    merged_into: int | None
    created_at: Shown


class ClientPage(TypedDict):
    """Some clients, newest first."""

    items: list[ClientOut]
    next: str | None


class MergeOut(TypedDict):
    """The number under which a merge can be undone."""

    merge: int


class UnmergeOut(TypedDict):
    """Both clients as they are again."""

    merge: int
    survivor: ClientOut
    other: ClientOut


class ClientQuery(Paging):
    """`identity` finds every client who is known by it: several, if it is shared."""

    identity: (
        Annotated[Written, Field(description="scheme:value; a space reads as a plus", examples=["phone:+79161234567"])]
        | None
    ) = None
    category: Key | None = None
    lifecycle: Lifecycle | None = None
    responsible: Key | None = None
    company: Number | None = None
    q: Annotated[Short, Field(min_length=1)] | None = None


def show_client(one: rows.Client) -> ClientOut:
    """As the API writes it."""
    return {
        "id": one.id,
        "kind": one.kind,  # type: ignore[typeddict-item]
        "name": one.name,
        "company": one.company_id,
        "identities": [str(each) for each in one.identities],
        "known_by": [
            {
                "identity": str(each),
                "name": each.name,
                "odd": each.odd,
                "shared": each.shared,
                "bounced_at": show(each.bounced_at),
            }
            for each in one.identities
        ],
        "category": one.category,
        "lifecycle": one.lifecycle,  # type: ignore[typeddict-item]
        "source": one.source,
        "responsible": one.responsible,
        "region": one.region,
        "language": one.language,
        "notes": one.notes,
        "preferred_channel": one.preferred_channel,
        "fields": dict(one.fields),
        "provisional": one.provisional,
        "merged_into": one.merged_into,
        "created_at": show(one.created_at) or "",
    }


@operation(
    "GET",
    "/clients",
    tag="clients",
    summary="Find clients",
    query=ClientQuery,
    answer=ClientPage,
    refusals=(422,),
)
async def list_clients(call: Call[ClientQuery, Any]) -> ClientPage:
    """Newest first. Those merged into others are left out."""
    asked = call.query
    identities = spellings(call.setup, asked.identity) if asked.identity is not None else ()
    wanted = rows.Filter(
        identities=identities, **asked.model_dump(include={"category", "lifecycle", "responsible", "company", "q"})
    )
    if asked.identity is not None and not identities:
        return {"items": [], "next": None}
    page = await call.read(
        lambda connection: rows.list_page(connection, wanted, limit=asked.limit, cursor=asked.cursor)
    )
    return {"items": [show_client(one) for one in page.items], "next": page.next}


@operation("GET", "/clients/{id}", tag="clients", summary="One client", answer=ClientOut, refusals=(404,))
async def get_client(call: Call[Any, Any]) -> ClientOut:
    """A client who was merged away is still found under his number, with `merged_into`."""
    number = call.path["id"]
    return await call.read(lambda connection: _one(connection, number))


def _one(connection: Connection, number: int) -> ClientOut:
    found = rows.find(connection, number)
    if found is None:
        raise NotFound(f"there is no client {number}")
    return show_client(found)


class ClientIn(In):
    """A new client. An identity that somebody has already is refused: merge, or share it."""

    kind: Kind = "person"
    name: Short | None = None
    company: Id | None = None
    identities: Annotated[
        list[Written],
        Field(max_length=50, default_factory=list, examples=[["phone:+79161234567", "email:anna@example.org"]]),
    ]
    category: Annotated[str, Field(min_length=1, max_length=20, examples=["VIP"])] | None = None
    lifecycle: Lifecycle = "potential"
    source: Annotated[Short, Field(max_length=200)] | None = None
    responsible: Key | None = None
    region: Key | None = None
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}$")] | None = None
    preferred_channel: Key | None = None
    notes: Long = ""
    fields: Annotated[Fields, Field(default_factory=dict)]


class ClientPatch(In):
    """Only what is given changes; null takes a value away. `identities` are those he has afterwards."""

    kind: Kind | None = None
    name: Short | None = None
    company: Id | None = None
    identities: Annotated[list[Written], Field(max_length=50)] | None = None
    category: Annotated[str, Field(min_length=1, max_length=20)] | None = None
    lifecycle: Lifecycle | None = None
    source: Annotated[Short, Field(max_length=200)] | None = None
    responsible: Key | None = None
    region: Key | None = None
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}$")] | None = None
    preferred_channel: Key | None = None
    notes: Long | None = None
    fields: Annotated[Fields, Field(description="merged in; null takes a field away")] | None = None


def _values(given: In) -> dict[str, Any]:
    """Columns out of a body: what was not given stays out, and where null makes no sense it means nothing."""
    values = {name: getattr(given, name) for name in given.model_fields_set if name != "identities"}
    if "company" in values:
        values["company_id"] = values.pop("company")
    kept = {"kind", "lifecycle", "fields"}
    empty = {"name", "notes"}
    return {
        name: "" if value is None and name in empty else value
        for name, value in values.items()
        if value is not None or name not in kept
    }


@operation(
    "POST",
    "/clients",
    tag="clients",
    summary="Make a client",
    body=ClientIn,
    answer=ClientOut,
    status=201,
    refusals=(400, 409, 413, 415, 422),
)
async def post_client(call: Call[Any, ClientIn]) -> ClientOut:
    """Phones are written as people write them and kept as E.164; one text may hold several."""
    given = call.body
    values = {"lifecycle": given.lifecycle, "kind": given.kind, **_values(given)}
    if not values.get("name"):
        values.pop("name", None)

    def work(unit: Unit, setup: SetUp, actor: Actor) -> ClientOut:
        return _one(unit.connection, acts.create(unit, setup, actor, values, tuple(given.identities)))

    return await call.act(work)


@operation(
    "PATCH",
    "/clients/{id}",
    tag="clients",
    summary="Change a client",
    body=ClientPatch,
    answer=ClientOut,
    refusals=(400, 404, 409, 413, 415, 422),
)
async def patch_client(call: Call[Any, ClientPatch]) -> ClientOut:
    """A changed category or responsible moves the promises that run."""
    number, given = call.path["id"], call.body

    def work(unit: Unit, setup: SetUp, actor: Actor) -> ClientOut:
        acts.amend(unit, setup, number, actor, _values(given))
        if given.identities is not None:
            acts.set_identities(unit, setup, number, actor, given.identities)
        found = rows.find_surviving(unit.connection, number)
        assert found is not None
        return show_client(found)

    return await call.act(work)


class IdentityIn(In):
    """One more identity. What others have too must be `shared`."""

    identity: Written
    shared: bool = False


@operation(
    "POST",
    "/clients/{id}/identities",
    tag="clients",
    summary="Add an identity",
    body=IdentityIn,
    answer=ClientOut,
    status=201,
    refusals=(400, 404, 409, 413, 415, 422),
)
async def post_identity(call: Call[Any, IdentityIn]) -> ClientOut:
    """A shared number (a switchboard, a family) makes all who have it candidates, and nobody is guessed."""
    number, given = call.path["id"], call.body

    def work(unit: Unit, setup: SetUp, actor: Actor) -> ClientOut:
        acts.add_identity(unit, setup, number, actor, given.identity, shared=given.shared)
        found = rows.find_surviving(unit.connection, number)
        assert found is not None
        return show_client(found)

    return await call.act(work)


class MergeIn(In):
    """Who goes."""

    other: Annotated[Id, Field(description="the client who becomes part of this one")]


@operation(
    "POST",
    "/clients/{id}/merge",
    tag="clients",
    summary="Merge another client into this one",
    body=MergeIn,
    answer=MergeOut,
    refusals=(400, 404, 409, 413, 415, 422),
)
async def merge_clients(call: Call[Any, MergeIn]) -> MergeOut:
    """Everything of `other` is this client's from now on; it is written down row by row and can be undone exactly."""
    number, other = call.path["id"], call.body.other
    return {"merge": await call.act(lambda unit, setup, actor: merging.merge(unit, setup, number, other, actor))}


@operation(
    "POST",
    "/merges/{id}/undo",
    tag="clients",
    summary="Undo a merge",
    answer=UnmergeOut,
    refusals=(404, 409),
)
async def undo_merge(call: Call[Any, Any]) -> UnmergeOut:
    """Both clients have again what was theirs; what came after the merge stays with the survivor."""
    number = call.path["id"]

    def work(unit: Unit, setup: SetUp, actor: Actor) -> UnmergeOut:
        merging.undo_merge(unit, setup, number, actor)
        done = rows.find_merge(unit.connection, number)
        assert done is not None
        survivor, other = _one(unit.connection, done.survivor_id), _one(unit.connection, done.other_id)
        return {"merge": number, "survivor": survivor, "other": other}

    return await call.act(work)
