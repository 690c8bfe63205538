"""What people log by hand is a touch like any other; later words on it only add to the log."""

from __future__ import annotations

from datetime import timedelta

import pytest

from channels.touch import Identity, Kind
from hub.actions import clients, interactions
from hub.actions.interactions import HandMade
from hub.errors import BadInput, Conflict
from storage import models
from storage.repositories import interactions as log
from tests.hub.office import ANNA, BORIS, IVAN, IVANS_PHONE, PROGRAM, START, Office, Row


def made(office: Office, **values: object) -> Row:
    hand_made = HandMade(**values)  # type: ignore[arg-type]
    return office.row(models.interaction, office.act(interactions.log_by_hand, ANNA, hand_made))


@pytest.mark.parametrize("kind", [kind.value for kind in Kind])
def test_every_kind_can_be_logged(office: Office, kind: str) -> None:
    row = made(office, kind=kind, identities=("ivan@example.org",), name="Иван", text="было")
    assert row["kind"] == kind
    assert row["direction"] == {"note": "internal", "meeting": "outbound"}.get(kind, "inbound")
    assert row["operator"] == "anna"
    assert office.row(models.client, row["client_id"])["name"] == "Иван"
    (touch,) = office.rows(models.touch)
    assert touch["interaction_id"] == row["id"]
    assert (row["conversation_id"] is None) == (kind == "note")


def test_an_identity_finds_the_client_who_has_it(office: Office) -> None:
    came = office.mail()
    row = made(office, kind="letter", identities=("IVAN@example.org",))
    assert row["client_id"] == came["client_id"]


def test_a_letter_starts_a_clock_and_a_talk_meets_it(office: Office) -> None:
    letter = made(office, kind="letter", identities=("ivan@example.org",), team="support")
    assert [(one["state"], one["started_by"]) for one in office.rows(models.obligation)] == [("running", letter["id"])]
    office.clock.move(hours=1)
    call = {"outcome": "answered", "talk_s": 60.0}
    talk = made(office, kind="call", direction="outbound", client=letter["client_id"], call=call, operator="anna")
    assert talk["ended_at"] == office.clock() + timedelta(seconds=60)
    assert [(one["state"], one["met_by"]) for one in office.rows(models.obligation)] == [("met", talk["id"])]


def test_a_missed_call_by_hand_starts_the_call_back(office: Office) -> None:
    row = made(office, kind="call", call={"outcome": "missed", "from": "8 (812) 325-83-51"})
    assert row["call"]["reason"] == "no_answer"
    (identity,) = office.rows(models.identity)
    assert identity["value"] == "+78123258351"
    assert [one["regulation"] for one in office.rows(models.obligation)] == ["call-back"]


def test_a_field_filled_late_starts_its_follow_up_from_the_end_of_the_talk(office: Office) -> None:
    row = made(office, kind="call", identities=("phone:+78123258351",), call={"talk_s": 120.0})
    assert office.rows(models.obligation) == []
    office.clock.move(minutes=30)
    office.act(interactions.amend, row["id"], ANNA, None, {"materials_requested": True})
    (promise,) = office.rows(models.obligation)
    assert promise["started"] == START + timedelta(seconds=120)
    assert promise["due"] == START + timedelta(seconds=120, hours=2)


def test_amending_only_adds_to_the_log(office: Office) -> None:
    row = made(office, kind="meeting", identities=("ivan@example.org",), fields={"a": 1, "b": 2})
    office.act(interactions.amend, row["id"], BORIS, "refused", {"b": None, "c": "дорого"})
    after = office.row(models.interaction, row["id"])
    assert (after["disposition"], after["fields"]) == ("refused", {"a": 1, "c": "дорого"})
    first, second = office.rows(models.touch)
    assert first["body"]["fields"] == {"a": 1, "b": 2}
    assert (second["phase"], second["body"]["by"]) == ("amended", "operator:boris")
    found = office.store.read_now(lambda connection: log.list_page(connection, log.Filter(q="дорого")))
    assert [one.id for one in found.items] == [row["id"]]
    office.act(interactions.amend, row["id"], BORIS, "refused", {"c": "дорого"})
    assert len(office.rows(models.touch)) == 2


