"""One client, several doors: one conversation, one promise, one acknowledgement, one question how we did."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import timedelta
from typing import Any

import pytest

from channels.errors import OptedOut, Throttled
from channels.touch import Direction, Identity, Kind, Message, Thread, Touch
from hub import ratings
from hub.actions import clients, conversations
from hub.actions.writing import Letter, reply, write_first
from hub.errors import BadInput, Conflict, NotWanted
from hub.heard import read_number
from hub.jobs.acknowledge import acknowledge
from hub.jobs.deliver import Deliver
from hub.jobs.rate import Rate
from hub.jobs.worker import GiveUp, Later
from hub.setup.importing import take
from hub.setup.problem import SetUpRefused
from hub.setup.reading import read_setup
from hub.setup.snapshot import load_setup
from hub.ways import list_ways
from storage import models
from storage.repositories.jobs import Job
from tests.hub.fake_channel import FakeChannel
from tests.hub.office import ANNA, IVAN, VERA, Office, Row

LINES = """
[line.bot]
channel = "telegram"
team = "support"
token = "4711:test"
acknowledge = { ru = "Получили, {{ client|гость }}! Ответим {{ due|скоро }}.", en = "Got it, answer {{ due|soon }}" }
rate = { ru = "Как мы справились?", en = "How did we do?" }

[line.sms]
channel = "sms"
team = "support"
gateway = "smpp"
host = "127.0.0.1"
system_id = "hub"
password = "x"
sender = "7000"
rate = "template:rate"

