"""What vendors say of a failure is shown in the operator's language where it is known, their own words beside it."""

from __future__ import annotations

import json

import pytest
from telegram.error import BadRequest, Forbidden

from channels.http import Answered
from channels.max.wire import meaning_of as max_meaning
from channels.sms.status import NAMES, describe
from channels.telegram.wire import translate
from channels.viber.wire import meaning_of as viber_meaning
from channels.vk.wire import meaning_of as vk_meaning
from channels.whatsapp.refusals import meaning_of as whatsapp_meaning
from hub.desk import reasons
from hub.desk.language import load_speeches
from hub.desk.reasons import find_meaning
from hub.desk.vocabulary import Vocabulary


def whatsapp(code: int) -> str:
    error = {"error": {"code": code, "message": f"(#{code}) words", "error_data": {"details": "details"}}}
    return whatsapp_meaning(Answered(400, json.dumps(error).encode(), {}), handing_over=True).reason


def vk(code: int) -> str:
    return vk_meaning({"error_code": code, "error_msg": "words"}, True).reason


@pytest.mark.parametrize(
    ("reason", "meaning"),
    [
        (whatsapp(131026), reasons.NOT_THERE),
        ("131026 Message undeliverable: Not on WhatsApp.", reasons.NOT_THERE),
        (whatsapp(131047), reasons.WINDOW),
        (whatsapp(131049), reasons.HELD_BACK),
        (whatsapp(131050), reasons.NO_MARKETING),
        (whatsapp(132001), reasons.TEMPLATE),
        (whatsapp(130429), reasons.TOO_MANY),
        (whatsapp(190), reasons.ACCOUNT),
        (viber_meaning(5, "receiverNotRegistered").reason, reasons.NOT_THERE),
        (viber_meaning(2, "invalidAuthToken").reason, reasons.ACCOUNT),
        (viber_meaning(6, "notSubscribed").reason, reasons.BLOCKED),
        (viber_meaning(12, "tooManyRequests").reason, reasons.TOO_MANY),
        (vk(901), reasons.BLOCKED),
        (vk(5), reasons.ACCOUNT),
        (vk(914), reasons.TOO_LONG),
        (max_meaning(Answered(403, b'{"code": "chat.denied"}', {}), True).reason, reasons.BLOCKED),
        (translate(Forbidden("Forbidden: bot was blocked by the user")).reason, reasons.BLOCKED),
        (translate(BadRequest("Chat not found")).reason, reasons.NEVER_WROTE),
        (f"the SMSC refused the message: {describe(0x0B)}", reasons.NO_NUMBER),
        (f"the SMSC refused the message: {describe(0x0A)}", reasons.SENDER),
        ("the phone could not be reached in time (EXPIRED)", reasons.IN_TIME),
        ("refused: anna@client.example: 550 5.1.1 User unknown", reasons.NO_NUMBER),
        ("refused: anna@client.example: 452 4.2.2 Mailbox full", reasons.MAILBOX_FULL),
        ("given up after 12 attempts: VK answered 500", reasons.GIVEN_UP),
        ("The client has asked not to be written to on this channel.", None),
        ("", None),
    ],
)
def test_what_is_known_has_a_meaning(reason: str, meaning: str | None) -> None:
    assert find_meaning(reason) == meaning


def test_every_meaning_has_words_in_every_language() -> None:
    texts = [text for name, text in vars(reasons).items() if name[0].isupper() and isinstance(text, str)]
    assert len(texts) > 20
    for language, speech in load_speeches().items():
        said = [speech.say(text) for text in texts]
        assert all(said) and (language == "en" or not set(said) & set(texts)), language


def test_the_desk_says_it_in_the_operators_language() -> None:
    words = Vocabulary(load_speeches()["ru"])
    assert words.meaning(whatsapp(131026)).startswith("Здесь до него не достучаться")
    assert words.meaning("something nobody has seen before") == ""


def test_an_smsc_that_is_out_of_order_is_no_fault_of_the_recipient() -> None:
    assert find_meaning(f"the SMSC refused the message: {NAMES[0x08]}") is None