def test_the_same_key_logs_once(office: Office) -> None:
    first = made(office, kind="fax", identities=("ivan@example.org",), key="1c-77")
    again = made(office, kind="fax", identities=("ivan@example.org",), key="1c-77")
    assert first["id"] == again["id"]
    assert len(office.rows(models.touch)) == 1


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({}, "client"),
        ({"client": 99}, "client"),
        ({"conversation": 99}, "conversation"),
        ({"identities": ("ivan@example.org",), "operator": "ana"}, "operator"),
        ({"identities": ("ivan@example.org",), "team": "suport"}, "team"),
        ({"identities": ("ivan@example.org",), "line": "nowhere"}, "line"),
        ({"identities": ("ivan@example.org",), "at": START + timedelta(days=3)}, "at"),
        ({"identities": ("ivan@example.org",), "ended_at": START - timedelta(days=3)}, "ended_at"),
    ],
)
def test_what_cannot_be_is_refused_by_field(office: Office, values: Row, field: str) -> None:
    with pytest.raises(BadInput) as refused:
        made(office, kind="call", **values)
    assert refused.value.field == field
    assert office.rows(models.interaction) == []


def test_a_conversation_takes_what_is_logged_into_it(office: Office) -> None:
    came = office.mail()
    office.clock.move(hours=1)
    row = made(office, kind="letter", direction="outbound", conversation=came["conversation_id"])
    assert (row["client_id"], row["conversation_id"]) == (came["client_id"], came["conversation_id"])
    assert [one["state"] for one in office.rows(models.obligation)] == ["met"]


def test_released_from_quarantine_its_clock_runs_since_it_came(office: Office) -> None:
    came = office.mail(suspicion="too quick")
    assert (came["client_id"], came["conversation_id"]) == (None, None)
    assert office.rows(models.obligation) == []
    office.clock.move(hours=1)
    office.act(interactions.release, came["id"], ANNA)
    row = office.row(models.interaction, came["id"])
    assert row["quarantined_at"] is None and row["client_id"] is not None
    talk = office.row(models.conversation, row["conversation_id"])
    assert (talk["waiting_since"], talk["waiting_id"], talk["team"]) == (START, row["id"], "support")
    assert [(one["started"], one["state"]) for one in office.rows(models.obligation)] == [(START, "running")]
    assert [one["phase"] for one in office.rows(models.touch)] == [None, "released"]
    with pytest.raises(Conflict):
        office.act(interactions.release, came["id"], ANNA)


def test_choosing_among_candidates_takes_conversation_and_promise_along(office: Office) -> None:
    first = office.act(clients.create, ANNA, {"name": "Иван"}, ("phone:+78123258351",))
    second = office.act(clients.create, ANNA, {"name": "Пётр"})
    office.act(clients.add_identity, second, ANNA, "+7 812 325 83 51", shared=True)
    came = office.mail(line="form:contact", kind=Kind.FORM, party=(IVANS_PHONE,), external_id=None)
    assert came["client_id"] not in (first, second)
    assert {one["client"] for one in came["candidates"]} == {first, second}
    assert all(one["reason"] for one in came["candidates"])
    office.act(interactions.choose_client, came["id"], ANNA, second)
    row = office.row(models.interaction, came["id"])
    assert (row["client_id"], row["candidates"]) == (second, None)
    assert office.row(models.conversation, row["conversation_id"])["client_id"] == second
    assert [one["client_id"] for one in office.rows(models.obligation)] == [second]
    assert [one["client_id"] for one in office.rows(models.task)] == [second] * len(office.rows(models.task))


def test_who_is_chosen_for_a_browser_has_that_browser_from_then_on(office: Office) -> None:
    known = office.act(clients.create, ANNA, {"name": "Иван"}, ("phone:+78123258351",))
    browser = Identity("chat", "4f2a", "Visitor", anonymous=True)
    first = office.mail(party=(browser,), external_id=None)
    claims = office.mail(party=(browser, IVANS_PHONE), external_id=None)
    assert claims["client_id"] == first["client_id"] != known
    office.act(interactions.choose_client, claims["id"], ANNA, known)
    assert [one["client_id"] for one in office.rows(models.identity, scheme="chat")] == [known]
    assert [one["client_id"] for one in office.rows(models.identity, scheme="phone")] == [known]
    assert office.mail(party=(browser,), external_id=None)["client_id"] == known


def test_a_program_may_log_for_an_operator(office: Office) -> None:
    hand_made = HandMade(kind="meeting", identities=(str(IVAN),), operator="boris")
    row = office.row(models.interaction, office.act(interactions.log_by_hand, PROGRAM, hand_made))
    assert row["operator"] == "boris"
    assert office.rows(models.journal, subject="interaction")[0]["who"] == "token:shop"