[template.rate]
text = { ru = "Оцените {{ company }}.", en = "Rate {{ company }}." }
"""
PHONE = Identity("phone", "+79161234567")
CHAT = Identity("telegram", "55", "Иван Петров")


@pytest.fixture
def house(office: Office) -> Office:
    """Ivan is known by mail, telephone and Telegram."""
    learn(office, LINES)
    names = (str(IVAN), str(PHONE), str(CHAT))
    office.act(clients.create, VERA, {"name": "Иван Петров", "language": "ru"}, names)
    return office


def learn(office: Office, text: str) -> None:
    office.store.write_now(lambda unit: take(unit, read_setup([("more.toml", text)]), "test"))
    office.setup = office.store.read_now(load_setup)


def says(house: Office, text: str, line: str, minutes: float = 1, **more: Any) -> Row:
    house.clock.move(minutes=minutes)
    number = next(house.keys)
    who = {"bot": CHAT, "sms": PHONE, "support-mail": IVAN}[line]
    given: Row = {"kind": Kind.MESSAGE, "direction": Direction.INBOUND, "party": (who,), "external_id": f"x{number}"}
    return house.hear(Touch(line, f"t{number}", at=house.clock(), text=text, **{**given, **more}))


def test_an_answer_on_another_channel_keeps_the_promise_of_the_first(house: Office) -> None:
    asked = says(house, "Где заказ?", "bot")
    again = says(house, "Алло?", "sms")
    assert again["conversation_id"] == asked["conversation_id"]
    talk = house.row(models.conversation, asked["conversation_id"])
    assert talk["channels"] == ["telegram", "sms"] and len(house.rows(models.obligation)) == 1
    delivery = house.act(reply, talk["id"], ANNA, Letter("Едет"))
    assert house.row(models.delivery, delivery)["line"] == "sms"  # where he wrote last
    house.clock.move(minutes=1)
    other = house.act(reply, talk["id"], ANNA, Letter("Едет, подробности", line="support-mail"))
    house.fail(delivery)
    assert house.rows(models.obligation)[0]["state"] != "met"
    house.send(other)
    (promise,) = house.rows(models.obligation)
    assert (promise["state"], promise["met_by"]) == ("met", house.row(models.delivery, other)["interaction_id"])


def test_the_window_is_set_up_and_a_fresh_mail_never_joins(house: Office) -> None:
    first = says(house, "Где заказ?", "bot")
    mail = says(house, "Вопрос", "support-mail")
    assert mail["conversation_id"] != first["conversation_id"]
    late = says(house, "Ну что?", "sms", minutes=45)
    assert late["conversation_id"] not in (first["conversation_id"], mail["conversation_id"])
    learn(house, '[company]\nname = "Office"\nconversation_window = "2 hours"\n')
    assert says(house, "Эй", "bot", minutes=45)["conversation_id"] == late["conversation_id"]
    learn(house, '[company]\nname = "Office"\nconversation_window = "0 min"\n')
    assert says(house, "И ещё", "bot")["conversation_id"] != late["conversation_id"]


@pytest.mark.parametrize("written", ["5 days", "2 working hours", "soon", "-5 min"])
def test_a_window_that_makes_no_sense_is_refused(written: str) -> None:
    with pytest.raises(SetUpRefused, match="conversation_window"):
        read_setup([("a.toml", f'[company]\nname = "Office"\nconversation_window = "{written}"\n')])


def test_every_way_is_shown_with_what_stands_in_it(house: Office) -> None:
    asked = says(house, "Где заказ?", "bot")
    says(house, "STOP", "sms", fields={"opted_out": True})
    last = {"line": "bot", "party": asked["party"]}
    ways = house.store.read_now(lambda c: list_ways(c, house.setup, asked["client_id"], house.clock(), last))
    assert [(one.line, one.open, one.usual) for one in ways] == [
        ("bot", True, True), ("support-mail", True, False), ("archive-mail", False, False), ("sms", False, False),
    ]  # fmt: skip
    assert [one.why for one in ways if not one.open] == [
        "This line only receives.", "The client has asked not to be written to on this channel.",
    ]  # fmt: skip
    house.act(clients.amend, asked["client_id"], ANNA, {"preferred_channel": "email"})
    delivery = house.act(write_first, ANNA, Letter("Здравствуйте!"), client=asked["client_id"])[1]
    assert house.row(models.delivery, delivery)["line"] == "support-mail"
    with pytest.raises(BadInput, match="pigeon"):
        house.act(clients.amend, asked["client_id"], ANNA, {"preferred_channel": "pigeon"})
    with pytest.raises(BadInput, match="does not reach"):
        house.act(reply, asked["conversation_id"], ANNA, Letter("?", line="bot", to=(str(IVAN),)))


def test_where_free_text_is_possible_for_a_time_only_an_approved_template_goes_out_after_it(
    house: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    from channels import telegram

    monkeypatch.setattr(telegram, "FREE_TEXT", timedelta(hours=24), raising=False)
    learn(house, APPROVED)
    asked = says(house, "Где заказ?", "bot")
    assert house.act(reply, asked["conversation_id"], ANNA, Letter("Едет"))
    house.clock.move(hours=25)
    with pytest.raises(Conflict, match="no longer possible"):
        house.act(reply, asked["conversation_id"], ANNA, Letter("Едет"))
    delivery = house.act(reply, asked["conversation_id"], ANNA, Letter("моё", canned="late"))
    row = house.row(models.delivery, delivery)
    assert row["options"]["template"] == {"name": "order_late", "language": "ru", "parameters": ["Иван Петров"]}
    assert house.row(models.interaction, row["interaction_id"])["text"] == "Иван Петров, заказ едет."


APPROVED = """
[template.late]
text = { ru = "{{ client }}, заказ едет.", en = "{{ client }}, it is coming." }
approved = { name = "order_late", language = { ru = "ru", en = "en_US" }, parameters = ["{{ client }}"] }
"""


def test_an_acknowledgement_goes_out_on_any_channel_and_says_when_we_answer(house: Office) -> None:
    asked = says(house, "Где заказ?", "bot")
    (job,) = house.rows(models.job, kind="acknowledge")
    number = house.act(acknowledge, job["body"]["interaction"])
    assert number is not None
    row = house.row(models.delivery, number)
    written = house.row(models.interaction, row["interaction_id"])
    assert (written["text"], written["subject"]) == ("Получили, Иван Петров! Ответим сегодня в 13:01.", None)
    assert row["recipients"] == [{"identity": "telegram:55", "name": "Иван Петров", "role": "to"}]
    assert house.act(acknowledge, asked["id"]) is None  # one sender, one a day


def test_who_said_stop_gets_no_acknowledgement(house: Office) -> None:
    says(house, "STOP", "bot", fields={"opted_out": True}, kind=Kind.NOTE)
    learn(house, '[line.bot]\nchannel = "telegram"\ntoken = "4711:test"\nacknowledge = "Hello"\n')
    asked = house.mail()
    house.act(lambda unit, setup: unit.connection.execute(
        models.interaction.update().where(models.interaction.c.id == asked["id"]).values(
            line="bot", channel="telegram", party=[{"identity": str(CHAT)}])
    ))  # fmt: skip
    assert house.act(acknowledge, asked["id"]) is None


def test_a_line_that_may_not_send_acknowledges_and_asks_nothing(house: Office) -> None:
    asked = says(house, "Где заказ?", "bot")
    line = '[line.bot]\nchannel = "telegram"\ntoken = "4711:test"\nacknowledge = "Got it"\nrate = "Well?"\n'
    house.act(conversations.close, asked["conversation_id"], ANNA, "no_answer_needed")
    for policy in ("receive_only", "off"):
        learn(house, f'{line}policy = "{policy}"\n')
        assert house.act(acknowledge, asked["id"]) is None
        assert house.act(ratings.ask, asked["conversation_id"]) is None


def close(house: Office, asked: Row) -> None:
    delivery = house.act(reply, asked["conversation_id"], ANNA, Letter("Едет", close="answered"))
    house.clock.move(minutes=1)
    house.send(delivery)


async def ask(house: Office) -> None:
    (job,) = house.rows(models.job, kind="rate")
    house.store.lane.start()
    await Rate(house.store, lambda: house.setup)(Job(job["id"], "rate", job["body"], 1, False))


async def test_by_buttons_he_rates_once_and_the_last_press_counts(house: Office) -> None:
    asked = says(house, "Где заказ?", "bot")
    number = house.act(reply, asked["conversation_id"], ANNA, Letter("Едет", close="answered"))
    with pytest.raises(Later):
        await ask(house)
    house.send(number)
    await Rate(house.store, lambda: house.setup)(Job(1, "rate", {"conversation": asked["conversation_id"]}, 2, False))
    (row,) = house.rows(models.rating)
    question = house.row(models.interaction, row["asked_id"])
    assert (question["text"], question["automatic"]) == ("Как мы справились?", "auto_reply")
    sent = house.rows(models.delivery, interaction_id=question["id"])[0]
    assert [one["value"] for one in sent["options"]["buttons"]] == [f"rate:{score}" for score in range(1, 6)]
    for score in (3, 5, 9):
        says(house, f"{score}", "bot", kind=Kind.NOTE, fields={"rating": score},
             thread=Thread(conversation=asked["conversation_id"]))  # fmt: skip
    (row,) = house.rows(models.rating)
    assert (row["score"], row["operator"], [one["score"] for one in row["history"]]) == (5, "anna", [3, 5])
    assert house.row(models.conversation, asked["conversation_id"])["state"] == "solved"
    assert house.act(ratings.ask, asked["conversation_id"]) is None


async def test_by_sms_a_bare_number_is_the_rating_and_opens_nothing(house: Office) -> None:
    asked = says(house, "Где заказ?", "sms")
    close(house, asked)
    await ask(house)
    question = house.row(models.interaction, house.rows(models.rating)[0]["asked_id"])
    assert question["text"] == "Оцените Office.\nОтветьте числом от 1 до 5, где 5 — отлично."
    promises = len(house.rows(models.obligation))
    answer = says(house, " 4! ", "sms", minutes=300)
    assert (answer["kind"], answer["conversation_id"], answer["fields"]) == (
        "note", asked["conversation_id"], {"rating": 4},
    )  # fmt: skip
    assert house.rows(models.rating)[0]["score"] == 4
    assert house.row(models.conversation, asked["conversation_id"])["state"] == "solved"
    assert len(house.rows(models.obligation)) == promises
    assert says(house, "5", "sms")["kind"] == "message"  # rated already: now it is something that somebody reads


async def test_nobody_asks_who_wants_to_hear_nothing_or_was_told_nothing(house: Office) -> None:
    asked = says(house, "Где заказ?", "sms")
    close(house, asked)
    says(house, "STOP", "sms", fields={"opted_out": True}, thread=Thread(conversation=asked["conversation_id"]))
    house.act(conversations.close, asked["conversation_id"], ANNA, "no_answer_needed")
    assert house.act(ratings.ask, asked["conversation_id"]) is None
    other = says(house, "Спам", "bot", minutes=300)
    house.act(conversations.close, other["conversation_id"], ANNA, "junk")
    assert len(house.rows(models.job, kind="rate")) == 1 and house.rows(models.rating) == []


@pytest.mark.parametrize(
    ("text", "score"),
    [("5", 5), (" 4/5 ", 4), ("3 из 5", 3), ("10", 10), ("5!", 5), ("5 заказов", None), ("0", None), ("в 5", None)],
)
def test_numbers(text: str, score: int | None) -> None:
    assert read_number(text) == score


def deliver(house: Office, number: int, channel: FakeChannel) -> Awaitable[None]:
    if not house.store.lane.alive:
        house.store.lane.start()
    (job,) = (one for one in house.rows(models.job, kind="deliver") if one["body"] == {"delivery": number})
    return Deliver(house.store, lambda: house.setup, lambda line: channel)(
        Job(job["id"], "deliver", job["body"], 1, False)
    )


async def test_what_is_put_off_says_until_when_and_is_not_lost(house: Office) -> None:
    asked = says(house, "Где заказ?", "sms")
    number = house.act(reply, asked["conversation_id"], ANNA, Letter("Едет"))
    quiet = FakeChannel(fate=Throttled("quiet hours where the recipient lives", retry_after=3600))
    with pytest.raises(Throttled):
        await deliver(house, number, quiet)
    row = house.row(models.delivery, number)
    assert (row["state"], row["reason"]) == ("pending", "quiet hours where the recipient lives")
    assert row["postponed_until"] == house.clock() + timedelta(hours=1)
    await deliver(house, number, FakeChannel())
    row = house.row(models.delivery, number)
    assert (row["state"], row["reason"], row["postponed_until"]) == ("sent", None, None)


async def test_a_stop_that_comes_before_the_message_is_out_holds_it_back(house: Office) -> None:
    asked = says(house, "Где заказ?", "sms")
    number = house.act(reply, asked["conversation_id"], ANNA, Letter("Едет"))
    says(house, "STOP", "sms", fields={"opted_out": True})
    channel = FakeChannel()
    with pytest.raises(GiveUp):
        await deliver(house, number, channel)
    row = house.row(models.delivery, number)
    assert (row["state"], channel.sent) == ("failed", [])
    assert row["reason"] == "The client has asked not to be written to on this channel."
    assert house.row(models.conversation, asked["conversation_id"])["waiting_since"] is not None


async def test_a_channel_that_knows_he_wants_nothing_is_believed(house: Office) -> None:
    asked = says(house, "Где заказ?", "bot")
    number = house.act(reply, asked["conversation_id"], ANNA, Letter("Едет"))
    with pytest.raises(GiveUp):
        await deliver(house, number, FakeChannel(fate=OptedOut("the client has blocked the bot")))
    (row,) = house.rows(models.consent)
    assert (row["channel"], row["state"], row["source"], row["reason"], row["identity"]) == (
        "telegram", "refused", "channel", "the client has blocked the bot", "telegram:55",
    )  # fmt: skip
    with pytest.raises(NotWanted):
        house.act(reply, asked["conversation_id"], ANNA, Letter("Едет"))


async def test_who_wants_no_mailings_only_is_answered_further_on(house: Office) -> None:
    asked = says(house, "Где заказ?", "bot")
    number = house.act(reply, asked["conversation_id"], ANNA, Letter("Скидки!"))
    with pytest.raises(GiveUp):
        await deliver(house, number, FakeChannel(fate=OptedOut("no marketing, please", only="marketing")))
    (row,) = house.rows(models.consent)
    assert (row["purpose"], row["state"], row["source"]) == ("marketing", "refused", "channel")
    house.act(reply, asked["conversation_id"], ANNA, Letter("Едет"))


async def test_the_line_is_asked_once_more_when_it_is_switched_off_meanwhile(house: Office) -> None:
    asked = says(house, "Где заказ?", "bot")
    number = house.act(reply, asked["conversation_id"], ANNA, Letter("Едет"))
    learn(house, '[line.bot]\nchannel = "telegram"\ntoken = "4711:test"\npolicy = "receive_only"\n')
    channel = FakeChannel()
    with pytest.raises(GiveUp, match="it only receives"):
        await deliver(house, number, channel)
    assert channel.sent == []


async def test_an_approved_template_reaches_the_channel(house: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    from channels import telegram

    monkeypatch.setattr(telegram, "FREE_TEXT", timedelta(hours=24), raising=False)
    learn(house, APPROVED)
    asked = says(house, "Где заказ?", "bot")
    house.clock.move(hours=30)
    number = house.act(reply, asked["conversation_id"], ANNA, Letter("", canned="late"))
    channel = FakeChannel()
    await deliver(house, number, channel)
    message: Message = channel.sent[0]
    assert message.template is not None and message.template.parameters == ("Иван Петров",)
