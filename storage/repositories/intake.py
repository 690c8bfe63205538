"""What intake asks of the log and writes to it: whole batches, one statement each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Column, Table, bindparam, func, select, text, update
from sqlalchemy.sql import Select

from storage.among import KEYS, Listed, among
from storage.bulk import insert_rows
from storage.models import client, conversation, delivery, identity, interaction, obligation, set_aside, touch
from storage.prepared import Prepared, PreparedChange
from storage.unit import Unit

Rows = Sequence[Mapping[str, Any]]
_MOST_SINCE = 200


# Statements are built once: building one costs more than running it.
_SEEN = Prepared(select(touch.c.line, touch.c.event_key, touch.c.interaction_id).where(among(touch.c.event_key)))
_KNOWN = Prepared(
    select(
        identity.c.scheme,
        identity.c.value,
        identity.c.client_id,
        identity.c.shared,
        client.c.kind,
        client.c.name,
        client.c.company_id,
        client.c.provisional,
    )
    .join_from(identity, client, identity.c.client_id == client.c.id)
    .where(among(identity.c.value))
)
_REPEATED = Prepared(
    select(interaction.c.repeat_key, interaction.c.id, interaction.c.at, interaction.c.conversation_id)
    .where(
        among(interaction.c.repeat_key),
        interaction.c.at >= bindparam("since", type_=interaction.c.at.type),
        interaction.c.again_of.is_(None),
        interaction.c.quarantined_at.is_(None),
    )
    .order_by(interaction.c.id)
)


def _newest(column: Column[Any]) -> Select[Any]:
    return select(interaction).where(among(column)).order_by(interaction.c.id)


_GROWING = Prepared(_newest(interaction.c.external_id), locking=True)
_BY_SAME_AS = Prepared(_newest(interaction.c.same_as))
_DELIVERIES = Prepared(select(delivery).where(among(delivery.c.external_id)))
_BY_ID = {
    table: Prepared(select(table).where(among(table.c.id)).order_by(table.c.id), locking=table is conversation)
    for table in (conversation, client, interaction)
}
_OPEN = Prepared(
    select(conversation)
    .where(
        among(conversation.c.client_id),
        conversation.c.last_at >= bindparam("since", type_=conversation.c.last_at.type),
        conversation.c.state != "solved",
        conversation.c.state != "junk",
    )
    .order_by(conversation.c.id),
    locking=True,
)
_FIRST = Prepared(
    select(interaction.c.client_id, func.min(interaction.c.id))
    .where(among(interaction.c.client_id))
    .group_by(interaction.c.client_id)
)
_PROMISED = Prepared(
    select(obligation.c.conversation_id, obligation.c.client_id).where(among(obligation.c.conversation_id)).distinct()
)
_LOCK = text(
    "SELECT pg_advisory_xact_lock(number) FROM (SELECT DISTINCT hashtextextended(key, 0) AS number"
    " FROM json_array_elements_text(CAST(:keys AS json)) AS key ORDER BY number) AS numbers"
).bindparams(bindparam(KEYS, type_=Listed()))


@dataclass(frozen=True, slots=True)
class Known:
    """A client who is known by an identity."""

    client: int
    kind: str
    name: str
    company: int | None
    provisional: bool
    shared: bool


def find_seen(unit: Unit, event_keys: Iterable[str]) -> dict[tuple[str, str], int]:
    """(line, event key) -> interaction, for touches that are in the log already."""
    keys = list(event_keys)
    if not keys:
        return {}
    return {(line, key): found for line, key, found in _SEEN.rows(unit.connection, keys=keys)}


def lock_keys(unit: Unit, keys: Iterable[str]) -> None:
    """Keep other processes from taking in the same thing at this moment, until the commit (SQLite has one writer)."""
    wanted = sorted(set(keys))
    if wanted and unit.dialect == "postgresql":
        unit.connection.execute(_LOCK, {KEYS: wanted})


def lock_identities(unit: Unit, identities: Iterable[tuple[str, str]]) -> None:
    """Keep other processes from making a client of the same new identity at this moment (SQLite has one writer)."""
    lock_keys(unit, {f"{scheme}:{value}" for scheme, value in identities})


def find_known(unit: Unit, identities: Iterable[tuple[str, str]]) -> dict[tuple[str, str], list[Known]]:
    """Who is known by each identity; several clients may share one number."""
    wanted = set(identities)
    found: dict[tuple[str, str], list[Known]] = {}
    if not wanted:
        return found
    rows = _KNOWN.rows(unit.connection, keys={value for _, value in wanted})
    for scheme, value, client_id, shared, kind, name, company_id, provisional in rows:
        if (scheme, value) in wanted:
            known = Known(client_id, kind, name, company_id, provisional, shared)
            found.setdefault((scheme, value), []).append(known)
    return found


def find_growing(unit: Unit, external_ids: Iterable[str]) -> dict[tuple[str, str], dict[str, Any]]:
    """(line, external id) -> the interaction that a further phase belongs to, locked until the commit."""
    wanted = list(external_ids)
    if not wanted:
        return {}
    found = _GROWING.mappings(unit.connection, keys=wanted)
    return {(row["line"], row["external_id"]): row for row in found}


def find_by_same_as(unit: Unit, keys: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Interactions by what makes a message the same on several lines."""
    wanted = list(keys)
    if not wanted:
        return {}
    return {row["same_as"]: row for row in _BY_SAME_AS.mappings(unit.connection, keys=wanted)}


