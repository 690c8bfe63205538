"""Whose touch is it: known, new, shared, ambiguous; on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, insert, select

from channels.touch import Identity
from hub.identify import Found, Identifier
from storage import models
from storage.store import Store
from storage.unit import Unit

NOW = datetime(2026, 9, 14, 9, 0, tzinfo=UTC)
PHONE = Identity("phone", "+78123258351")
EMAIL = Identity("email", "ivan@example.org", "Иван Петров")


@pytest.fixture
def store(database_url: str, tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(database_url, tmp_path / "files", lambda: NOW)
    yield opened
    opened.engines.dispose()


def find(unit: Unit, *party: Identity, usual: int | None = None) -> Found:
    identifier = Identifier.load(unit, [party])
    found = identifier.whose(party, NOW, usual=usual)
    identifier.flush()
    return found


def make_client(unit: Unit, *identities: Identity, kind: str = "person", company: int | None = None) -> int:
    number = unit.take_ids(models.client, 1)[0]
    row = {"id": number, "kind": kind, "company_id": company, "name": "somebody", "created_at": NOW}
    unit.connection.execute(insert(models.client).values(**row))
    for one, one_id in zip(identities, unit.take_ids(models.identity, len(identities)), strict=True):
        values = {"id": one_id, "client_id": number, "scheme": one.scheme, "value": one.value, "added_at": NOW}
        unit.connection.execute(insert(models.identity).values(**values))
    return number


def count(unit: Unit) -> int:
    return unit.connection.execute(select(func.count()).select_from(models.client)).scalar_one()


def test_an_unknown_sender_becomes_a_client_who_is_known_the_next_time(store: Store) -> None:
    first = store.write_now(lambda unit: find(unit, PHONE, EMAIL))
    assert first.fresh and not first.candidates
    again = store.write_now(lambda unit: find(unit, EMAIL))
    assert again == Found(first.client)
    name = store.read_now(lambda connection: connection.execute(select(models.client.c.name)).scalar_one())
    assert name == "Иван Петров"


def test_a_second_identity_is_learnt_for_a_known_client(store: Store) -> None:
    first = store.write_now(lambda unit: find(unit, PHONE))
    assert store.write_now(lambda unit: find(unit, PHONE, EMAIL)) == Found(first.client)
    assert store.write_now(lambda unit: find(unit, EMAIL)) == Found(first.client)


def test_one_batch_makes_one_client_of_one_new_identity(store: Store) -> None:
    def batch(unit: Unit) -> tuple[Found, Found, int]:
        identifier = Identifier.load(unit, [(PHONE,), (PHONE, EMAIL)])
        first, second = identifier.whose((PHONE,), NOW), identifier.whose((PHONE, EMAIL), NOW)
        identifier.flush()
        return first, second, count(unit)

    first, second, clients = store.write_now(batch)
    assert first.fresh and second == Found(first.client) and clients == 1


def test_a_shared_number_is_told_apart_by_what_else_is_known(store: Store) -> None:
    wife, husband = store.write_now(lambda unit: (make_client(unit, PHONE), make_client(unit, PHONE, EMAIL)))
    assert store.write_now(lambda unit: find(unit, PHONE, EMAIL)).client == husband
    assert wife != husband


def test_a_shared_number_alone_names_candidates_and_guesses_nobody(store: Store) -> None:
    wife, husband = store.write_now(lambda unit: (make_client(unit, PHONE), make_client(unit, PHONE)))
    first = store.write_now(lambda unit: find(unit, PHONE))
    assert first.client not in {wife, husband}
    assert {one.client for one in first.candidates} == {wife, husband}
    assert all("+78123258351" in one.reason for one in first.candidates)
    again = store.write_now(lambda unit: find(unit, PHONE))
    assert again.client == first.client, "the same stand-in serves until somebody chooses"
    assert {one.client for one in again.candidates} == {wife, husband}


def test_identities_of_two_strangers_are_not_glued_together(store: Store) -> None:
    caller, writer = store.write_now(lambda unit: (make_client(unit, PHONE), make_client(unit, EMAIL)))
    found = store.write_now(lambda unit: find(unit, PHONE, EMAIL))
    assert found.client not in {caller, writer}
    assert {one.client for one in found.candidates} == {caller, writer}


def test_a_switchboard_is_the_company_with_its_people_as_candidates(store: Store) -> None:
    def prepare(unit: Unit) -> tuple[int, int]:
        company = make_client(unit, PHONE, kind="company")
        return company, make_client(unit, PHONE, EMAIL, company=company)

    company, person = store.write_now(prepare)
    found = store.write_now(lambda unit: find(unit, PHONE))
    assert found.client == company
    assert [one.client for one in found.candidates] == [person]


def test_the_conversation_tells_who_writes_from_an_unknown_address(store: Store) -> None:
    known = store.write_now(lambda unit: make_client(unit, PHONE))
    assert store.write_now(lambda unit: find(unit, EMAIL, usual=known)) == Found(known)
    stranger = store.write_now(lambda unit: find(unit, EMAIL))
    assert stranger.fresh, "an address is not learnt in silence from a conversation"


def test_what_could_not_be_read_matches_nobody(store: Store) -> None:
    odd = Identity("phone", "call my secretary", odd=True)
    first = store.write_now(lambda unit: find(unit, odd))
    second = store.write_now(lambda unit: find(unit, odd))
    assert first.fresh and second.fresh and first.client != second.client


_SMALL = st.sampled_from([Identity("phone", f"+4822000000{n}") for n in range(3)] + [Identity("email", "x@y.pl")])


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(parties=st.lists(st.lists(_SMALL, max_size=3, unique=True), min_size=1, max_size=6))
def test_batching_changes_nothing(parties: list[list[Identity]], tmp_path_factory: pytest.TempPathFactory) -> None:
    """A batch finds the same people as the same touches one by one."""
    folder = tmp_path_factory.mktemp("identify")
    together = Store.open(f"sqlite:///{folder / 'together.db'}", folder, lambda: NOW)
    alone = Store.open(f"sqlite:///{folder / 'alone.db'}", folder, lambda: NOW)

    def batch(unit: Unit) -> list[int]:
        identifier = Identifier.load(unit, parties)
        found = [identifier.whose(party, NOW).client for party in parties]
        identifier.flush()
        return found

    try:
        expected = [alone.write_now(lambda unit, party=party: find(unit, *party)).client for party in parties]
        assert together.write_now(batch) == expected
    finally:
        together.engines.dispose()
        alone.engines.dispose()


BROWSER = Identity("chat", "4f2a", "Visitor 4F2A", anonymous=True)


def test_a_browser_stands_in_until_he_says_who_he_is(store: Store) -> None:
    first = store.write_now(lambda unit: find(unit, BROWSER))
    assert _shown(store, first.client) == ("Visitor 4F2A", True)
    again = store.write_now(lambda unit: find(unit, BROWSER, EMAIL))
    assert again == Found(first.client)
    assert _shown(store, first.client) == ("Иван Петров", False)
    assert store.write_now(lambda unit: find(unit, EMAIL)) == Found(first.client)


def test_a_browser_that_claims_somebodys_phone_is_asked_about(store: Store) -> None:
    known = store.write_now(lambda unit: make_client(unit, PHONE))
    first = store.write_now(lambda unit: find(unit, BROWSER))
    claims = store.write_now(lambda unit: find(unit, BROWSER, PHONE))
    assert claims.client == first.client and [one.client for one in claims.candidates] == [known]
    assert _shown(store, first.client) == ("Visitor 4F2A", True)
    assert store.write_now(lambda unit: find(unit, PHONE)) == Found(known)


def _shown(store: Store, number: int) -> tuple[str, bool]:
    query = select(models.client.c.name, models.client.c.provisional).where(models.client.c.id == number)
    row = store.read_now(lambda connection: connection.execute(query).one())
    return row[0], row[1]
