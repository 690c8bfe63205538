"""What the gates will ask of a call when it is over: shown while it lasts, and looked at before it is done with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, func, select

from hub.judgement import client_facts, interaction_facts
from hub.setup.snapshot import SetUp
from routing.facts import CallFacts, ClientFacts, Facts, InteractionFacts
from routing.regulations.gate import Regulation as Gate
from storage.models import client, interaction
from storage.prepared import Prepared

Row = Mapping[str, Any]

_NUMBER: BindParameter[int] = bindparam("number")
_FIRST = Prepared(select(func.min(interaction.c.id)).where(interaction.c.client_id == _NUMBER))
_OWN_COMPANY = select(client.c.company_id).where(client.c.id == _NUMBER).scalar_subquery()
_PEOPLE = Prepared(select(client).where((client.c.id == _NUMBER) | (client.c.id == _OWN_COMPANY)))


@dataclass(frozen=True, slots=True)
class Asked:
    """One field that is not filled, and the regulations that ask for it. `dispositions`: only when one of them is
    what came of the call; none = always."""

    name: str
    regulations: tuple[str, ...]
    dispositions: frozenset[str] = frozenset()


def find_asked(connection: Connection, setup: SetUp, row: Row, now: datetime) -> tuple[Asked, ...]:
    """What is to be filled in for a call (its row), if somebody talks in it. Nothing is written."""
    gates = [rule for rule in setup.book.rules if isinstance(rule, Gate)]
    if not gates or row["client_id"] is None:
        return ()
    facts = _facts(connection, setup, row, now)
    found: dict[str, Asked] = {}
    for gate in gates:
        chosen = frozenset(gate.common.for_.disposition) if gate.common.for_ else frozenset()
        for name in _missing(gate, facts, chosen):
            known = found.get(name)
            always = not chosen or (known is not None and not known.dispositions)
            when = frozenset() if always else chosen | (known.dispositions if known else frozenset())
            found[name] = Asked(name, (*(known.regulations if known else ()), gate.key), when)
    return tuple(found.values())


def find_missing(
    connection: Connection, setup: SetUp, row: Row, disposition: str | None, now: datetime
) -> tuple[Asked, ...]:
    """What still stands in the way of being done with a call of which this came."""
    asked = find_asked(connection, setup, row, now)
    return tuple(one for one in asked if not one.dispositions or disposition in one.dispositions)


def _missing(gate: Gate, facts: Facts, chosen: frozenset[str]) -> tuple[str, ...]:
    if gate.enforce_from is not None and facts.at < gate.enforce_from:
        return ()
    for disposition in chosen or (facts.interaction.disposition if facts.interaction else None,):
        assert facts.interaction is not None
        then = replace(facts, interaction=replace(facts.interaction, disposition=disposition))
        if then.interaction is not None and gate.applies(then) and gate.done_with(then.interaction, then):
            return gate.missing(then, then.interaction)
    return ()


def _facts(connection: Connection, setup: SetUp, row: Row, now: datetime) -> Facts:
    people = _clients(connection, row["client_id"])
    whose = people.get(row["client_id"])
    company = people.get(whose["company_id"]) if whose is not None else None
    ((first,),) = _FIRST.rows(connection, number=row["client_id"])
    return Facts(
        now=now,
        at=row["ended_at"] or now,
        book=setup.book,
        roster=setup.book.roster,
        interaction=_as_if_over(interaction_facts(dict(row), setup), now),
        client=_person(whose, first_contact=first == row["id"]),
        company=_person(company),
    )


def _person(row: Row | None, *, first_contact: bool = False) -> ClientFacts | None:
    return client_facts(dict(row), first_contact=first_contact) if row is not None else None


def _as_if_over(call: InteractionFacts, now: datetime) -> InteractionFacts:
    """The call as it will be, if it goes well: answered and ended."""
    talked = replace(call.call or CallFacts(), outcome="answered")
    return replace(call, ended_at=call.ended_at or now, call=talked)


def _clients(connection: Connection, number: int) -> dict[int | None, Row]:
    """The client and his company."""
    return {row["id"]: row for row in _PEOPLE.mappings(connection, number=number)}
