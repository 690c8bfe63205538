"""A merge moves everything; its undo brings every row back as it was, and leaves what came later."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels.touch import Identity
from hub.actions import clients, conversations, interactions, merging, tasks
from hub.actions.interactions import HandMade
from hub.actions.tasks import NewTask
from hub.errors import BadInput, Conflict
from storage import models
from storage.repositories import clients as rows
from storage.unit import Unit
from tests.hub.office import ANNA, IVAN, OLGA, START, Office

BELONGING = (
    models.client,
    models.identity,
    models.interaction,
    models.conversation,
    models.obligation,
    models.task,
    models.touch,
    models.attachment,
)


def snapshot(office: Office) -> dict[str, list[dict[str, Any]]]:
    return {table.name: office.rows(table) for table in BELONGING}


def pair(office: Office) -> tuple[int, int]:
    return office.mail(who=IVAN)["client_id"], office.mail(who=OLGA)["client_id"]


def test_everything_of_the_other_is_the_survivors(office: Office) -> None:
    ivan, olga = pair(office)
    office.act(tasks.make, ANNA, NewTask("Позвонить", client=olga))
    office.act(clients.amend, olga, ANNA, {"category": "VIP", "fields": {"city": "Гданьск"}, "notes": "любит чай"})
    office.act(merging.merge, ivan, olga, ANNA)
    for table in (models.interaction, models.conversation, models.obligation, models.task, models.identity):
        assert {one["client_id"] for one in office.rows(table)} == {ivan}, table.name
    row = office.row(models.client, ivan)
    assert (row["category"], row["fields"], row["notes"]) == ("VIP", {"city": "Гданьск"}, "любит чай")
    assert office.row(models.client, olga)["merged_into"] == ivan
    found = office.store.read_now(lambda connection: rows.find_surviving(connection, olga))
    assert found is not None and found.id == ivan
    listed = office.store.read_now(lambda connection: rows.list_page(connection, rows.Filter(q="olga")))
    assert [one.id for one in listed.items] == [ivan]


def test_a_touch_of_the_other_finds_the_survivor(office: Office) -> None:
    ivan, olga = pair(office)
    office.act(merging.merge, ivan, olga, ANNA)
    assert office.mail(who=OLGA)["client_id"] == ivan


def test_undo_restores_every_row(office: Office) -> None:
    ivan, olga = pair(office)
    office.act(clients.amend, olga, ANNA, {"category": "A", "fields": {"x": "1"}})
    before = snapshot(office)
    number = office.act(merging.merge, ivan, olga, ANNA)
    assert snapshot(office) != before
    office.act(merging.undo_merge, number, ANNA)
    assert snapshot(office) == before
    assert office.mail(who=OLGA)["client_id"] == olga


def test_an_identity_of_both_comes_back_as_the_very_same_row(office: Office) -> None:
    ivan, olga = pair(office)
    office.act(clients.add_identity, ivan, ANNA, "+7 812 325 83 51")
    office.act(clients.add_identity, olga, ANNA, "+7 812 325 83 51", shared=True)
    before = snapshot(office)
    number = office.act(merging.merge, ivan, olga, ANNA)
    found = office.store.read_now(lambda connection: rows.find_by_identity(connection, "phone", "+78123258351"))
    assert [one.id for one in found] == [ivan]
    office.act(merging.undo_merge, number, ANNA)
    assert snapshot(office) == before


def test_what_came_later_stays_with_the_survivor(office: Office) -> None:
    ivan, olga = pair(office)
    number = office.act(merging.merge, ivan, olga, ANNA)
    later = office.mail(who=OLGA)
    office.act(clients.amend, ivan, ANNA, {"category": "B"})
    office.act(merging.undo_merge, number, ANNA)
    assert office.row(models.interaction, later["id"])["client_id"] == ivan
    assert office.row(models.conversation, later["conversation_id"])["client_id"] == ivan
    assert office.row(models.client, ivan)["category"] == "B"


def test_a_field_that_a_person_changed_since_is_his(office: Office) -> None:
    ivan, olga = pair(office)
    office.act(clients.amend, olga, ANNA, {"fields": {"city": "Гданьск", "floor": "2"}, "source": "сайт"})
    number = office.act(merging.merge, ivan, olga, ANNA)
    office.act(clients.amend, ivan, ANNA, {"fields": {"city": "Львів"}, "source": "выставка"})
    office.act(merging.undo_merge, number, ANNA)
    row = office.row(models.client, ivan)
    assert (row["fields"], row["source"]) == ({"city": "Львів"}, "выставка")


def test_merges_that_build_on_each_other_are_undone_from_the_last(office: Office) -> None:
    ivan, olga = pair(office)
    third = office.mail(who=Identity("email", "third@example.org"))["client_id"]
    before = snapshot(office)
    first = office.act(merging.merge, olga, third, ANNA)
    second = office.act(merging.merge, ivan, olga, ANNA)
    with pytest.raises(Conflict, match=str(second)):
        office.act(merging.undo_merge, first, ANNA)
    office.act(merging.undo_merge, second, ANNA)
    office.act(merging.undo_merge, first, ANNA)
    assert snapshot(office) == before
    with pytest.raises(Conflict):
        office.act(merging.undo_merge, first, ANNA)


def test_what_cannot_be_merged(office: Office) -> None:
    ivan, olga = pair(office)
    with pytest.raises(BadInput):
        office.act(merging.merge, ivan, ivan, ANNA)
    with pytest.raises(BadInput):
        office.act(merging.merge, ivan, 99, ANNA)
    office.act(merging.merge, ivan, olga, ANNA)
    with pytest.raises(Conflict):
        office.act(merging.merge, ivan, olga, ANNA)
    company = office.act(clients.create, ANNA, {"kind": "company", "name": "Ромашка"})
    office.act(clients.amend, ivan, ANNA, {"company_id": company})
    with pytest.raises(Conflict):
        office.act(merging.merge, company, ivan, ANNA)


PEOPLE = tuple(Identity("email", f"p{number}@example.org") for number in range(4))
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("mail"), st.integers(0, 3)),
        st.tuples(st.just("talk"), st.integers(0, 3)),
        st.tuples(st.just("task"), st.integers(0, 3)),
        st.tuples(st.just("close"), st.integers(0, 3)),
        st.tuples(st.just("wait"), st.integers(0, 3)),
        st.tuples(st.just("know"), st.integers(0, 3), st.sampled_from(["category", "source", "region"])),
        st.tuples(st.just("share"), st.integers(0, 3), st.integers(0, 3)),
    ),
    min_size=1,
    max_size=14,
)


def live(office: Office, people: dict[int, int], step: tuple[Any, ...]) -> None:
    """Something happens with one of the people."""
    office.clock.move(minutes=3)
    what, who = step[0], step[1]
    if what == "mail" or who not in people:
        people[who] = office.mail(who=PEOPLE[who])["client_id"]
    elif what == "talk":
        made = HandMade(kind="call", client=people[who], call={"talk_s": 30.0})
        office.act(interactions.log_by_hand, ANNA, made)
    elif what == "task":
        office.act(tasks.make, ANNA, NewTask("Дело", client=people[who]))
    elif what == "close":
        for talk in office.rows(models.conversation, client_id=people[who], state="open"):
            office.act(conversations.close, talk["id"], ANNA, "no_answer_needed")
    elif what == "wait":
        for talk in office.rows(models.conversation, client_id=people[who], state="open"):
            office.act(conversations.wait_for_client, talk["id"], ANNA)
    elif what == "know":
        office.act(clients.amend, people[who], ANNA, {step[2]: f"{step[2]}{who}", "fields": {step[2]: who}})
    elif step[2] != who:
        office.act(clients.add_identity, people[who], ANNA, str(PEOPLE[step[2]]), shared=True)


def wipe(unit: Unit) -> None:
    for table in (*BELONGING, models.journal, models.merge, models.clock_event, models.alert, models.job):
        unit.connection.execute(table.delete())
    for words in ("interaction_words", "client_words"):
        unit.connection.exec_driver_sql(f"DELETE FROM {words}")


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, merges=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=4))
def test_any_merges_undone_in_reverse_leave_no_trace(
    office: Office, steps: list[tuple[Any, ...]], merges: list[tuple[int, int]]
) -> None:
    office.store.write_now(wipe)
    office.clock.at = START + timedelta(days=1)
    people: dict[int, int] = {}
    for step in steps:
        live(office, people, step)
    before = snapshot(office)
    done = []
    for survivor, other in merges:
        if survivor != other and survivor in people and other in people:
            try:
                done.append(office.act(merging.merge, people[survivor], people[other], ANNA))
            except Conflict:
                continue
    for number in reversed(done):
        office.act(merging.undo_merge, number, ANNA)
    assert snapshot(office) == before
