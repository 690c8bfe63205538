"""Taking, handing over, closing, reopening: who may, what it changes, what it leaves in the journal."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hub.actions import conversations as acts
from hub.actions import writing
from hub.actions.writing import Letter
from hub.errors import BadInput, Conflict, NotFound
from storage import models
from tests.hub.office import ANNA, BORIS, PROGRAM, START, VERA, Office, Row


def talk(office: Office, number: int) -> Row:
    return office.row(models.conversation, number)


def promises(office: Office) -> list[str]:
    return [one["state"] for one in office.rows(models.obligation)]


def test_whoever_takes_it_owns_it_and_its_promise(office: Office) -> None:
    number = office.mail()["conversation_id"]
    office.act(acts.take, number, ANNA)
    assert talk(office, number)["owner"] == "anna"
    assert [one["owner"] for one in office.rows(models.obligation)] == ["anna"]
    (entry,) = office.rows(models.journal, subject="conversation")
    assert (entry["who"], entry["action"], entry["subject_id"]) == ("operator:anna", "taken", str(number))


def test_the_second_is_told_that_the_first_was_quicker(office: Office) -> None:
    number = office.mail()["conversation_id"]
    office.act(acts.take, number, ANNA)
    office.act(acts.take, number, ANNA)
    with pytest.raises(Conflict, match="anna"):
        office.act(acts.take, number, BORIS)
    office.act(acts.take, number, VERA)
    assert talk(office, number)["owner"] == "vera"


def test_a_program_takes_nothing(office: Office) -> None:
    number = office.mail()["conversation_id"]
    with pytest.raises(BadInput):
        office.act(acts.take, number, PROGRAM)


def test_handing_over_to_a_team_frees_it_and_to_an_operator_binds_it(office: Office) -> None:
    number = office.mail()["conversation_id"]
    office.act(acts.take, number, ANNA)
    office.act(acts.hand_over, number, ANNA, team="sales", why="просят цену")
    assert (talk(office, number)["owner"], talk(office, number)["team"]) == (None, "sales")
    office.act(acts.hand_over, number, VERA, operator="boris")
    assert (talk(office, number)["owner"], talk(office, number)["team"]) == ("boris", "sales")
    office.act(acts.hand_over, number, VERA, operator="anna")
    assert (talk(office, number)["owner"], talk(office, number)["team"]) == ("anna", "support")
    with pytest.raises(BadInput) as refused:
        office.act(acts.hand_over, number, VERA, operator="ana")
    assert refused.value.field == "owner"
    assert refused.value.remedy == "Did you mean anna?"
    with pytest.raises(BadInput):
        office.act(acts.hand_over, number, VERA)


def test_no_answer_needed_closes_with_who_and_why(office: Office) -> None:
    number = office.mail()["conversation_id"]
    office.act(acts.close, number, ANNA, "no_answer_needed")
    row = talk(office, number)
    assert (row["state"], row["closed_by"], row["closed_why"]) == ("solved", "operator:anna", "no_answer_needed")
    assert promises(office) == ["cancelled"]


def test_junk_closes_too(office: Office) -> None:
    number = office.mail()["conversation_id"]
    office.act(acts.close, number, ANNA, "junk")
    assert talk(office, number)["state"] == "junk"
    assert promises(office) == ["cancelled"]


def test_what_has_no_answer_cannot_be_closed_as_answered(office: Office) -> None:
    number = office.mail()["conversation_id"]
    with pytest.raises(Conflict):
        office.act(acts.close, number, ANNA, "answered")
    assert promises(office) == ["running"]
    with pytest.raises(BadInput):
        office.act(acts.close, number, ANNA, "somehow")


def test_closing_while_the_answer_is_on_its_way_keeps_the_promise(office: Office) -> None:
    number = office.mail()["conversation_id"]
    office.clock.move(minutes=5)
    delivery = office.act(writing.reply, number, ANNA, Letter("Ответ"))
    office.act(acts.close, number, ANNA, "answered")
    assert (talk(office, number)["state"], promises(office)) == ("solved", ["running"])
    office.clock.move(seconds=2)
    office.send(delivery)
    assert promises(office) == ["met"]
    assert talk(office, number)["waiting_since"] is None


def test_reopened_it_waits_again_since_the_client_wrote(office: Office) -> None:
    number = office.mail()["conversation_id"]
    office.act(acts.close, number, ANNA, "junk")
    office.clock.move(hours=1)
    office.act(acts.reopen, number, VERA)
    row = talk(office, number)
    assert (row["state"], row["closed_why"], row["waiting_since"]) == ("open", None, START)
    assert promises(office) == ["running"]


def test_postponed_until_an_instant_to_come(office: Office) -> None:
    number = office.mail()["conversation_id"]
    with pytest.raises(BadInput):
        office.act(acts.postpone, number, ANNA, START)
    office.act(acts.postpone, number, ANNA, START + timedelta(days=1))
    assert talk(office, number)["state"] == "postponed"


def test_waiting_for_the_client_stops_the_clock_and_his_mail_starts_it_again(office: Office) -> None:
    first = office.mail()
    number = first["conversation_id"]
    office.act(acts.wait_for_client, number, ANNA)
    assert (talk(office, number)["state"], promises(office)) == ("waiting_client", ["paused"])


def test_a_note_is_of_the_house_and_answers_nobody(office: Office) -> None:
    number = office.mail()["conversation_id"]
    noted = office.row(models.interaction, office.act(acts.note, number, ANNA, "перезвонит сам"))
    assert (noted["kind"], noted["direction"], noted["operator"]) == ("note", "internal", "anna")
    assert (noted["conversation_id"], noted["client_id"]) == (number, talk(office, number)["client_id"])
    assert promises(office) == ["running"]
    assert talk(office, number)["waiting_since"] == START
    with pytest.raises(BadInput):
        office.act(acts.note, number, ANNA, "  ")


def test_what_is_not_there_is_not_there(office: Office) -> None:
    for number in (99, 2**63, -1):
        with pytest.raises(NotFound):
            office.act(acts.take, number, ANNA)


def test_every_change_raises_the_version_and_nothing_else_does(office: Office) -> None:
    number = office.mail()["conversation_id"]
    before = talk(office, number)["version"]
    office.act(acts.take, number, ANNA)
    office.act(acts.take, number, ANNA)
    assert talk(office, number)["version"] == before + 1
