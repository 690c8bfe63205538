"""Whose touch is it? Finds the client behind the identities of each touch, or makes one; never guesses in silence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from storage import models
from storage.repositories import intake as rows
from storage.repositories.intake import Known
from storage.unit import Unit


class Named(Protocol):
    """An identity as a channel hands it in."""

    @property
    def scheme(self) -> str: ...
    @property
    def value(self) -> str: ...
    @property
    def name(self) -> str | None: ...
    @property
    def odd(self) -> bool: ...
    @property
    def anonymous(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Candidate:
    """A client who may be meant, and why."""

    client: int
    reason: str


@dataclass(frozen=True, slots=True)
class Found:
    """Whose touch it is. `candidates` are the others who may be meant; `fresh` = the client was made just now."""

    client: int
    fresh: bool = False
    candidates: tuple[Candidate, ...] = ()


@dataclass(slots=True)
class Identifier:
    """Knows everybody whom one batch of touches is with. Load it once, ask `whose` for each, then `flush`.

    `named` are those who were nobody's but a browser until now, and have said who they are.
    """

    unit: Unit
    known: dict[tuple[str, str], list[Known]]
    _clients: list[dict[str, Any]] = field(default_factory=list)
    _identities: list[dict[str, Any]] = field(default_factory=list)
    named: dict[int, str] = field(default_factory=dict)

    @classmethod
    def load(cls, unit: Unit, parties: Iterable[Sequence[Named]]) -> Identifier:
        """One look-up for all identities of the batch."""
        wanted = {(one.scheme, one.value) for party in parties for one in party if not one.odd}
        rows.lock_identities(unit, wanted)
        return cls(unit, rows.find_known(unit, wanted))

    def whose(
        self, party: Sequence[Named], at: datetime, *, name: str | None = None, usual: int | None = None
    ) -> Found:
        """The client of one touch. `usual` is the client of the conversation that the touch proves to belong to.

        What is kept as written because it could not be read is nobody's identity: it matches no one.
        """
        sure = [(one.scheme, one.value) for one in party if not one.odd]
        hits = {key: self.known.get(key, []) for key in sure}
        candidates = _distinct(hits.values())
        if not candidates:
            if usual is not None:
                return Found(usual)
            return Found(self._make(party, at, name), fresh=True)
        if usual is not None and usual in candidates:
            return Found(usual)
        client = _certain(hits, candidates)
        if client is not None:
            self._learn(client, party, at)
            if candidates[client].provisional and (says := _says_who(party, hits)):
                self.named[client] = name or says.name or says.value
            return Found(client, candidates=_people_of(client, hits, candidates))
        others = tuple(
            Candidate(number, _reason(number, hits)) for number, known in candidates.items() if not known.provisional
        )
        standing_in = next((number for number, known in candidates.items() if known.provisional), None)
        if standing_in is None:
            standing_in = self._make(party, at, name, provisional=True)
        return Found(standing_in, candidates=others)

    def known_as(self, party: Sequence[Named]) -> int | None:
        """The one client who is certainly meant, if there is one; nobody is made or learnt."""
        hits = {(one.scheme, one.value): self.known.get((one.scheme, one.value), []) for one in party if not one.odd}
        candidates = _distinct(hits.values())
        return _certain(hits, candidates) if candidates else None

    def _make(self, party: Sequence[Named], at: datetime, name: str | None, *, provisional: bool = False) -> int:
        number = self.unit.take_ids(models.client, 1)[0]
        provisional = provisional or (bool(party) and all(one.anonymous for one in party))
        shown = name or next((one.name for one in party if one.name), None) or (party[0].value if party else "")
        self._clients.append(
            {"id": number, "kind": "person", "name": shown, "created_at": at, "provisional": provisional}
        )
        self._learn(number, party, at, Known(number, "person", shown, None, provisional, False))
        return number

    def _learn(self, client: int, party: Sequence[Named], at: datetime, known: Known | None = None) -> None:
        """Add the identities that nobody has yet (and, for somebody made just now, all of them)."""
        for one in party:
            key = (one.scheme, one.value)
            holders = self.known.setdefault(key, []) if not one.odd else []
            if any(holder.client == client for holder in holders) or (holders and known is None):
                continue
            holders.append(known or Known(client, "person", one.name or "", None, False, False))
            number = self.unit.take_ids(models.identity, 1)[0]
            self._identities.append(
                {
                    "id": number,
                    "client_id": client,
                    "scheme": one.scheme,
                    "value": one.value,
                    "name": one.name,
                    "odd": one.odd,
                    "added_at": at,
                }
            )

    def flush(self) -> list[dict[str, Any]]:
        """Write the clients and identities that are new; returns the new clients' rows."""
        rows.write_rows(self.unit, models.client, self._clients)
        rows.write_rows(self.unit, models.identity, self._identities)
        rows.update_rows(self.unit, models.client, _as_named(self.named))
        return self._clients


def _says_who(party: Sequence[Named], hits: Mapping[tuple[str, str], list[Known]]) -> Named | None:
    """By what somebody names himself of whom only browsers were known. Who stands in for a choice still does."""
    known = [one for one in party if hits.get((one.scheme, one.value))]
    if not all(one.anonymous for one in known):
        return None
    return next((one for one in party if not one.anonymous and not one.odd), None)


def _as_named(named: Mapping[int, str]) -> dict[int, dict[str, Any]]:
    return {number: {"provisional": False, "name": name} for number, name in named.items()}


def _distinct(found: Iterable[list[Known]]) -> dict[int, Known]:
    return {known.client: known for holders in found for known in holders}


def _certain(hits: Mapping[tuple[str, str], list[Known]], candidates: Mapping[int, Known]) -> int | None:
    """The one client who is meant: the only one, or the only one common to all that is known, or the company itself."""
    if len(candidates) == 1:
        return next(iter(candidates))
    telling = [{known.client for known in holders} for holders in hits.values() if holders]
    common = set.intersection(*telling)
    if len(common) == 1 and not candidates[next(iter(common))].provisional:
        return common.pop()
    companies = [known for known in candidates.values() if known.kind == "company"]
    if len(companies) == 1:
        company = companies[0].client
        if all(known.client == company or known.company == company for known in candidates.values()):
            return company
    return None


def _people_of(
    client: int, hits: Mapping[tuple[str, str], list[Known]], candidates: Mapping[int, Known]
) -> tuple[Candidate, ...]:
    if candidates.get(client) is None or candidates[client].kind != "company":
        return ()
    return tuple(Candidate(number, _reason(number, hits)) for number in candidates if number != client)


def _reason(client: int, hits: Mapping[tuple[str, str], list[Known]]) -> str:
    return ", ".join(
        f"{scheme}:{value}" for (scheme, value), holders in hits.items() if any(one.client == client for one in holders)
    )
