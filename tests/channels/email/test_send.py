"""Sending through a real SMTP server: what goes over the wire, and what each of its answers means."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest

from channels.email.parse import Where, parse
from channels.errors import BadSettings, Rejected, Throttled, Uncertain, Unreachable
from channels.touch import Attachment, Identity, Message
from tests.channels.door import sign
from tests.channels.email.rig import CLIENT, EmailRig
from tests.peers.dovecot import Dovecot
from tests.peers.mailbox import Mailbox
from tests.peers.postfix import Postfix
from tests.peers.smtp import SmtpServer

AT = datetime(2026, 11, 21, 9, tzinfo=UTC)
TO = (Identity("email", CLIENT, "Иван Клиент"),)


@pytest.fixture
def rig(dovecot: Dovecot, box: Mailbox, smtp: SmtpServer) -> EmailRig:
    return EmailRig(dovecot, box, smtp)


def message(**own: Any) -> Message:
    made: dict[str, Any] = {"reference": "d41", "to": TO, "text": "Добрый день!", "at": AT, "conversation": 123}
    return Message(**(made | own))


def sent_mail(rig: EmailRig) -> EmailMessage:
    mail = message_from_bytes(rig.smtp.received[-1].raw, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    return mail


async def test_a_mailing_tells_mail_programs_how_to_stop_them(rig: EmailRig) -> None:
    """RFC 2369, RFC 8058: one address within angle brackets, on the wire as it is, however long."""
    address = "https://desk.office.example/unsubscribe/" + "a" * 90 + "/" + "b" * 20
    await rig.channel().send(message(unsubscribe=address))
    raw = rig.smtp.received[-1].raw
    (line,) = re.findall(rb"^List-Unsubscribe:\s*(\S+)\r\n", raw, re.MULTILINE)
    assert line == f"<{address}>".encode()
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in raw
    with pytest.raises(Rejected):
        await rig.channel().send(message(unsubscribe="https://desk.example/\r\nBcc: all@example.org"))


async def test_an_answer_is_threaded_and_whole(rig: EmailRig) -> None:
    sent = await rig.channel().send(
        message(
            subject="Договор № 5",
            html="<p>Добрый день!</p>",
            cc=(Identity("email", "cc@client.example"),),
            answers=("<a@client.example>", "<b@client.example>"),
            sender_name="Анна Соколова",
            attachments=(
                Attachment("счёт за очень длинный период с января по декабрь.pdf", "application/pdf", b"%PDF"),
            ),
        )
    )
    mail = sent_mail(rig)
    assert mail["Subject"] == "Re: Договор № 5"
    assert mail["From"].addresses[0].display_name == "Анна Соколова"
    assert mail["In-Reply-To"] == "<b@client.example>"
    assert mail["References"] == "<a@client.example> <b@client.example>"
    assert mail["Message-ID"] == sent.external_id
    assert re.fullmatch(r"<c123\.d41\.[0-9a-f]{20}@office\.example>", sent.external_id)
    assert mail["Auto-Submitted"] is None
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None and plain.get_content().strip() == "Добрый день!"
    assert html is not None and html.get_content().strip() == "<p>Добрый день!</p>"
    (file,) = mail.iter_attachments()
    assert file.get_filename() == "счёт за очень длинный период с января по декабрь.pdf"
    assert rig.smtp.received[-1].recipients == (CLIENT, "cc@client.example")
    assert all(len(line) <= 998 for line in rig.smtp.received[-1].raw.split(b"\r\n"))


async def test_the_clients_answer_finds_its_conversation(rig: EmailRig) -> None:
    rig.own = {"plus_address": True}
    sent = await rig.channel().send(message(subject="x"))
    reply_to = str(sent_mail(rig)["Reply-To"])
    where = Where("support-mail", frozenset({rig.box.address}), sign)
    for headers in (f"To: {reply_to.lower()}", f"To: {rig.box.address}\r\nIn-Reply-To: {sent.external_id}"):
        touch = parse(f"From: a@b.example\r\n{headers}\r\n\r\nok".encode(), where, AT).touch
        assert touch is not None and touch.thread is not None and touch.thread.conversation == 123


async def test_automatic_mail_says_so_and_wants_no_bounce(rig: EmailRig) -> None:
    await rig.channel().send(message(automatic=True, answers=("<a@b.example>",), subject="Ваше письмо получено"))
    assert sent_mail(rig)["Auto-Submitted"] == "auto-replied"
    assert rig.smtp.received[-1].sender == "<>"
    rig.smtp.refuse_sender("<>", "550 5.7.1 no null senders here")
    await rig.channel().send(message(automatic=True, reference="d42"))
    assert rig.smtp.received[-1].sender == rig.box.address


@pytest.mark.parametrize(
    "own",
    [
        {"subject": "x\r\nBcc: all@example.org"},
        {"sender_name": "x\nBcc: all@example.org"},
        {"to": (Identity("email", "a@b.example\r\nRCPT TO:<c@d.example>"),)},
        {"to": (Identity("email", "a@b.example", "x\r\ny"),)},
        {"to": ()},
        {"to": (Identity("phone", "+79161234567"),)},
        {"reference": "x\ry"},
        {"answers": ("<a@b>\r\nX: y",)},
        {"attachments": (Attachment("a\r\nb", "text/plain", b""),)},
    ],
)
async def test_nothing_is_smuggled_into_headers(rig: EmailRig, own: dict[str, Any]) -> None:
    with pytest.raises(Rejected):
        await rig.channel().send(message(**own))
    assert rig.smtp.received == []


async def test_some_recipients_refused(rig: EmailRig) -> None:
    rig.smtp.refuse("gone@client.example", "550 5.1.1 no such user")
    to = (*TO, Identity("email", "gone@client.example"))
    channel = rig.channel()
    sent = await channel.send(message(to=to))
    assert sent.refused == {"gone@client.example": "550 5.1.1 no such user"}
    assert await channel.was_sent(message(to=to)) == sent
    await channel.close()
    assert rig.smtp.received[-1].recipients == (CLIENT,)


async def test_what_the_answers_mean(rig: EmailRig) -> None:
    channel = rig.channel()
    rig.smtp.refuse(CLIENT, "450 4.2.0 greylisted", times=1)
    with pytest.raises(Throttled):
        await channel.send(message())
    rig.smtp.refuse_data("554 5.7.1 spam", "451 4.3.0 later")
    with pytest.raises(Rejected, match="spam"):
        await channel.send(message())
    with pytest.raises(Throttled, match="later"):
        await channel.send(message())
    assert await channel.was_sent(message()) is False
    rig.smtp.require_sign_in()
    with pytest.raises(BadSettings):
        await channel.send(message())
    rig.smtp.reset()
    rig.smtp.refuse_sign_in()
    rig.own = {"smtp": {"user": "support", "password": "wrong"}}
    with pytest.raises(BadSettings, match="does not let"):
        await rig.channel().send(message())
    rig.smtp.stop()
    with pytest.raises(Unreachable):
        await channel.send(message())
    rig.smtp.start()
    await channel.close()


async def test_a_break_after_the_text_leaves_it_open(rig: EmailRig) -> None:
    channel = rig.channel()
    rig.smtp.vanish_after_data()
    with pytest.raises(Uncertain):
        await channel.send(message())
    assert await channel.was_sent(message()) is None
    rig.box.deliver(rig.smtp.received[-1].raw, "Sent")
    found = await channel.was_sent(message())
    assert found and found.external_id == message_from_bytes(rig.smtp.received[-1].raw)["Message-ID"]
    await channel.close()


async def test_the_copy_in_sent_is_one_and_never_in_the_way(rig: EmailRig) -> None:
    channel = rig.channel()
    await channel.send(message())
    await rig.box.wait_for(1, "Sent")
    await channel.send(message())
    await channel.close()
    assert len(rig.box.mails("Sent")) == 1
    rig.own = {"imap": {"password": "wrong"}}
    other = rig.channel()
    assert (await other.send(message(reference="d43"))).external_id
    await other.close()


async def test_letters_beyond_ascii_in_addresses(rig: EmailRig) -> None:
    to = (Identity("email", "иван@почта.example", "Иван"), Identity("email", "jan@żółw.example"))
    sent = await rig.channel().send(message(to=to))
    assert not sent.refused
    assert rig.smtp.received[-1].recipients == ("иван@xn--80a1acny.example", "jan@xn--w-uga1v8h.example")


async def test_through_a_real_postfix_and_back_as_a_bounce(dovecot: Dovecot, box: Mailbox, postfix: Postfix) -> None:
    smtp = {"port": postfix.port, "user": box.user, "password": box.password}
    rig = EmailRig(dovecot, box, None)
    rig.own = {"smtp": smtp}
    channel = rig.channel()
    listening = asyncio.create_task(channel.listen())
    try:
        sent = await channel.send(message(to=(Identity("email", "nobody-of-this-name@office.example"),)))
        (receipt,) = await rig.door.wait_for_receipts(1, 20)
        assert receipt.external_id == sent.external_id
        assert receipt.permanent and receipt.recipient == "nobody-of-this-name@office.example"
        (touch,) = await rig.door.wait_for()
        assert touch.automatic == "bounce" and touch.thread is not None and touch.thread.conversation == 123
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await channel.close()
