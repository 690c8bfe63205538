"""The eight rules of the examples, congratulations, calling back and the chain: started and kept by the right touch."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from hub.actions import clients, interactions, writing
from hub.actions.consents import Wish, note_wish
from hub.actions.writing import Letter
from hub.actor import Actor
from hub.errors import NotWanted
from storage import models
from tests.flows.practice import MAIL, PHONE, Practice, msk
from tests.hub.office import ANNA, PROGRAM


@pytest.fixture
def practice(tmp_path: Path) -> Iterator[Practice]:
    opened = Practice.begin(f"sqlite:///{tmp_path / 'touchline.db'}", tmp_path / "files")
    opened.clock.at = msk("09-14 12:00")
    yield opened
    opened.store.lane.close()
    opened.close()


def make(practice: Practice, *identities: str, **values: object) -> int:
    return practice.act(clients.create, PROGRAM, {"name": "Иван Петров", **values}, identities)


async def test_vip_contact_is_kept_only_by_the_responsible_who_talked_long_enough(practice: Practice) -> None:
    company = make(practice, kind="company", category="VIP", responsible="anna")
    person = make(practice, str(PHONE), str(MAIL), company_id=company)
    await practice.until(msk("09-14 12:01"))
    (first,) = practice.promises("vip-contact")
    assert (first["client_id"], first["owner"], first["state"]) == (company, "anna", "running")
    assert first["due"] == msk("09-28 12:00")
    practice.letter(person)
    practice.talk("c1", 20, operator="101")
    practice.talk("c2", 60, operator="102")
    assert practice.states("vip-contact") == ["running"]
    await practice.until(msk("09-25 12:30"))
    tasks = [one["title"] for one in practice.rows(models.task, obligation_id=first["id"])]
    assert tasks == ["Звонок вежливости"]
    talk = practice.talk("c3", 31, operator="101")
    kept, after = practice.promises("vip-contact")
    assert (kept["state"], kept["met_by"], after["state"]) == ("met", talk["id"], "running")
    assert practice.rows(models.task, obligation_id=first["id"])[0]["state"] == "done"


async def test_vip_contact_climbs_to_the_lead_and_the_director(practice: Practice) -> None:
    make(practice, kind="company", category="VIP", responsible="anna")
    await practice.until(msk("09-29 12:30"))
    assert practice.states("vip-contact") == ["breached"]
    told = [one["to"] for one in practice.rows(models.alert)]
    assert "vera" in told or "olga" in told


def test_service_answers_by_category_and_stands_while_it_waits_for_the_client(practice: Practice) -> None:
    came = practice.mail(who=MAIL)
    (promise,) = practice.promises("service-reaction")
    assert promise["due"] == msk("09-14 16:00")
    practice.amend_client(came["client_id"], category="VIP")
    (promise,) = practice.promises("service-reaction")
    assert (promise["due"], promise["target"]) == (msk("09-14 13:00"), "1 working hour")
    practice.clock.move(minutes=10)
    practice.letter(came["client_id"])
    assert practice.states("service-reaction") == ["running"], (
        "another conversation on the same channel answers nothing"
    )
    practice.act(clients.add_identity, came["client_id"], PROGRAM, str(PHONE))
    practice.talk("c1", 30, operator="101")
    assert practice.states("service-reaction") == ["met"]


def test_materials_are_due_two_clock_hours_after_the_end_and_need_an_attachment(practice: Practice) -> None:
    practice.clock.at = msk("09-14 17:20")
    talk = practice.talk("c1", 600, operator="101")
    assert practice.promises("materials") == []
    practice.clock.move(hours=1)
    practice.act(interactions.amend, talk["id"], ANNA, fields={"materials_requested": True})
    (promise,) = practice.promises("materials")
    assert (promise["started"], promise["due"]) == (msk("09-14 17:30"), msk("09-14 19:30"))
    assert promise["owner"] == "anna"
    practice.act(clients.add_identity, talk["client_id"], PROGRAM, str(MAIL))
    practice.letter(talk["client_id"], to=str(MAIL))
    assert practice.states("materials") == ["running"]
    sent = practice.letter(talk["client_id"], files=(practice.upload(),), to=str(MAIL))
    (promise,) = practice.promises("materials")
    assert (promise["state"], promise["met_by"]) == ("met", sent["interaction_id"])
    practice.clock.move(minutes=5)
    practice.fail(sent["id"])
    assert practice.states("materials") == ["running"], "what came back was not sent"


def test_the_first_call_asks_for_the_source_and_the_second_does_not(practice: Practice) -> None:
    talk = practice.talk("c1", 60, operator="101")
    (gate,) = practice.promises("source")
    assert (gate["state"], gate["owner"], gate["details"]["missing"]) == ("running", "anna", ["source"])
    practice.amend_client(talk["client_id"], source="выставка")
    assert practice.states("source") == ["met"]
    practice.talk("c2", 60, operator="101")
    assert len(practice.promises("source")) == 1
    practice.mail(who=MAIL)
    assert len(practice.promises("source")) == 1, "a letter is no call"


async def test_a_novelty_is_told_to_all_but_those_who_do_not_want_it(practice: Practice) -> None:
    wants, told, shy = (make(practice, f"email:{name}@example.org") for name in ("wants", "told", "shy"))
    practice.amend_client(shy, fields={"opted_out": ["mailing"]})
    practice.report("product.published", name="Новый насос")
    await practice.until(msk("09-14 12:05"))
    assert {one["client_id"] for one in practice.promises("novelty")} == {wants, told}
    event = practice.promises("novelty")[0]["details"]["event_id"]
    sent = practice.letter(told, text="Новинка")
    assert practice.states("novelty") == ["running", "running"], "a letter about something else"
    practice.act(interactions.amend, sent["interaction_id"], Actor("token", "mailer", "admin"), fields={"event": event})
    assert [one["client_id"] for one in practice.promises("novelty", state="met")] == [told]
    practice.amend_client(wants, fields={"opted_out": ["all"]})
    assert [one["closed_why"] for one in practice.promises("novelty", state="cancelled")] == ["exempt"]


async def test_what_he_says_of_mailings_on_any_door_holds_for_broadcasts(practice: Practice) -> None:
    """Consent and refusal live on the card: who has agreed is told by a mailing, who refuses is let go at once."""
    practice.learn(AGREED)
    agrees, silent, tired = (make(practice, f"email:{name}@example.org") for name in ("agrees", "silent", "tired"))
    for one in (agrees, tired):
        practice.act(note_wish, one, ANNA, Wish("given", "email", "marketing", "Да", "1"))
    practice.clock.move(minutes=1)
    practice.report("product.published", name="Новый насос")
    await practice.until(msk("09-14 12:05"))
    assert {one["client_id"] for one in practice.promises("news")} == {agrees, tired}, "the silent one never agreed"
    mailing = Letter("Новинка!", subject="Новинка", purpose="marketing")
    with pytest.raises(NotWanted):
        practice.act(writing.write_first, ANNA, mailing, client=silent)
    _, delivery = practice.act(writing.write_first, ANNA, mailing, client=agrees)
    practice.send(delivery)
    assert [one["client_id"] for one in practice.promises("news", state="met")] == [agrees]
    practice.act(note_wish, tired, ANNA, Wish("refused", "email", "marketing"))
    (gone,) = practice.promises("news", state="cancelled")
    assert (gone["client_id"], gone["closed_why"]) == (tired, "exempt")


AGREED = """
[regulation.news]
title = "Всем согласным — о новинке"
kind = "broadcast"
after = { event = "product.published" }
within = "5 working days"
consent = "marketing"
action = { send = ["email"], by = "any" }
"""


def test_a_meeting_is_followed_by_a_letter_of_thanks(practice: Practice) -> None:
    client = make(practice, str(MAIL), str(PHONE))
    practice.meeting(client)
    (promise,) = practice.promises("thanks")
    assert (promise["owner"], promise["due"]) == ("anna", msk("09-15 18:00"))
    practice.talk("c1", 60, operator="101")
    assert practice.states("thanks") == ["running"]
    practice.letter(client, to=str(MAIL))
    assert practice.states("thanks") == ["met"]


def test_a_closed_contract_asks_for_the_quality_sheet(practice: Practice) -> None:
    client = make(practice, str(MAIL))
    practice.report("contract.closed", client)
    practice.report("contract.closed", client)
    assert practice.states("quality-sheet") == ["running", "running"]
    practice.clock.move(minutes=1)
    practice.letter(client)
    assert practice.states("quality-sheet") == ["met", "met"]
    practice.report("contract.closed", client)
    practice.report("survey.filled", client)
    assert practice.promises("quality-sheet")[-1]["closed_why"] == "no_longer_needed"


def test_a_refusal_is_not_done_with_before_its_reason_is_known(practice: Practice) -> None:
    talk = practice.talk("c1", 60, operator="101")
    assert practice.promises("refusal") == []
    practice.act(interactions.amend, talk["id"], ANNA, disposition="refused")
    assert practice.states("refusal") == ["running"]
    practice.act(interactions.amend, talk["id"], ANNA, fields={"refusal_reason": "дорого"})
    assert practice.states("refusal") == ["met"]


async def test_congratulations_are_the_responsibles_own(practice: Practice) -> None:
    client = make(
        practice,
        str(PHONE),
        category="A",
        responsible="anna",
        fields={"dates": {"birthday": "1984-02-29"}},
    )
    assert client
    practice.clock.at = msk("09-14 12:00").replace(year=2027, month=2, day=15)
    await practice.until(practice.clock() + timedelta(minutes=1))
    (birthday,) = [one for one in practice.promises("congratulations") if one["details"]["date"] == "birthday"]
    assert birthday["details"]["on"] == "2027-02-28"
    (task,) = practice.rows(models.task, obligation_id=birthday["id"])
    assert (task["owner"], task["state"]) == ("anna", "open")
    practice.clock.at = birthday["started"] + timedelta(hours=10)
    practice.talk("c1", 60, operator="102")
    assert practice.row(models.obligation, birthday["id"])["state"] == "running"
    practice.talk("c2", 60, operator="101")
    assert practice.row(models.obligation, birthday["id"])["state"] == "met"


def test_ten_attempts_are_one_call_back_and_any_word_with_him_keeps_it(practice: Practice) -> None:
    first = practice.missed("c0")
    for number in range(1, 10):
        practice.clock.move(minutes=2)
        practice.missed(f"c{number}")
    (promise,) = practice.promises("call-back")
    assert (promise["details"]["attempts"], promise["started_by"]) == (10, first["id"])
    assert promise["due"] == msk("09-14 13:00") + timedelta(seconds=30)
    practice.talk("back", 5, outbound=True, operator="101")
    assert practice.states("call-back") == ["met"]
    practice.missed("later")
    practice.clock.move(minutes=1)
    practice.talk("through", 30, operator="101")
    assert practice.states("call-back") == ["met", "met"], "he got through himself"


def test_the_chain_from_the_offer_to_the_delivery(practice: Practice) -> None:
    client = make(practice, str(PHONE), str(MAIL), responsible="anna")
    practice.report("offer.sent", client)
    assert practice.states("offer-call") == ["running"]
    practice.clock.move(hours=2)
    talk = practice.talk("c1", 60, outbound=True, operator="101")
    assert practice.states("offer-call") == ["met"]
    practice.act(interactions.amend, talk["id"], ANNA, disposition="interested")
    assert practice.states("interested-meeting") == ["running"]
    practice.clock.move(hours=20)
    practice.meeting(client)
    assert practice.states("interested-meeting") == ["met"]
    practice.report("order.placed", client)
    practice.clock.move(hours=20)
    practice.report("shipment.delivered", client)
    assert practice.states("order-delivery") == ["met"]
    assert practice.states("delivery-check") == ["running"]
    practice.clock.move(hours=1)
    practice.talk("c2", 60, outbound=True, operator="101")
    assert practice.states("delivery-check") == ["met"]


def test_a_refused_offer_and_a_cancelled_order_need_nothing_more(practice: Practice) -> None:
    client = make(practice)
    for begun, ended, regulation in (
        ("offer.sent", "offer.refused", "offer-call"),
        ("order.placed", "order.cancelled", "order-delivery"),
    ):
        practice.report(begun, client)
        practice.report(ended, client)
        assert practice.states(regulation) == ["cancelled"]


def test_what_is_stored_is_what_the_log_adds_up_to(practice: Practice) -> None:
    from hub.rebuilding import rebuild_all

    test_the_chain_from_the_offer_to_the_delivery(practice)
    practice.mail(who=MAIL)
    practice.missed("m1")
    found = rebuild_all(practice.store)
    assert (found.differences, found.interactions, found.obligations) == ((), 5, 8)
