"""What comes of a delivery, and what that means for whoever waits; on both databases."""

from __future__ import annotations

from typing import Any

import pytest

from channels.touch import Receipt, ReceiptState
from hub.actions import conversations, writing
from hub.actions.writing import Letter
from hub.receipts import report
from storage import models
from tests.hub.intaking import at
from tests.hub.office import ANNA, Office

S = ReceiptState


def answered(office: Office, letter: Letter | None = None) -> tuple[int, int]:
    """A mail came, seven minutes later it is answered: its interaction, and the delivery, not out yet."""
    came = office.mail()
    office.clock.move(minutes=7)
    return came["id"], office.act(writing.reply, came["conversation_id"], ANNA, letter or Letter("Ответ"))


def told(office: Office, delivery: int, state: ReceiptState, **more: Any) -> None:
    given = {"line": "support-mail", "external_id": f"<out{delivery}@office.example>", "at": office.clock(), **more}
    office.act(report, [Receipt(state=state, **given)])


def state_of(office: Office, delivery: int) -> str:
    state: str = office.row(models.delivery, delivery)["state"]
    return state


def promises(office: Office) -> list[str]:
    return sorted(one["state"] for one in office.rows(models.obligation))


def test_receipts_move_forward_only(office: Office) -> None:
    _, number = answered(office)
    office.send(number)
    seen = []
    for state in (S.READ, S.DELIVERED, S.SENT):
        told(office, number, state)
        seen.append(state_of(office, number))
    assert seen == ["read", "read", "read"]


def test_a_receipt_may_come_before_the_answer_to_the_send(office: Office) -> None:
    _, number = answered(office)
    told(office, number, S.DELIVERED)
    assert state_of(office, number) == "pending"
    office.send(number)
    assert state_of(office, number) == "delivered"
    assert promises(office) == ["met"]
    assert [one["delivery_id"] for one in office.rows(models.receipt)] == [number]


def test_one_that_comes_again_changes_nothing(office: Office) -> None:
    _, number = answered(office)
    office.send(number)
    told(office, number, S.DELIVERED)
    told(office, number, S.DELIVERED)
    assert len(office.rows(models.receipt)) == 1


def test_ids_of_another_gateway_mean_other_messages_those_of_mail_do_not(office: Office) -> None:
    _, number = answered(office)
    office.send(number)
    told(office, number, S.DELIVERED, line="sms")
    assert state_of(office, number) == "sent"
    told(office, number, S.DELIVERED, line="archive-mail")
    assert state_of(office, number) == "delivered"


def test_what_comes_back_for_good_is_open_again(office: Office) -> None:
    came, number = answered(office)
    office.send(number)
    office.clock.move(minutes=30)
    told(office, number, S.FAILED, recipient="ivan@example.org", reason="550 no such user")
    (talk,) = office.rows(models.conversation)
    assert (talk["state"], talk["waiting_since"], talk["waiting_id"], talk["answered_at"]) == (
        "open",
        at(0),
        came,
        None,
    )
    assert promises(office) == ["running"]
    assert office.rows(models.identity)[0]["bounced_at"] is not None


def test_a_full_mailbox_is_only_noted(office: Office) -> None:
    _, number = answered(office)
    office.send(number)
    told(office, number, S.FAILED, permanent=False, reason="452 mailbox full")
    assert (state_of(office, number), promises(office)) == ("sent", ["met"])
    assert "mailbox full" in office.row(models.delivery, number)["reason"]
    assert office.rows(models.conversation)[0]["state"] == "waiting_client"


def test_a_colleagues_copy_that_comes_back_un_answers_nobody(office: Office) -> None:
    _, number = answered(office, Letter("Ответ", cc=("gone@example.org",)))
    office.send(number)
    told(office, number, S.FAILED, recipient="gone@example.org", reason="550")
    assert (state_of(office, number), promises(office)) == ("sent", ["met"])


def test_a_bounce_of_what_was_answered_again_meanwhile_opens_nothing(office: Office) -> None:
    came, first = answered(office)
    office.send(first)
    office.clock.move(minutes=10)
    second = office.act(writing.reply, 1, ANNA, Letter("Ещё раз, на другой адрес", to=("ivan2@example.org",)))
    office.send(second)
    office.clock.move(minutes=10)
    told(office, first, S.FAILED, reason="550")
    (talk,) = office.rows(models.conversation)
    assert (talk["state"], talk["waiting_since"], talk["answered_at"]) == ("waiting_client", None, at(17))
    assert came == talk["last_inbound_id"]


def test_what_was_closed_with_a_failed_answer_is_open_again(office: Office) -> None:
    came, number = answered(office, Letter("Готово", close="answered"))
    assert office.rows(models.conversation)[0]["state"] == "solved"
    office.fail(number)
    (talk,) = office.rows(models.conversation)
    assert (talk["state"], talk["waiting_id"], talk["closed_why"]) == ("open", came, None)
    assert promises(office) == ["running"]


def test_a_first_message_that_never_went_out_is_looked_at(office: Office) -> None:
    talk, number = office.act(writing.write_first, ANNA, Letter("Предложение"), identity="ivan@example.org")
    office.fail(number)
    assert office.row(models.conversation, talk)["state"] == "open"


def test_an_unknown_fate_answers_nobody_and_opens_nothing(office: Office) -> None:
    from hub.receipts import settle_failed

    _, number = answered(office)
    office.act(settle_failed, number, "nobody can know", state="unknown")
    assert (state_of(office, number), promises(office)) == ("unknown", ["running"])
    office.send(number)
    assert (state_of(office, number), promises(office)) == ("sent", ["met"])


def test_sent_twice_is_settled_once(office: Office) -> None:
    _, number = answered(office)
    office.send(number)
    version = office.rows(models.conversation)[0]["version"]
    office.send(number)
    assert office.rows(models.conversation)[0]["version"] == version


@pytest.mark.parametrize("how", ["junk", "no_answer_needed"])
def test_closed_by_hand_while_it_was_on_its_way(office: Office, how: str) -> None:
    _, number = answered(office)
    office.act(conversations.close, 1, ANNA, how)
    office.send(number)
    assert office.rows(models.conversation)[0]["waiting_since"] is None
