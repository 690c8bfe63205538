"""Replies, first messages, forwarded ones: rows, delivery and job in one transaction; an answer when it is out."""

from __future__ import annotations

from typing import Any

import pytest

from channels.contract import Health, LineState
from channels.touch import Direction, Kind, Thread, Touch
from hub.actions import clients, writing
from hub.actions.writing import Letter
from hub.errors import BadInput
from hub.listeners import note_health
from hub.setup.importing import take
from hub.setup.reading import read_setup
from hub.setup.snapshot import load_setup
from storage import models
from tests.hub.office import ANNA, IVAN, IVANS_PHONE, OLGA, PROGRAM, Office


def test_a_reply_goes_back_the_way_the_client_wrote(office: Office) -> None:
    came = office.mail()
    number = office.act(writing.reply, came["conversation_id"], ANNA, Letter("Добрый день!"))
    delivery = office.row(models.delivery, number)
    assert delivery["state"] == "pending"
    assert delivery["line"] == "support-mail"
    assert delivery["recipients"] == [{"identity": "email:ivan@example.org", "name": "Иван Петров", "role": "to"}]
    written = office.row(models.interaction, delivery["interaction_id"])
    assert (written["direction"], written["operator"], written["subject"]) == ("outbound", "anna", "Re: Вопрос")
    assert (written["client_id"], written["conversation_id"]) == (came["client_id"], came["conversation_id"])
    (touch,) = office.rows(models.touch, interaction_id=written["id"])
    assert touch["event_key"] == f"out:{delivery['reference']}"
    (job,) = office.rows(models.job, kind="deliver")
    assert job["body"] == {"delivery": number}


def test_it_counts_as_an_answer_when_the_channel_has_taken_it(office: Office) -> None:
    came = office.mail()
    number = came["conversation_id"]
    office.clock.move(minutes=7)
    delivery = office.act(writing.reply, number, ANNA, Letter("Ответ"))
    assert [one["state"] for one in office.rows(models.obligation)] == ["running"]
    office.clock.move(seconds=3)
    office.send(delivery)
    (promise,) = office.rows(models.obligation)
    assert (promise["state"], promise["met_by"]) == ("met", office.row(models.delivery, delivery)["interaction_id"])
    talk = office.row(models.conversation, number)
    assert (talk["state"], talk["owner"], talk["waiting_since"]) == ("waiting_client", "anna", None)


def test_what_comes_back_opens_it_again(office: Office) -> None:
    came = office.mail()
    office.clock.move(minutes=7)
    delivery = office.act(writing.reply, came["conversation_id"], ANNA, Letter("Ответ"))
    office.send(delivery)
    assert [one["state"] for one in office.rows(models.obligation)] == ["met"]
    office.clock.move(minutes=1)
    office.fail(delivery)
    talk = office.row(models.conversation, came["conversation_id"])
    assert (talk["state"], talk["waiting_id"]) == ("open", came["id"])
    assert [one["state"] for one in office.rows(models.obligation)] == ["running"]


def test_a_reply_can_close_the_conversation_or_leave_it_open(office: Office) -> None:
    first, second = office.mail(), office.mail(who=OLGA)
    office.act(writing.reply, first["conversation_id"], ANNA, Letter("Готово", close="answered"))
    office.act(writing.reply, second["conversation_id"], ANNA, Letter("Уточню и вернусь", wait=False))
    states = [one["state"] for one in office.rows(models.conversation)]
    assert states == ["solved", "open"]


