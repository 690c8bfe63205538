"""Mail from a real IMAP server to the log, and answers from the log to a real SMTP server and back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest

from hub.actions.writing import Letter, reply
from hub.actor import Actor
from storage import models
from tests.flows.house import House, mail_line, open_house, support_line
from tests.flows.letters import CLIENT, answer_to, bounce, letter, vacation
from tests.peers.dovecot import Dovecot
from tests.peers.mailbox import Mailbox
from tests.peers.smtp import SmtpServer

ANNA = Actor("operator", "anna", "operator", ("support",))


@dataclass(slots=True)
class Office:
    """A house with one mailbox, and both ends of its wires."""

    house: House
    box: Mailbox
    smtp: SmtpServer

    async def ask(self, text: str = "Где мой заказ 4711?", **headers: str) -> dict[str, Any]:
        """A client writes; the interaction, once it is in the log."""
        before = len(await self.house.rows(models.interaction, direction="inbound"))
        self.box.deliver(letter(text, to=self.box.address, **headers))
        return (await self.wait_for_inbound(before + 1))[-1]

    async def wait_for_inbound(self, count: int) -> list[dict[str, Any]]:
        async def there() -> bool:
            return len(await self.house.rows(models.interaction, direction="inbound")) >= count

        await self.house.wait_until(f"{count} mails in the log", there)
        return await self.house.rows(models.interaction, direction="inbound")

    async def answer(self, conversation: int, text: str = "Он уже едет к вам.") -> int:
        """Anna answers; the delivery, once it is sent."""
        setup = self.house.hub.setup.current
        written = Letter(text)
        number = await self.house.store.write(lambda unit: reply(unit, setup, conversation, ANNA, written))
        await self.house.wait_for_row(models.delivery, id=number, state="sent")
        return number

    async def sent(self, count: int = 1) -> bytes:
        """The last of so many mails that went out."""
        return (await self.smtp.wait_for(count))[-1].raw


@asynccontextmanager
async def open_office(
    home: Path, url: str, dovecot: Dovecot, box: Mailbox, smtp: SmtpServer, *more: str
) -> AsyncIterator[Office]:
    async with open_house(home, url, support_line(dovecot, box, smtp.port), *more) as house:
        await house.line_runs()
        yield Office(house, box, smtp)


@pytest.fixture
async def office(
    tmp_path: Path, database_url: str, dovecot: Dovecot, box: Mailbox, smtp: SmtpServer
) -> AsyncIterator[Office]:
    async with open_office(tmp_path, database_url, dovecot, box, smtp) as opened:
        yield opened


async def test_a_mail_is_in_the_log(office: Office) -> None:
    row = await office.ask(subject="Заказ №4711")
    house = office.house
    assert (row["channel"], row["line"], row["subject"], row["team"]) == (
        "email",
        "support-mail",
        "Заказ №4711",
        "support",
    )
    assert row["text"].strip() == "Где мой заказ 4711?"
    client = await house.row(models.client, id=row["client_id"])
    assert client["name"] == "Иван Петров"
    promise = await house.row(models.obligation, started_by=row["id"])
    assert promise["state"] == "running"
    assert await house.search("заказ 4711") == [row["id"]]
    raw = await house.row(models.raw)
    assert raw["media_type"] == "message/rfc822"


async def test_an_answer_goes_out_threaded_is_kept_in_sent_and_meets_the_promise(office: Office) -> None:
    asked = await office.ask(message_id="<order.1@client.example>")
    await office.answer(asked["conversation_id"])
    mail = message_from_bytes(await office.sent(), policy=policy.default)
    assert mail["In-Reply-To"] == "<order.1@client.example>"
    assert "<order.1@client.example>" in mail["References"]
    assert mail["Subject"].lower().startswith("re: вопрос о заказе")
    assert office.smtp.received[0].recipients == (CLIENT,)
    copies = await office.box.wait_for(folder="Sent")
    assert message_from_bytes(copies[0], policy=policy.default)["Message-ID"] == mail["Message-ID"]
    house = office.house
    promise = await house.wait_for_row(models.obligation, started_by=asked["id"], state="met")
    answered = await house.row(models.interaction, direction="outbound")
    assert (promise["met_by"], answered["external_id"]) == (answered["id"], mail["Message-ID"].strip())
    talk = await house.row(models.conversation, id=asked["conversation_id"])
    assert (talk["state"], talk["waiting_since"]) == ("waiting_client", None)


async def test_our_copy_in_sent_is_not_taken_for_another_answer(office: Office) -> None:
    asked = await office.ask()
    await office.answer(asked["conversation_id"])
    await office.box.wait_for(folder="Sent")
    await asyncio.sleep(1.5)
    assert len(await office.house.rows(models.interaction, direction="outbound")) == 1


async def test_what_the_client_answers_joins_the_conversation_and_starts_a_new_clock(office: Office) -> None:
    asked = await office.ask()
    await office.answer(asked["conversation_id"])
    office.box.deliver(answer_to(await office.sent(), "Спасибо, а когда?"))
    again = (await office.wait_for_inbound(2))[-1]
    assert again["conversation_id"] == asked["conversation_id"]
    assert again["client_id"] == asked["client_id"]
    promise = await office.house.row(models.obligation, started_by=again["id"])
    assert promise["state"] == "running"
    talk = await office.house.row(models.conversation, id=asked["conversation_id"])
    assert (talk["state"], talk["waiting_id"]) == ("open", again["id"])


async def test_an_answering_machine_is_logged_and_changes_nothing(office: Office) -> None:
    asked = await office.ask()
    await office.answer(asked["conversation_id"])
    office.box.deliver(vacation(await office.sent()))
    machine = (await office.wait_for_inbound(2))[-1]
    assert machine["automatic"] == "auto_reply"
    assert machine["conversation_id"] == asked["conversation_id"]
    talk = await office.house.row(models.conversation, id=asked["conversation_id"])
    assert (talk["state"], talk["waiting_since"]) == ("waiting_client", None)
    promise = await office.house.row(models.obligation)
    assert promise["state"] == "met"


async def test_a_bounce_fails_the_delivery_and_opens_what_it_had_answered(office: Office) -> None:
    asked = await office.ask()
    number = await office.answer(asked["conversation_id"])
    await office.house.wait_for_row(models.obligation, state="met")
    office.box.deliver(bounce(await office.sent()))
    failed = await office.house.wait_for_row(models.delivery, id=number, state="failed")
    assert "no such user" in failed["reason"]
    promise = await office.house.wait_for_row(models.obligation, state="running")
    assert (promise["started_by"], promise["met_by"]) == (asked["id"], None)
    talk = await office.house.row(models.conversation, id=asked["conversation_id"])
    assert (talk["state"], talk["waiting_id"]) == ("open", asked["id"])
    assert (await office.wait_for_inbound(2))[-1]["automatic"] == "bounce"
    task = (await office.house.rows(models.task))[-1]
    assert task["state"] == "open"
    spoilt = await office.house.row(models.identity, value=CLIENT)
    assert spoilt["bounced_at"] is not None


async def test_an_answer_from_an_ordinary_mail_program_counts(office: Office) -> None:
    asked = await office.ask(message_id="<order.2@client.example>")
    written = letter(
        "Отвечаю из Outlook.",
        sender=office.box.address,
        to=CLIENT,
        subject="Re: Вопрос о заказе",
        message_id="<outlook.1@office.example>",
        In_Reply_To="<order.2@client.example>",
        References="<order.2@client.example>",
    )
    office.box.deliver(written, "Sent")
    found = await office.house.wait_for_row(models.interaction, direction="outbound")
    assert (found["conversation_id"], found["client_id"]) == (asked["conversation_id"], asked["client_id"])
    promise = await office.house.row(models.obligation, started_by=asked["id"])
    assert (promise["state"], promise["met_by"]) == ("met", found["id"])


async def test_a_newsletter_starts_no_clock(office: Office) -> None:
    row = await office.ask("Скидки!", List_Id="<news.shop.example>", Precedence="bulk")
    assert row["automatic"] == "bulk"
    assert await office.house.rows(models.obligation) == []


async def test_one_mail_in_two_of_our_mailboxes_is_one_interaction(
    tmp_path: Path, database_url: str, dovecot: Dovecot, smtp: SmtpServer
) -> None:
    one, two = dovecot.fresh_box(), dovecot.fresh_box()
    second = mail_line("sales-mail", two, dovecot.imap_port, smtp.port)
    async with open_office(tmp_path, database_url, dovecot, one, smtp, second) as office:
        await office.house.line_runs("sales-mail")
        raw = letter("Всем сразу", to=f"{one.address}, {two.address}")
        one.deliver(raw)
        two.deliver(raw)

        async def both() -> bool:
            return len(await office.house.rows(models.touch)) == 2

        await office.house.wait_until("two touches", both)
        row = await office.house.row(models.interaction)
        lines = {each["line"] for each in await office.house.rows(models.touch, interaction_id=row["id"])}
        assert lines == {"support-mail", "sales-mail"}
        assert len(await office.house.rows(models.obligation)) == 1


async def test_a_refused_recipient_is_told_and_the_promise_stays_open(office: Office) -> None:
    asked = await office.ask()
    office.smtp.refuse(CLIENT, "550 5.1.1 no such user")
    setup = office.house.hub.setup.current
    number = await office.house.store.write(
        lambda unit: reply(unit, setup, asked["conversation_id"], ANNA, Letter("Ответ"))
    )
    failed = await office.house.wait_for_row(models.delivery, id=number, state="failed")
    assert "no such user" in failed["reason"]
    promise = await office.house.row(models.obligation, started_by=asked["id"])
    assert promise["state"] == "running"
    talk = await office.house.row(models.conversation, id=asked["conversation_id"])
    assert talk["state"] == "open"
