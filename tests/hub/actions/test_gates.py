"""Gates: nobody closes a conversation before what the regulations ask for is filled in."""

from __future__ import annotations

import pytest

from hub.actions import clients, interactions, writing
from hub.actions import conversations as acts
from hub.actions.writing import Letter
from hub.errors import Conflict
from hub.setup.importing import take
from hub.setup.reading import read_setup
from hub.setup.snapshot import load_setup
from storage import models
from tests.hub.office import ANNA, Office

GATES = """
[regulation.where-from]
title = { en = "Where from?", ru = "Откуда узнали?" }
kind = "gate"
for = { first_contact = true }
require = ["source"]

[regulation.why-not]
title = "Why not?"
kind = "gate"
for = { disposition = ["refused"] }
require = ["refusal_reason"]
"""


@pytest.fixture
def gated(office: Office) -> Office:
    office.store.write_now(lambda unit: take(unit, read_setup([("gates.toml", GATES)]), "test"))
    office.setup = office.store.read_now(load_setup)
    return office


@pytest.mark.parametrize("how", ["no_answer_needed", "answered"])
def test_a_gate_blocks_closing_until_its_field_is_filled(gated: Office, how: str) -> None:
    mail = gated.mail()
    number = mail["conversation_id"]
    if how == "answered":
        gated.clock.move(minutes=5)
        delivery = gated.act(writing.reply, number, ANNA, Letter("Отвечаем"))
        gated.clock.move(minutes=5)
        gated.send(delivery)
    with pytest.raises(Conflict) as caught:
        gated.act(acts.close, number, ANNA, how)
    assert (caught.value.field, caught.value.remedy) == ("source", "Where from?: source")
    gated.act(clients.amend, mail["client_id"], ANNA, {"source": "radio"})
    gated.act(acts.close, number, ANNA, how)
    assert gated.row(models.conversation, number)["state"] == "solved"


def test_an_answer_that_closes_is_not_sent_through_a_gate(gated: Office) -> None:
    number = gated.mail()["conversation_id"]
    with pytest.raises(Conflict):
        gated.act(writing.reply, number, ANNA, Letter("Отвечаем", close="answered"))
    assert gated.rows(models.delivery) == []


def test_junk_passes_all_gates(gated: Office) -> None:
    number = gated.mail()["conversation_id"]
    gated.act(acts.close, number, ANNA, "junk")
    assert gated.row(models.conversation, number)["state"] == "junk"


def test_a_refusal_is_closed_with_its_reason(gated: Office) -> None:
    mail = gated.mail()
    gated.act(clients.amend, mail["client_id"], ANNA, {"source": "radio"})
    gated.act(interactions.amend, mail["id"], ANNA, "refused", {})
    with pytest.raises(Conflict) as caught:
        gated.act(acts.close, mail["conversation_id"], ANNA, "no_answer_needed")
    assert caught.value.remedy == "Why not?: refusal_reason"
    gated.act(interactions.amend, mail["id"], ANNA, None, {"refusal_reason": "price"})
    gated.act(acts.close, mail["conversation_id"], ANNA, "no_answer_needed")
