"""Clients by hand: identities as people write them, shared numbers, promises that follow a new category."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection

from hub.actions import clients
from hub.errors import BadInput, Conflict
from storage import models
from storage.repositories import clients as rows
from tests.hub.office import ANNA, Office


def known(office: Office, number: int) -> list[str]:
    found = office.store.read_now(lambda connection: rows.find(connection, number))
    assert found is not None
    return [str(one) for one in found.identities]


def search(office: Office, q: str) -> list[int]:
    def read(connection: Connection) -> list[int]:
        return [one.id for one in rows.list_page(connection, rows.Filter(q=q)).items]

    return office.store.read_now(read)


def test_two_numbers_in_one_text_and_the_area_is_inherited(office: Office) -> None:
    number = office.act(clients.create, ANNA, {"name": "Ромашка", "kind": "company"}, ("(812) 325 8351, 575 0480",))
    assert known(office, number) == ["phone:+78123258351", "phone:+78125750480"]
    assert search(office, "ромашка") == search(office, "575 04") == [number]


def test_what_somebody_has_is_refused_unless_it_is_shared(office: Office) -> None:
    first = office.act(clients.create, ANNA, {"name": "Иван"}, ("+7 812 325 83 51",))
    with pytest.raises(Conflict, match=str(first)):
        office.act(clients.create, ANNA, {"name": "Пётр"}, ("8 812 325-83-51",))
    second = office.act(clients.create, ANNA, {"name": "Пётр"})
    with pytest.raises(Conflict):
        office.act(clients.add_identity, second, ANNA, "8 812 325-83-51")
    office.act(clients.add_identity, second, ANNA, "8 812 325-83-51", shared=True)
    found = office.store.read_now(lambda c: rows.find_by_identity(c, "phone", "+78123258351"))
    assert [one.id for one in found] == [second, first]
    assert all(each.shared for one in found for each in one.identities)


def test_amending_merges_fields_and_keeps_what_was_in_the_journal(office: Office) -> None:
    number = office.act(clients.create, ANNA, {"name": "Иван", "fields": {"a": "1", "b": "2"}})
    office.act(clients.amend, number, ANNA, {"category": "VIP", "fields": {"b": None, "c": "3"}})
    row = office.row(models.client, number)
    assert (row["category"], row["fields"]) == ("VIP", {"a": "1", "c": "3"})
    entry = office.rows(models.journal, subject="client")[-1]
    assert entry["data"]["category"] == [None, "VIP"]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"kind": "robot"}, "kind"),
        ({"lifecycle": "x"}, "lifecycle"),
        ({"responsible": "ana"}, "responsible"),
        ({"company_id": 99}, "company"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_cannot_be_is_refused_by_field(office: Office, values: dict[str, object], field: str) -> None:
    with pytest.raises(BadInput) as refused:
        office.act(clients.create, ANNA, values)
    assert refused.value.field == field


def test_a_person_is_no_company_and_nobody_is_his_own(office: Office) -> None:
    person = office.act(clients.create, ANNA, {"name": "Иван"})
    company = office.act(clients.create, ANNA, {"name": "Ромашка", "kind": "company"})
    office.act(clients.amend, person, ANNA, {"company_id": company})
    with pytest.raises(BadInput):
        office.act(clients.amend, company, ANNA, {"company_id": person})
    with pytest.raises(BadInput):
        office.act(clients.amend, company, ANNA, {"company_id": company})
    people = office.store.read_now(lambda connection: rows.people_of(connection, company))
    assert [one.id for one in people] == [person]


def test_an_identity_goes_and_what_came_by_it_stays(office: Office) -> None:
    came = office.mail()
    office.act(clients.remove_identity, came["client_id"], ANNA, "ivan@example.org")
    assert known(office, came["client_id"]) == []
    assert office.row(models.interaction, came["id"])["client_id"] == came["client_id"]
    assert search(office, "ivan@example.org") == []
    with pytest.raises(BadInput):
        office.act(clients.remove_identity, came["client_id"], ANNA, "ivan@example.org")


def test_identities_as_a_whole(office: Office) -> None:
    number = office.act(clients.create, ANNA, {"name": "Иван"}, ("a@example.org", "b@example.org"))
    office.act(clients.set_identities, number, ANNA, ["b@example.org", "phone:112"])
    assert known(office, number) == ["email:b@example.org", "phone:112"]
