"""The automatic acknowledgement: once per sender and day, never to a machine."""

from __future__ import annotations

import pytest

from channels.touch import Automatic
from hub.jobs.acknowledge import acknowledge
from hub.setup.importing import take
from hub.setup.reading import read_setup
from hub.setup.snapshot import load_setup
from storage import models
from tests.hub.intaking import form, mail, take_in
from tests.hub.office import OLGA, SETUP, Office

ACKNOWLEDGING = SETUP.replace(
    'address = "support@office.example"',
    'address = "support@office.example"\nacknowledge = { ru = "Мы получили", en = "We have it" }',
)


@pytest.fixture
def polite(office: Office) -> Office:
    office.store.write_now(lambda unit: take(unit, read_setup([("x.toml", ACKNOWLEDGING)]), "test"))
    office.setup = office.store.read_now(load_setup)
    return office


def work(office: Office) -> list[int | None]:
    found = office.rows(models.job, kind="acknowledge")
    return [office.act(acknowledge, one["body"]["interaction"]) for one in found]


def test_who_opens_a_conversation_is_told_that_we_have_it(polite: Office) -> None:
    take_in(polite, mail("1", language="en"))
    (number,) = work(polite)
    assert number is not None
    row = polite.row(models.delivery, number)
    written = polite.row(models.interaction, row["interaction_id"])
    assert (written["text"], written["subject"], written["automatic"]) == ("We have it", "Re: Вопрос", "auto_reply")
    assert row["options"]["automatic"] is True
    assert polite.rows(models.conversation)[0]["state"] == "open"


def test_it_answers_no_promise(polite: Office) -> None:
    take_in(polite, mail("1"))
    (number,) = work(polite)
    assert number is not None
    polite.clock.move(seconds=5)
    polite.send(number)
    assert [one["state"] for one in polite.rows(models.obligation)] == ["running"]
    assert polite.rows(models.conversation)[0]["waiting_since"] is not None


def test_one_sender_gets_one_a_day_whatever_he_writes(polite: Office) -> None:
    for number in range(3):
        take_in(polite, mail(str(number), number))
    take_in(polite, mail("other", who=OLGA))
    assert [one is not None for one in work(polite)] == [True, False, False, True]
    polite.clock.move(hours=25)
    (last,) = take_in(polite, mail("next", 1500))
    assert last.interaction is not None
    assert polite.act(acknowledge, last.interaction) is not None


@pytest.mark.parametrize("automatic", list(Automatic))
def test_a_machine_gets_none(polite: Office, automatic: Automatic) -> None:
    take_in(polite, mail("1", automatic=automatic))
    assert polite.rows(models.job, kind="acknowledge") == []


def test_a_reply_a_suspicious_mail_and_a_line_without_one_get_none(polite: Office) -> None:
    take_in(polite, mail("0", line="archive-mail"), mail("1", 1, who=OLGA, suspicion="spam"), form("x"))
    take_in(polite, mail("2", 2, answers=["0"]))
    assert polite.rows(models.job, kind="acknowledge") == []
