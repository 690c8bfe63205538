"""Reads clients: by identity, by words, with their identities, companies and people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from storage.models import client, identity, merge
from storage.repositories.paging import Order, Page, read_page
from storage.search import matching

_BY_NUMBER = Order(client.c.id, client.c.id)
_MOST_HITS = 20_000


@dataclass(frozen=True, slots=True)
class Identity:
    """One identity of one client; `shared` ones serve several people."""

    id: int
    client_id: int
    scheme: str
    value: str
    name: str | None
    odd: bool
    shared: bool
    bounced_at: datetime | None
    added_at: datetime

    def __str__(self) -> str:
        return f"{self.scheme}:{self.value}"


@dataclass(frozen=True, slots=True)
class Client:
    """A person or a company."""

    id: int
    kind: str
    name: str
    company_id: int | None
    category: str | None
    lifecycle: str
    source: str | None
    responsible: str | None
    region: str | None
    language: str | None
    notes: str
    fields: Mapping[str, Any]
    created_at: datetime
    created_by: str | None
    provisional: bool
    merged_into: int | None
    preferred_channel: str | None
    identities: tuple[Identity, ...] = ()


_COLUMNS = tuple(field.name for field in fields(Client) if field.name != "identities")


@dataclass(frozen=True, slots=True)
class Merge:
    """One journalled merge; `moved` is what it changed, row by row."""

    id: int
    survivor_id: int
    other_id: int
    at: datetime
    by: str
    moved: Mapping[str, Any]
    undone_at: datetime | None
    undone_by: str | None


@dataclass(frozen=True, slots=True)
class Filter:
    """What a list of clients may be narrowed by. `identities` are alternative (scheme, value) spellings of one."""

    identities: tuple[tuple[str, str], ...] = ()
    category: str | None = None
    lifecycle: str | None = None
    responsible: str | None = None
    company: int | None = None
    q: str | None = None


def find(connection: Connection, number: int) -> Client | None:
    """One client with identities. A merged one is found under its own number still: see `merged_into`."""
    found = find_many(connection, [number])
    return found.get(number)


def find_many(connection: Connection, numbers: Iterable[int]) -> dict[int, Client]:
    """Several clients with identities."""
    wanted = list(numbers)
    if not wanted:
        return {}
    rows = connection.execute(select(client).where(client.c.id.in_(wanted))).all()
    return {one.id: one for one in _complete(connection, rows)}


def find_surviving(connection: Connection, number: int) -> Client | None:
    """The client a number stands for now, following merges."""
    found = find(connection, number)
    while found is not None and found.merged_into is not None:
        found = find(connection, found.merged_into)
    return found


def find_by_identity(connection: Connection, scheme: str, value: str) -> tuple[Client, ...]:
    """Everybody who is known by an identity: none, one, or the candidates behind a switchboard."""
    query = (
        select(client)
        .join(identity, identity.c.client_id == client.c.id)
        .where(identity.c.value == value, identity.c.scheme == scheme, client.c.merged_into.is_(None))
        .order_by(client.c.id.desc())
    )
    return _complete(connection, connection.execute(query).all())


def list_page(connection: Connection, wanted: Filter, *, limit: int = 50, cursor: str | None = None) -> Page[Client]:
    """Clients, newest first; those merged into others are left out. Raises `BadCursor`."""
    query = select(client).where(client.c.merged_into.is_(None))
    columns = {
        "category": client.c.category,
        "lifecycle": client.c.lifecycle,
        "responsible": client.c.responsible,
        "company": client.c.company_id,
    }
    for name, column in columns.items():
        value = getattr(wanted, name)
        if value is not None:
            query = query.where(column == value)
    if wanted.identities:
        known = select(identity.c.client_id).where(identity.c.value.in_([value for _, value in wanted.identities]))
        schemes = {scheme for scheme, _ in wanted.identities}
        query = query.where(client.c.id.in_(known.where(identity.c.scheme.in_(schemes))))
    if wanted.q is not None:
        matches = matching(connection, "client", wanted.q, client.c.id, _MOST_HITS)
        if matches is None:
            return Page((), None)
        query = query.where(matches)
    page = read_page(connection, query, _BY_NUMBER, _keep, limit=limit, cursor=cursor)
    return Page(_complete(connection, page.items), page.next)


def identities_of(connection: Connection, numbers: Iterable[int]) -> dict[int, list[Identity]]:
    """The identities of several clients, in the order they were learnt."""
    wanted = list(numbers)
    if not wanted:
        return {}
    found: dict[int, list[Identity]] = {}
    query = select(identity).where(identity.c.client_id.in_(wanted)).order_by(identity.c.id)
    for row in connection.execute(query):
        found.setdefault(row.client_id, []).append(_read_identity(row))
    return found


def people_of(connection: Connection, company: int) -> tuple[Client, ...]:
    """The persons who belong to a company."""
    query = select(client).where(client.c.company_id == company, client.c.merged_into.is_(None)).order_by(client.c.id)
    return _complete(connection, connection.execute(query).all())


def find_merge(connection: Connection, number: int) -> Merge | None:
    """One merge."""
    row = connection.execute(select(merge).where(merge.c.id == number)).one_or_none()
    return _read_merge(row) if row is not None else None


def merges_of(connection: Connection, number: int) -> tuple[Merge, ...]:
    """The merges that a client survived or went down in, newest first."""
    query = select(merge).where((merge.c.survivor_id == number) | (merge.c.other_id == number))
    return tuple(_read_merge(row) for row in connection.execute(query.order_by(merge.c.id.desc())))


def _keep(row: Any) -> Any:
    return row


def _complete(connection: Connection, rows: Sequence[Any]) -> tuple[Client, ...]:
    identities = identities_of(connection, [row.id for row in rows])
    return tuple(
        Client(**{name: getattr(row, name) for name in _COLUMNS}, identities=tuple(identities.get(row.id, ())))
        for row in rows
    )


def _read_identity(row: Any) -> Identity:
    return Identity(**{field.name: getattr(row, field.name) for field in fields(Identity)})


def _read_merge(row: Any) -> Merge:
    return Merge(**{field.name: getattr(row, field.name) for field in fields(Merge)})