def test_chosen_recipients_copies_and_files(office: Office) -> None:
    came = office.mail()
    file = office.upload()
    letter = Letter("Смета", to=("Ольга <olga@example.org>",), cc=("ivan@example.org",), attachments=(file,))
    number = office.act(writing.reply, came["conversation_id"], ANNA, letter)
    delivery = office.row(models.delivery, number)
    assert [(one["identity"], one["role"]) for one in delivery["recipients"]] == [
        ("email:olga@example.org", "to"),
        ("email:ivan@example.org", "cc"),
    ]
    assert office.row(models.attachment, file)["interaction_id"] == delivery["interaction_id"]
    assert office.row(models.interaction, delivery["interaction_id"])["has_files"]
    assert office.row(models.interaction, delivery["interaction_id"])["client_id"] == came["client_id"]
    with pytest.raises(BadInput) as refused:
        office.act(writing.reply, came["conversation_id"], ANNA, letter)
    assert refused.value.field == "attachments"


@pytest.mark.parametrize(
    ("letter", "field"),
    [
        (Letter("  "), "text"),
        (Letter("x" * 200_001), "text"),
        (Letter("x", line="suport-mail"), "line"),
        (Letter("x", line="archive-mail"), "line"),
        (Letter("x", to=("keine Adresse @",)), "to"),
        (Letter("x", close="somehow"), "close"),
        (Letter("x", attachments=(99,)), "attachments"),
    ],
)
def test_what_cannot_be_sent_is_refused_and_leaves_nothing(office: Office, letter: Letter, field: str) -> None:
    came = office.mail()
    with pytest.raises(BadInput) as refused:
        office.act(writing.reply, came["conversation_id"], ANNA, letter)
    assert refused.value.field == field
    assert office.rows(models.delivery) == []
    assert len(office.rows(models.interaction)) == 1


def test_a_lead_from_a_form_is_answered_by_mail_of_his_team(office: Office) -> None:
    came = office.mail(line="form:contact", kind=Kind.FORM, party=(IVANS_PHONE, IVAN), external_id=None)
    number = office.act(writing.reply, came["conversation_id"], ANNA, Letter("Добрый день"))
    delivery = office.row(models.delivery, number)
    assert delivery["line"] == "support-mail"
    assert [one["identity"] for one in delivery["recipients"]] == ["email:ivan@example.org"]


def test_a_client_whom_no_line_reaches(office: Office) -> None:
    came = office.mail(line="form:contact", kind=Kind.FORM, party=(IVANS_PHONE,), external_id=None)
    with pytest.raises(BadInput) as refused:
        office.act(writing.reply, came["conversation_id"], ANNA, Letter("Добрый день"))
    assert refused.value.field == "line"


def test_writing_first_makes_the_client_or_finds_him(office: Office) -> None:
    talk, _ = office.act(writing.write_first, ANNA, Letter("Предложение", "КП"), identity="new@example.org")
    row = office.row(models.conversation, talk)
    assert (row["owner"], row["state"], row["team"], row["subject"]) == ("anna", "waiting_client", "support", "КП")
    again, _ = office.act(writing.write_first, ANNA, Letter("Ещё"), identity="email:NEW@example.org")
    assert again != talk
    assert len(office.rows(models.client)) == 1
    third, number = office.act(writing.write_first, PROGRAM, Letter("И ещё"), client=row["client_id"])
    assert office.row(models.conversation, third)["owner"] is None
    assert office.row(models.delivery, number)["recipients"][0]["identity"] == "email:new@example.org"
    with pytest.raises(BadInput):
        office.act(writing.write_first, ANNA, Letter("x"))
    with pytest.raises(BadInput):
        office.act(writing.write_first, ANNA, Letter("x"), client=99)


def test_what_is_answered_to_our_first_message_comes_back_into_its_conversation(office: Office) -> None:
    talk, delivery = office.act(writing.write_first, ANNA, Letter("Предложение"), identity="ivan@example.org")
    office.send(delivery)
    came = office.mail(thread=Thread(answers=(f"<out{delivery}@office.example>",)))
    assert came["conversation_id"] == talk