def find_deliveries(unit: Unit, external_ids: Iterable[str]) -> dict[tuple[str, str], dict[str, Any]]:
    """Our own outbound messages by (line, external id)."""
    wanted = list(external_ids)
    if not wanted:
        return {}
    rows = _DELIVERIES.mappings(unit.connection, keys=wanted)
    return {(row["line"], row["external_id"]): row for row in rows}


def find_repeated(unit: Unit, keys: Iterable[str], since: datetime) -> dict[str, list[dict[str, Any]]]:
    """What has each repeat key since an instant, oldest first; repeats themselves and quarantined ones left out."""
    wanted = list(keys)
    found: dict[str, list[dict[str, Any]]] = {}
    if wanted:
        for row in _REPEATED.mappings(unit.connection, keys=wanted, since=since):
            found.setdefault(row["repeat_key"], []).append(row)
    return found


def find_conversations(unit: Unit, ids: Iterable[int]) -> dict[int, dict[str, Any]]:
    """Conversation rows by id."""
    return _rows_by_id(unit, conversation, ids)


def find_clients(unit: Unit, ids: Iterable[int]) -> dict[int, dict[str, Any]]:
    """Client rows by id."""
    return _rows_by_id(unit, client, ids)


def find_interactions(unit: Unit, ids: Iterable[int]) -> dict[int, dict[str, Any]]:
    """Interaction rows by id."""
    return _rows_by_id(unit, interaction, ids)


def _rows_by_id(unit: Unit, table: Table, ids: Iterable[int]) -> dict[int, dict[str, Any]]:
    wanted = list(set(ids))
    if not wanted:
        return {}
    return {row["id"]: row for row in _BY_ID[table].mappings(unit.connection, keys=wanted)}


def find_open_conversations(unit: Unit, clients: Iterable[int], since: datetime) -> dict[int, dict[str, Any]]:
    """The newest conversation of each client that anything happened in since an instant: client -> row."""
    wanted = set(clients)
    if not wanted:
        return {}
    found = _OPEN.mappings(unit.connection, keys=wanted, since=since)
    return {row["client_id"]: row for row in sorted(found, key=lambda row: row["last_at"])}


def find_first_interactions(unit: Unit, clients: Iterable[int]) -> dict[int, int]:
    """Client -> the first interaction with him that the log has."""
    wanted = set(clients)
    if not wanted:
        return {}
    return dict(_FIRST.rows(unit.connection, keys=wanted))


def find_since(unit: Unit, client: int, since: datetime, but: int) -> list[dict[str, Any]]:
    """What else the log has of a client since an instant, oldest first, with the state of its `delivery`."""
    table = interaction.c
    state = select(delivery.c.state).where(delivery.c.interaction_id == table.id)
    query = (
        select(interaction, state.order_by(delivery.c.id.desc()).limit(1).scalar_subquery().label("delivery"))
        .where(table.client_id == client, table.at >= since, table.id != but)
        .order_by(table.at, table.id)
        .limit(_MOST_SINCE)
    )
    return [dict(row) for row in unit.connection.execute(query).mappings()]


def find_known_identities(unit: Unit, clients: Iterable[int]) -> set[tuple[int, str, str]]:
    """(client, scheme, value) of all identities of the clients."""
    wanted = set(clients)
    if not wanted:
        return set()
    query = select(identity.c.client_id, identity.c.scheme, identity.c.value).where(identity.c.client_id.in_(wanted))
    return {(row[0], row[1], row[2]) for row in unit.connection.execute(query)}


def find_promised(unit: Unit, conversations: Iterable[int]) -> dict[int, set[int]]:
    """Conversation -> the clients who were promised something in it: a colleague may have joined in."""
    wanted = set(conversations)
    found: dict[int, set[int]] = {}
    if wanted:
        for number, whose in _PROMISED.rows(unit.connection, keys=wanted):
            found.setdefault(number, set()).add(whose)
    return found


def find_set_aside(unit: Unit, line: str, event_key: str) -> bool:
    """Was this touch set aside before?"""
    query = select(set_aside.c.id).where(set_aside.c.line == line, set_aside.c.event_key == event_key)
    return unit.connection.execute(query).first() is not None


def write_rows(unit: Unit, table: Table, rows: Rows) -> None:
    """Insert all rows with one statement."""
    insert_rows(unit.connection, table, rows)


def update_rows(unit: Unit, table: Table, changes: Mapping[int, Mapping[str, Any]]) -> None:
    """Write changed columns of rows by id; rows that change the same columns share a statement."""
    alike: dict[frozenset[str], list[dict[str, Any]]] = {}
    for number, change in changes.items():
        if change:
            alike.setdefault(frozenset(change), []).append({"number_": number, **change})
    for columns, parameters in alike.items():
        _change(table, columns).make(unit.connection, parameters)


@cache
def _change(table: Table, columns: frozenset[str]) -> PreparedChange:
    values = {name: bindparam(name, type_=table.c[name].type) for name in columns}
    return PreparedChange(update(table).where(table.c.id == bindparam("number_")).values(values))


def count_automatic_since(unit: Unit, party: str, since: datetime) -> int:
    """How many automatic messages went to one identity since an instant (the loop guard)."""
    query = select(func.count()).where(
        delivery.c.made_at >= since,
        delivery.c.options["automatic"].as_boolean().is_(True),
        delivery.c.options["to"].as_string() == party,
    )
    return unit.connection.execute(query).scalar_one()
