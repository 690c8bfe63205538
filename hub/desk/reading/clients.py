"""Clients: the card with its identities, the list, and whom a touch may have come from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, Connection, Select, bindparam, select, true

from storage import search
from storage.models import client, conversation, identity, interaction, merge
from storage.prepared import Prepared

_MOST_HITS = 20_000
_COMPANY = client.alias("company")
_NUMBER: BindParameter[int] = bindparam("number")
_CARD = Prepared(
    select(client, _COMPANY.c.name.label("company_name"))
    .outerjoin_from(client, _COMPANY, _COMPANY.c.id == client.c.company_id)
    .where(client.c.id == _NUMBER)
)
_MERGES = Prepared(
    select(merge.c.id, client.c.name, merge.c.at, merge.c.by)
    .join_from(merge, client, client.c.id == merge.c.other_id)
    .where(merge.c.survivor_id == _NUMBER, merge.c.undone_at.is_(None))
    .order_by(merge.c.id.desc())
)
_IDENTITIES = Prepared(select(identity).where(identity.c.client_id == _NUMBER).order_by(identity.c.id))
"""What is read whenever a telephone rings is put together once."""


@dataclass(frozen=True, slots=True)
class Identity:
    """An address that somebody writes or calls from. `here_until`: so long he follows, or followed, a live talk."""

    id: int
    scheme: str
    value: str
    name: str | None
    odd: bool
    shared: bool
    bounced_at: datetime | None
    here_until: datetime | None = None

    def __str__(self) -> str:
        return f"{self.scheme}:{self.value}"


@dataclass(frozen=True, slots=True)
class Card:
    """A client. `people` are those of a company, `merges` those that can be undone: (merge id, name, when, who)."""

    id: int
    kind: str
    name: str
    company_id: int | None
    company: str | None
    category: str | None
    lifecycle: str
    source: str | None
    responsible: str | None
    region: str | None
    language: str | None
    notes: str
    fields: dict[str, Any]
    created_at: datetime
    merged_into: int | None
    provisional: bool
    identities: tuple[Identity, ...]
    preferred_channel: str | None = None
    people: tuple[tuple[int, str], ...] = ()
    merges: tuple[tuple[int, str, datetime, str], ...] = ()

    def addresses(self, scheme: str) -> list[str]:
        """His addresses of one scheme, those that bounced last."""
        mine = [one for one in self.identities if one.scheme == scheme]
        return [one.value for one in sorted(mine, key=lambda one: one.bounced_at is not None)]


@dataclass(frozen=True, slots=True)
class ClientRow:
    """A client in a list."""

    id: int
    kind: str
    name: str
    category: str | None
    lifecycle: str
    responsible: str | None
    identities: tuple[Identity, ...]


def read_card(connection: Connection, number: int) -> Card | None:
    """A client with all that the card shows."""
    found = _CARD.records(connection, number=number)
    if not found:
        return None
    row = found[0]
    return Card(
        id=row.id,
        kind=row.kind,
        name=row.name,
        company_id=row.company_id,
        company=row.company_name,
        category=row.category,
        lifecycle=row.lifecycle,
        source=row.source,
        responsible=row.responsible,
        region=row.region,
        language=row.language,
        notes=row.notes,
        fields=row.fields or {},
        created_at=row.created_at,
        merged_into=row.merged_into,
        provisional=bool(row.provisional),
        identities=tuple(_identity(one) for one in _IDENTITIES.records(connection, number=number)),
        preferred_channel=row.preferred_channel,
        people=_people(connection, row) if row.kind == "company" else (),
        merges=tuple((one.id, one.name, one.at, one.by) for one in _MERGES.records(connection, number=number)),
    )


def read_clients(connection: Connection, words: str, category: str | None, limit: int) -> list[ClientRow]:
    """Those that match the words, or the newest; merged ones left out."""
    query = select(client).where(client.c.merged_into.is_(None))
    if category:
        query = query.where(client.c.category == category)
    if words.strip():
        found = search.matching(connection, "client", words, client.c.id, _MOST_HITS)
        if found is None:
            return []
        query = query.where(found)
    rows = list(connection.execute(query.order_by(client.c.id.desc()).limit(limit)))
    return _listed(connection, rows)


def read_some(connection: Connection, numbers: Iterable[int]) -> list[ClientRow]:
    """Clients by number, in that order."""
    wanted = list(numbers)
    rows = {row.id: row for row in connection.execute(select(client).where(client.c.id.in_(wanted)))}
    return _listed(connection, [rows[number] for number in wanted if number in rows])


def search_log(connection: Connection, words: str, most: int) -> list[int]:
    """Interactions whose text, subject or party holds the words, newest first."""
    found = search.matching(connection, "interaction", words, interaction.c.id, _MOST_HITS)
    if found is None:
        return []
    query = select(interaction.c.id).where(found).order_by(interaction.c.id.desc()).limit(most)
    return list(connection.execute(query).scalars())


def count_of_client(connection: Connection, number: int) -> dict[str, int]:
    """How much would move in a merge."""
    held = {"interactions": interaction.c.client_id, "conversations": conversation.c.client_id}
    return {
        name: len(list(connection.execute(select(column).where(column == number).limit(1000))))
        for name, column in held.items()
    }


def _listed(connection: Connection, rows: list[Any]) -> list[ClientRow]:
    known = _identities(connection, [row.id for row in rows])
    return [
        ClientRow(row.id, row.kind, row.name, row.category, row.lifecycle, row.responsible, known.get(row.id, ()))
        for row in rows
    ]


def _identities(connection: Connection, clients: list[int]) -> dict[int, tuple[Identity, ...]]:
    found: dict[int, list[Identity]] = {}
    if not clients:
        return {}
    query = select(identity).where(identity.c.client_id.in_(clients)).order_by(identity.c.id)
    for row in connection.execute(query):
        found.setdefault(row.client_id, []).append(_identity(row))
    return {number: tuple(ones) for number, ones in found.items()}


def _identity(row: Any) -> Identity:
    odd, shared = bool(row.odd), bool(row.shared)
    return Identity(row.id, row.scheme, row.value, row.name, odd, shared, row.bounced_at, row.here_until)


def _people(connection: Connection, company: Any) -> tuple[tuple[int, str], ...]:
    query: Select[Any] = (
        select(client.c.id, client.c.name)
        .where(client.c.company_id == company.id, client.c.merged_into.is_(None), true())
        .order_by(client.c.name)
        .limit(50)
    )
    return tuple((row.id, row.name) for row in connection.execute(query))