def test_a_forwarded_copy_answers_nobody(office: Office) -> None:
    came = office.mail("Посмотрите договор")
    office.act(clients.create, ANNA, {"name": "Юрист"}, ("lawyer@example.org",))
    number = office.act(writing.forward, came["id"], ANNA, Letter("Прошу мнения", to=("lawyer@example.org",)))
    office.send(number)
    delivery = office.row(models.delivery, number)
    copy = office.row(models.interaction, delivery["interaction_id"])
    assert copy["direction"] == Direction.INTERNAL.value
    assert copy["subject"] == "Fwd: Вопрос"
    assert "> Посмотрите договор" in copy["text"]
    assert [one["state"] for one in office.rows(models.obligation)] == ["running"]
    assert office.row(models.conversation, came["conversation_id"])["waiting_id"] == came["id"]
    with pytest.raises(BadInput):
        office.act(writing.forward, came["id"], ANNA, Letter("кому?"))


def fill_in(office: Office) -> dict[str, Any]:
    return office.hear(
        Touch(
            line="form:contact",
            event_key="f1",
            kind=Kind.FORM,
            direction=Direction.INBOUND,
            at=office.clock(),
            party=(IVAN,),
            text="Перезвоните",
        )
    )


def test_an_answer_to_a_form_is_called_by_its_title(office: Office) -> None:
    came = fill_in(office)
    number = office.act(writing.reply, came["conversation_id"], ANNA, Letter("Добрый день!"))
    copy = office.row(models.interaction, office.row(models.delivery, number)["interaction_id"])
    assert (copy["line"], copy["subject"]) == ("support-mail", "Re: Напишите нам")


def test_a_line_that_needs_a_person_is_the_last_choice(office: Office) -> None:
    spare = "[line.a-mail]\nchannel = 'email'\nteam = 'support'\naddress = 'a@office.example'\n"
    spare += "imap = { host = 'x', user = 'a', password = 'x' }\nsmtp = { host = 'x' }\n"
    office.store.write_now(lambda unit: take(unit, read_setup([("spare.toml", spare)]), "test"))
    office.setup = office.store.read_now(load_setup)
    talk = fill_in(office)["conversation_id"]
    first = office.row(models.delivery, office.act(writing.reply, talk, ANNA, Letter("Первый")))
    office.store.write_now(
        lambda unit: note_health(unit, "a-mail", Health(LineState.NEEDS_PERSON, "the password is wrong"))
    )
    second = office.row(models.delivery, office.act(writing.reply, talk, ANNA, Letter("Второй")))
    assert (first["line"], second["line"]) == ("a-mail", "support-mail")


def test_nobody_writes_by_a_telephone_line(office: Office) -> None:
    pbx = "[line.pbx]\nchannel = 'asterisk'\nhost = '127.0.0.1'\nusername = 'hub'\nsecret = 'x'\n"
    office.store.write_now(lambda unit: take(unit, read_setup([("pbx.toml", pbx)]), "test"))
    office.setup = office.store.read_now(load_setup)
    assert (office.setup.lines["pbx"].listens, office.setup.lines["pbx"].sends) == (True, False)
    office.act(clients.create, ANNA, {"name": "Иван"}, (str(IVAN), str(IVANS_PHONE)))
    call = Touch(
        line="pbx",
        event_key="c1",
        kind=Kind.CALL,
        direction=Direction.INBOUND,
        at=office.clock(),
        party=(IVANS_PHONE,),
        call={"outcome": "missed", "reason": "no_answer"},
    )
    talk = office.hear(call)["conversation_id"]
    number = office.act(writing.reply, talk, ANNA, Letter("Мы не дозвонились"))
    assert office.row(models.delivery, number)["line"] == "support-mail"


def test_markup_of_a_letter_is_cleaned(office: Office) -> None:
    came = office.mail()
    letter = Letter("Привет", html="<p onclick='x()'>Привет<script>x()</script></p>")
    number = office.act(writing.reply, came["conversation_id"], ANNA, letter)
    (touch,) = office.rows(models.touch, interaction_id=office.row(models.delivery, number)["interaction_id"])
    assert touch["html"] == "<p>Привет</p>"
