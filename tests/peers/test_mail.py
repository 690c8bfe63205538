"""The mail peers are what they say they are."""

import asyncio
import imaplib
import smtplib
import ssl

import aiosmtplib
import pytest

from tests.peers.dovecot import Dovecot
from tests.peers.mailbox import Mailbox
from tests.peers.postfix import OUTSIDE, Postfix
from tests.peers.smtp import SmtpServer

MAIL = b"From: a@client.example\r\nSubject: Hello\r\n\r\nHello\r\n"


def sign_in(dovecot: Dovecot, box: Mailbox) -> imaplib.IMAP4:
    wire = imaplib.IMAP4("127.0.0.1", dovecot.imap_port, timeout=30)
    wire.login(box.user, box.password)
    return wire


def test_dovecot_pushes_a_new_mail_to_idle(dovecot: Dovecot, box: Mailbox) -> None:
    with sign_in(dovecot, box) as wire:
        assert wire.select()[1] == [b"0"]
        wire.send(b"i IDLE\r\n")
        assert wire.readline().startswith(b"+")
        box.deliver(MAIL)
        assert wire.readline().strip() == b"* 1 EXISTS"
        wire.send(b"DONE\r\n")
        while not wire.readline().startswith(b"i OK"):
            pass


def test_a_box_has_its_folders(dovecot: Dovecot, box: Mailbox) -> None:
    with sign_in(dovecot, box) as wire:
        listed = b"".join(wire.list()[1])
        assert b"\\Sent" in listed and b"\\Archive" in listed
        wire.append("Sent", "", "", MAIL)
    assert [mail.count(b"Hello") for mail in box.mails("Sent")] == [2]


def test_dovecot_speaks_tls(dovecot: Dovecot, box: Mailbox) -> None:
    trusting = ssl.create_default_context(cafile=str(dovecot.certificate.chain))
    with imaplib.IMAP4_SSL("127.0.0.1", dovecot.imaps_port, ssl_context=trusting, timeout=30) as wire:
        wire.login(box.address, box.password)
    with pytest.raises(ssl.SSLCertVerificationError):
        imaplib.IMAP4_SSL("127.0.0.1", dovecot.imaps_port, ssl_context=ssl.create_default_context(), timeout=30)


def test_dovecot_refuses_a_wrong_password(dovecot: Dovecot, box: Mailbox) -> None:
    with (
        imaplib.IMAP4("127.0.0.1", dovecot.imap_port, timeout=30) as wire,
        pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"),
    ):
        wire.login(box.user, "wrong")


def test_dovecot_breaks_on_request_and_comes_back(own_dovecot: Dovecot) -> None:
    box = own_dovecot.fresh_box()
    box.deliver(MAIL)
    own_dovecot.freeze()
    with pytest.raises(TimeoutError):
        imaplib.IMAP4("127.0.0.1", own_dovecot.imap_port, timeout=0.3)
    own_dovecot.thaw()
    sign_in(own_dovecot, box).logout()
    own_dovecot.kill()
    with pytest.raises(ConnectionRefusedError):
        imaplib.IMAP4("127.0.0.1", own_dovecot.imap_port, timeout=1)
    own_dovecot.start()
    with sign_in(own_dovecot, box) as wire:
        assert wire.select()[1] == [b"1"]


async def send(smtp: SmtpServer, *recipients: str) -> dict[str, aiosmtplib.SMTPResponse]:
    client = aiosmtplib.SMTP(hostname="127.0.0.1", port=smtp.port, start_tls=False, timeout=30)
    async with client:
        refused, _ = await client.sendmail("support@office.example", list(recipients), MAIL)
    return refused


async def test_smtp_refuses_by_the_script(smtp: SmtpServer) -> None:
    smtp.refuse("busy@client.example", "451 4.7.1 later", times=1)
    smtp.refuse("gone@client.example", "550 5.1.1 no such person")
    with pytest.raises(aiosmtplib.SMTPRecipientsRefused) as caught:
        await send(smtp, "busy@client.example")
    assert caught.value.recipients[0].code == 451
    refused = await send(smtp, "busy@client.example", "gone@client.example")
    assert list(refused) == ["gone@client.example"]
    (mail,) = await smtp.wait_for(1)
    assert mail.recipients == ("busy@client.example",) and mail.raw == MAIL
    smtp.refuse_data("452 4.3.1 full")
    with pytest.raises(aiosmtplib.SMTPDataError):
        await send(smtp, "fine@client.example")
    assert smtp.attempts == 2 and len(smtp.received) == 1


async def test_smtp_signs_in_over_both_kinds_of_tls(smtp: SmtpServer) -> None:
    smtp.require_sign_in()
    with pytest.raises(aiosmtplib.SMTPSenderRefused):
        await send(smtp, "fine@client.example")
    trusting = ssl.create_default_context(cafile=str(smtp.certificate.chain))
    for port, tls in ((smtp.port, False), (smtp.tls_port, True)):
        client = aiosmtplib.SMTP(
            hostname="127.0.0.1", port=port, use_tls=tls, start_tls=not tls, tls_context=trusting, timeout=5
        )
        async with client:
            await client.login("support", "secret")
            await client.sendmail("support@office.example", ["fine@client.example"], MAIL)
    assert [(mail.user, mail.encrypted) for mail in smtp.received] == [("support", True)] * 2
    smtp.refuse_sign_in()
    client = aiosmtplib.SMTP(hostname="127.0.0.1", port=smtp.port, start_tls=False, timeout=30)
    async with client:
        with pytest.raises(aiosmtplib.SMTPAuthenticationError):
            await client.login("support", "secret")


async def test_smtp_takes_the_mail_and_vanishes(smtp: SmtpServer) -> None:
    smtp.vanish_after_data()
    with pytest.raises(aiosmtplib.SMTPServerDisconnected):
        await send(smtp, "fine@client.example")
    assert len(smtp.received) == 1
    smtp.stop()
    with pytest.raises(aiosmtplib.SMTPConnectError):
        await send(smtp, "fine@client.example")
    smtp.start()
    await send(smtp, "fine@client.example")


async def test_a_mail_crosses_postfix_and_lands_in_dovecot(postfix: Postfix, box: Mailbox) -> None:
    def send_in() -> None:
        with smtplib.SMTP("127.0.0.1", postfix.port, timeout=30) as wire:
            wire.sendmail(f"anna@{OUTSIDE}", [box.address.replace("@", "+42@")], MAIL)

    await asyncio.to_thread(send_in)
    (mail,) = await box.wait_for(1)
    assert b"Delivered-To: " + box.user.encode() + b"+42@" in mail and b"(Postfix)" in mail


async def test_postfix_relays_for_who_signs_in_and_bounces_the_rest(postfix: Postfix, box: Mailbox) -> None:
    def send_out() -> None:
        trusting = ssl.create_default_context(cafile=str(postfix.certificate.chain))
        with smtplib.SMTP("127.0.0.1", postfix.port, timeout=30) as wire:
            with pytest.raises(smtplib.SMTPRecipientsRefused):
                wire.sendmail(box.address, [f"client@{OUTSIDE}"], MAIL)
            wire.starttls(context=trusting)
            wire.login(box.user, box.password)
            wire.sendmail(box.address, [f"nobody-here@{OUTSIDE}"], MAIL)

    await asyncio.to_thread(send_out)
    (report,) = await box.wait_for(1)
    assert b"report-type=delivery-status" in report and b"Status: 5.1.1" in report
