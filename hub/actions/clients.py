"""Clients: made, amended, given identities; merged, and unmerged exactly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, insert, select, update

from channels.touch import Identity
from hub.actions import finding
from hub.actions.identities import read_identities, read_identity
from hub.actor import Actor
from hub.errors import BadInput, Conflict
from hub.journal import note
from hub.judgement import judge_client
from hub.setup.problem import suggest
from hub.setup.snapshot import SetUp
from hub.ways import writing_channels
from storage import models
from storage.events import Event
from storage.repositories.intake import lock_identities
from storage.search import index_clients, words_of
from storage.unit import Unit

Row = dict[str, Any]

KINDS = ("person", "company")
LIFECYCLES = ("potential", "current", "gone")
AMENDABLE = frozenset(
    {
        "kind",
        "name",
        "company_id",
        "category",
        "lifecycle",
        "source",
        "responsible",
        "region",
        "language",
        "notes",
        "fields",
        "preferred_channel",
    }
)


def create(unit: Unit, setup: SetUp, actor: Actor, values: Mapping[str, Any], identities: tuple[str, ...] = ()) -> int:
    """A new client. Raises `Conflict` when one of the identities belongs to somebody already."""
    found = read_identities(setup, list(identities))
    lock_identities(unit, [(one.scheme, one.value) for one in found])
    for one in found:
        if (holder := _holder(unit, one)) is not None:
            raise Conflict(
                "%(identity)s belongs to client %(client)s already",
                field="identities",
                remedy="merge them, or share it",
                identity=one,
                client=holder,
            )
    _check(unit, setup, values)
    row: Row = {
        "id": unit.take_ids(models.client, 1)[0],
        "kind": "person",
        "name": found[0].value if found else "",
        "lifecycle": "potential",
        "notes": "",
        "fields": {},
        **values,
        "created_at": unit.now,
        "created_by": str(actor),
    }
    row["fields"] = {key: value for key, value in row["fields"].items() if value is not None}
    unit.connection.execute(insert(models.client).values(**row))
    for one in found:
        _write_identity(unit, row["id"], one, shared=False)
    reindex(unit, row["id"])
    made = finding.find_client(unit, row["id"])
    judge_client(unit, setup, made, made, actor=str(actor))
    note(unit, actor, "created", "client", row["id"], {"identities": [str(one) for one in found]})
    unit.emit(Event("client", row["id"], "new", client=row["id"]))
    return int(row["id"])


def amend(unit: Unit, setup: SetUp, number: int, actor: Actor, changes: Mapping[str, Any]) -> None:
    """Change what is known of a client. `fields` are merged in; a field given as None is taken away."""
    before = finding.find_client(unit, number)
    _check(unit, setup, changes, number=before["id"])
    wanted = dict(changes)
    if "fields" in wanted:
        merged = {**before["fields"], **wanted["fields"]}
        wanted["fields"] = {key: value for key, value in merged.items() if value is not None}
    after = finding.change_row(unit, models.client, before, wanted)
    if after == before:
        return
    judge_client(unit, setup, before, after, actor=str(actor))
    reindex(unit, before["id"])
    changed = {key: [before[key], after[key]] for key in wanted if before[key] != after[key]}
    note(unit, actor, "amended", "client", before["id"], changed)
    unit.emit(Event("client", before["id"], client=before["id"]))


def add_identity(
    unit: Unit, setup: SetUp, number: int, actor: Actor, written: str, *, shared: bool = False
) -> Identity:
    """One more way to know a client. What others have too must be `shared`: then all who have it are candidates."""
    row = finding.find_client(unit, number)
    one = read_identity(setup, written)
    lock_identities(unit, [(one.scheme, one.value)])
    holder = _holder(unit, one, but=row["id"])
    if holder is not None and not shared:
        raise Conflict(
            "%(identity)s belongs to client %(client)s already",
            field="identity",
            remedy="say that it is shared, or merge them",
            identity=one,
            client=holder,
        )
    table = models.identity
    mine = (table.c.client_id == row["id"], table.c.scheme == one.scheme, table.c.value == one.value)
    if unit.connection.execute(select(table.c.id).where(*mine)).first() is None:
        _write_identity(unit, row["id"], one, shared=shared)
    if shared:
        same = (table.c.scheme == one.scheme, table.c.value == one.value)
        unit.connection.execute(update(table).where(*same).values(shared=True))
    reindex(unit, row["id"])
    note(unit, actor, "identity_added", "client", row["id"], {"identity": str(one), "shared": shared})
    unit.emit(Event("client", row["id"], client=row["id"]))
    return one


def remove_identity(unit: Unit, setup: SetUp, number: int, actor: Actor, written: str) -> None:
    """It was not his after all. What came by it stays in the log as it is."""
    row = finding.find_client(unit, number)
    one = read_identity(setup, written)
    table = models.identity
    done = unit.connection.execute(
        delete(table).where(table.c.client_id == row["id"], table.c.scheme == one.scheme, table.c.value == one.value)
    )
    if not done.rowcount:
        raise BadInput("this client is not known by %(identity)s", field="identity", identity=one)
    reindex(unit, row["id"])
    note(unit, actor, "identity_removed", "client", row["id"], {"identity": str(one)})
    unit.emit(Event("client", row["id"], client=row["id"]))


def reindex(unit: Unit, number: int) -> None:
    """Make a client findable by what is known of him now."""
    row = finding.find_row(unit, models.client, number)
    table = models.identity
    known = unit.connection.execute(select(table).where(table.c.client_id == number).order_by(table.c.id)).all()
    values = [one.value for one in known]
    names = [one.name for one in known if one.name]
    fields = [value for value in row["fields"].values() if isinstance(value, str)]
    words = words_of(row["name"], row["notes"], row["source"], *names, *values, *fields, phones=[*values, *fields])
    index_clients(unit, [(number, words)])


def _check(unit: Unit, setup: SetUp, values: Mapping[str, Any], number: int | None = None) -> None:
    unknown = set(values) - AMENDABLE
    if unknown:
        raise BadInput("a client has no %(name)s", field=min(unknown), name=min(unknown))
    for name, known in (("kind", KINDS), ("lifecycle", LIFECYCLES)):
        if name in values and values[name] not in known:
            raise BadInput(
                "%(value)s is not one of the choices",
                field=name,
                remedy="use %(known)s",
                value=values[name],
                known=", ".join(known),
            )
    finding.check_operator(setup, values.get("responsible"), "responsible")
    channel = values.get("preferred_channel")
    if channel is not None and channel not in writing_channels():
        raise BadInput(
            "there is no channel %(channel)s to write by",
            field="preferred_channel",
            remedy=suggest(channel, writing_channels()),
            channel=channel,
        )
    company = values.get("company_id")
    if company is not None:
        found = finding.refer_to_client(unit, company, "company")
        if found["kind"] != "company" or found["id"] == number:
            raise BadInput(
                "client %(number)s is no company",
                field="company",
                remedy="name a client of kind company",
                number=company,
            )


def _holder(unit: Unit, one: Identity, but: int | None = None) -> int | None:
    """Somebody who is known by an identity."""
    table = models.identity
    query = (
        select(table.c.client_id)
        .join(models.client, models.client.c.id == table.c.client_id)
        .where(table.c.value == one.value, table.c.scheme == one.scheme, models.client.c.provisional.is_(False))
    )
    if but is not None:
        query = query.where(table.c.client_id != but)
    return unit.connection.execute(query.order_by(table.c.client_id)).scalars().first()


def _write_identity(unit: Unit, client: int, one: Identity, *, shared: bool) -> None:
    unit.connection.execute(
        insert(models.identity).values(
            id=unit.take_ids(models.identity, 1)[0],
            client_id=client,
            scheme=one.scheme,
            value=one.value,
            name=one.name,
            odd=one.odd,
            shared=shared,
            added_at=unit.now,
        )
    )


def set_identities(unit: Unit, setup: SetUp, number: int, actor: Actor, written: list[str]) -> None:
    """Make these his identities: what is missing is added, what is too many goes."""
    row = finding.find_client(unit, number)
    wanted = {(one.scheme, one.value): one for one in read_identities(setup, written)}
    table = models.identity
    known = unit.connection.execute(select(table).where(table.c.client_id == row["id"])).all()
    for one in known:
        if (one.scheme, one.value) not in wanted:
            remove_identity(unit, setup, row["id"], actor, f"{one.scheme}:{one.value}")
    have = {(one.scheme, one.value) for one in known}
    for key, identity in wanted.items():
        if key not in have:
            add_identity(unit, setup, row["id"], actor, str(identity))
