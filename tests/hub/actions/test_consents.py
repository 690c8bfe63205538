"""What clients agreed to and refused, and that nothing goes out against it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from channels.touch import Automatic, Direction, Identity, Kind, Touch
from hub.actions import clients, interactions, merging
from hub.actions.consents import Wish, note_wish
from hub.actions.writing import Letter, reply, write_first
from hub.errors import BadInput, Forbidden, NotWanted
from hub.setup.importing import take
from hub.setup.reading import read_setup
from hub.setup.snapshot import load_setup
from storage import models
from storage.repositories.consents import find_all
from tests.hub.office import ANNA, IVAN, IVANS_PHONE, OLGA, PROGRAM, VERA, Office, Row

LINES = """
[line.sms]
channel = "sms"
team = "support"
gateway = "smpp"
host = "127.0.0.1"
system_id = "hub"
password = "x"

[line.bot]
channel = "telegram"
team = "support"
token = "4711:test"

[line.quiet-bot]
channel = "telegram"
policy = "off"
token = "4712:test"
"""
IN_TELEGRAM = Identity("telegram", "55", "Иван Петров")
TICKED = {"field": "news", "text": "Хочу новости", "version": "2026-11", "at": "2026-09-14T09:00:00Z"}


@pytest.fixture
def house(office: Office) -> Office:
    learn(office, LINES)
    return office


def learn(office: Office, text: str) -> None:
    office.store.write_now(lambda unit: take(unit, read_setup([("more.toml", text)]), "test"))
    office.setup = office.store.read_now(load_setup)


def says(house: Office, text: str, line: str = "sms", who: Identity = IVANS_PHONE, **more: Any) -> Row:
    """Something comes in on a line, a minute after the last."""
    house.clock.move(minutes=1)
    number = next(house.keys)
    given: Row = {"kind": Kind.MESSAGE, "direction": Direction.INBOUND, "party": (who,), "external_id": f"x{number}"}
    return house.hear(Touch(line, f"t{number}", at=house.clock(), text=text, **{**given, **more}))


def stop(house: Office, stopped: bool = True, **more: Any) -> Row:
    return says(house, "STOP" if stopped else "START", fields={"opted_out": stopped}, **more)


def said(house: Office, client: int) -> list[tuple[str, str, str, str]]:
    rows = house.store.read_now(lambda connection: find_all(connection, client))
    return [(one.channel, one.purpose, one.state, one.source) for one in rows]


def test_stop_by_sms_stops_every_sms_until_start(house: Office) -> None:
    asked = says(house, "Где заказ?")
    stopped = stop(house)
    with pytest.raises(NotWanted) as refused:
        house.act(reply, asked["conversation_id"], ANNA, Letter("Едет"))
    assert "START" in (refused.value.remedy or "") and refused.value.status == 409
    says(house, "Так где же он?")
    with pytest.raises(NotWanted):
        house.act(reply, asked["conversation_id"], ANNA, Letter("Едет"))
    with pytest.raises(NotWanted):
        house.act(write_first, ANNA, Letter("Скидки!"), identity=str(IVANS_PHONE))
    stop(house, stopped=False)
    assert house.act(reply, asked["conversation_id"], ANNA, Letter("Едет"))
    assert said(house, asked["client_id"]) == [("sms", "all", "refused", "message"), ("sms", "all", "given", "message")]
    row = house.rows(models.consent)[0]
    assert (row["identity"], row["interaction_id"], row["by"], row["text"]) == (
        str(IVANS_PHONE), stopped["id"], "sms", "STOP",
    )  # fmt: skip


def test_start_without_a_stop_is_no_consent_to_anything(house: Office) -> None:
    asked = stop(house, stopped=False)
    assert said(house, asked["client_id"]) == []


def test_other_channels_still_reach_him(house: Office) -> None:
    asked = stop(house)
    house.act(clients.add_identity, asked["client_id"], ANNA, "email:ivan@example.org")
    delivery = house.act(reply, asked["conversation_id"], ANNA, Letter("Едет", line="support-mail"))
    assert house.row(models.delivery, delivery)["line"] == "support-mail"


def test_who_blocks_the_bot_and_writes_again_is_answered(house: Office) -> None:
    asked = says(house, "Привет", line="bot", who=IN_TELEGRAM)
    stop(house, line="bot", who=IN_TELEGRAM, kind=Kind.NOTE, automatic=Automatic.AUTO_REPLY)
    with pytest.raises(NotWanted):
        house.act(reply, asked["conversation_id"], ANNA, Letter("Едет"))
    again = says(house, "Я снова здесь", line="bot", who=IN_TELEGRAM)
    assert house.act(reply, again["conversation_id"], ANNA, Letter("Здравствуйте!"))
    assert said(house, asked["client_id"]) == [("telegram", "all", "refused", "channel")]
    with pytest.raises(NotWanted):  # an answer is wanted, a mailing is not
        house.act(reply, again["conversation_id"], ANNA, Letter("Скидки!", purpose="marketing"))


def test_marketing_needs_a_consent_of_its_own_and_its_refusal_stops_no_answer(house: Office) -> None:
    asked = house.mail()
    mailing = Letter("Новинки", purpose="marketing")
    with pytest.raises(NotWanted, match="has not agreed"):
        house.act(reply, asked["conversation_id"], ANNA, mailing)
    house.act(note_wish, asked["client_id"], ANNA, Wish("given", "email", "marketing", "По телефону", "1"))
    house.clock.move(minutes=1)
    sent = house.act(reply, asked["conversation_id"], ANNA, mailing)
    house.send(sent)
    assert house.row(models.interaction, house.row(models.delivery, sent)["interaction_id"])["automatic"] == "bulk"
    assert house.row(models.conversation, asked["conversation_id"])["waiting_since"] is not None
    assert house.rows(models.obligation)[0]["state"] == "running"
    house.clock.move(minutes=1)
    house.act(note_wish, asked["client_id"], ANNA, Wish("refused", "email", "marketing"))
    with pytest.raises(NotWanted, match="does not want mailings"):
        house.act(reply, asked["conversation_id"], ANNA, mailing)
    assert house.act(reply, asked["conversation_id"], ANNA, Letter("Ваш ответ"))


def test_where_only_a_refusal_counts_the_set_up_says_so(house: Office) -> None:
    learn(house, '[company]\nname = "Office"\nmarketing = "unless_refused"\n')
    asked = house.mail()
    assert house.act(reply, asked["conversation_id"], ANNA, Letter("Новинки", purpose="marketing"))
    house.act(note_wish, asked["client_id"], PROGRAM, Wish("refused", purpose="marketing"))
    with pytest.raises(NotWanted):
        house.act(reply, asked["conversation_id"], ANNA, Letter("Новинки", purpose="marketing"))


def test_boxes_ticked_in_a_form_are_kept_with_their_words(house: Office) -> None:
    boxes = [{**TICKED, "field": "data"}, {**TICKED, "purpose": "marketing", "channels": ["email", "sms"]}]
    sent = says(house, "Цена?", line="form:contact", who=IVAN, kind=Kind.FORM, origin={"consent": boxes})
    rows = house.rows(models.consent, client_id=sent["client_id"])
    assert [(one["channel"], one["purpose"], one["state"]) for one in rows] == [
        ("all", "service", "given"), ("email", "marketing", "given"), ("sms", "marketing", "given"),
    ]  # fmt: skip
    assert {(one["source"], one["text"], one["version"]) for one in rows} == {("form", "Хочу новости", "2026-11")}
    assert house.row(models.client, sent["client_id"])["wishes"] == {"agreed": ["email", "sms", "marketing"]}


def test_what_was_ticked_counts_once_the_form_is_out_of_quarantine(house: Office) -> None:
    boxes = {"consent": [{**TICKED, "purpose": "marketing"}]}
    held = says(house, "Цена?", "form:contact", IVAN, kind=Kind.FORM, origin=boxes, suspicion="links")
    assert house.rows(models.consent) == []
    house.act(interactions.release, held["id"], ANNA)
    (row,) = house.rows(models.consent)
    assert (row["channel"], row["purpose"], row["interaction_id"]) == ("all", "marketing", held["id"])
    assert house.row(models.client, row["client_id"])["wishes"] == {"agreed": ["marketing"]}


def test_who_is_chosen_among_several_is_the_one_who_said_stop(house: Office) -> None:
    """The number is shared: somebody stands in until a person knows who it was."""
    both = [house.act(clients.create, VERA, {"name": name}) for name in ("Пётр", "Павел")]
    for one in both:
        house.act(clients.add_identity, one, VERA, str(IVANS_PHONE), shared=True)
    stopped = stop(house)
    assert stopped["client_id"] not in both
    house.act(interactions.choose_client, stopped["id"], ANNA, both[0])
    assert said(house, both[0]) == [("sms", "all", "refused", "message")] and said(house, stopped["client_id"]) == []
    assert house.row(models.client, both[0])["wishes"] == {"refused": ["sms"]}


def test_a_refusal_is_lifted_by_a_supervisor_with_a_reason(house: Office) -> None:
    asked = stop(house)
    house.clock.move(minutes=1)
    lifted = Wish("given", "sms", "all", reason="Просил по телефону писать ему снова")
    with pytest.raises(Forbidden):
        house.act(note_wish, asked["client_id"], ANNA, lifted)
    with pytest.raises(BadInput) as refused:
        house.act(note_wish, asked["client_id"], VERA, replace(lifted, reason=" "))
    assert refused.value.field == "reason"
    house.act(note_wish, asked["client_id"], VERA, lifted)
    assert house.act(reply, asked["conversation_id"], ANNA, Letter("Едет"))
    assert house.rows(models.journal, action="consent_noted")[-1]["data"]["reason"] == lifted.reason


def test_wishes_that_make_no_sense_are_refused(house: Office) -> None:
    asked = house.mail()
    for wish in (Wish("given", "pigeon"), Wish("maybe"), Wish("given", purpose="fun"), Wish("given", "asterisk")):
        with pytest.raises(BadInput):
            house.act(note_wish, asked["client_id"], VERA, wish)


def test_a_stop_from_a_number_holds_whoever_else_has_it(house: Office) -> None:
    stop(house)
    other = house.mail(who=OLGA)["client_id"]
    house.act(clients.add_identity, other, ANNA, str(IVANS_PHONE), shared=True)
    with pytest.raises(NotWanted):
        house.act(write_first, ANNA, Letter("Здравствуйте", line="sms"), client=other)


def test_a_merge_keeps_refusals_and_undo_gives_back_what_was(house: Office) -> None:
    by_sms, by_mail = stop(house)["client_id"], house.mail()["client_id"]
    house.act(note_wish, by_mail, ANNA, Wish("given", "sms", "all"))
    house.act(note_wish, by_mail, ANNA, Wish("given", "email", "marketing"))
    before = {one: (said(house, one), house.row(models.client, one)["wishes"]) for one in (by_sms, by_mail)}
    house.clock.move(minutes=1)
    merge = house.act(merging.merge, by_mail, by_sms, VERA)
    assert said(house, by_mail)[-1] == ("sms", "all", "refused", "merge") and said(house, by_sms) == []
    assert house.row(models.client, by_mail)["wishes"] == {"refused": ["sms"], "agreed": ["email", "marketing"]}
    with pytest.raises(NotWanted):
        house.act(write_first, ANNA, Letter("Здравствуйте", line="sms"), client=by_mail)
    house.act(merging.undo_merge, merge, VERA)
    after = {one: (said(house, one), house.row(models.client, one)["wishes"]) for one in (by_sms, by_mail)}
    assert after == before


def test_the_policy_of_a_line_holds_on_every_road(house: Office) -> None:
    asked = house.mail()
    for line, why in (("archive-mail", "it only receives"), ("quiet-bot", "it is switched off")):
        for letter in (Letter("Ответ", line=line), Letter("Новинки", line=line, purpose="marketing")):
            with pytest.raises(BadInput, match=why):
                house.act(reply, asked["conversation_id"], ANNA, letter)
        with pytest.raises(BadInput, match=why):
            house.act(write_first, PROGRAM, Letter("Здравствуйте", line=line), identity=str(IVAN))
