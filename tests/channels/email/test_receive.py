"""Receiving from a real Dovecot: push, batches, crashes, broken and frozen servers, moved and renumbered mail."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from channels.contract import LineState
from channels.email import create, parse_again
from channels.email.imap import open_session
from channels.errors import BadSettings, ChannelError, Unreachable
from channels.touch import Automatic, Direction, Identity, Message, Touch
from tests.channels.door import Crash, until
from tests.channels.email.rig import EmailRig, mail
from tests.channels.kit import listening
from tests.peers.certificates import Certificate
from tests.peers.dovecot import Dovecot
from tests.peers.mailbox import Mailbox
from tests.peers.smtp import SmtpServer


@pytest.fixture
def rig(dovecot: Dovecot, box: Mailbox, smtp: SmtpServer) -> EmailRig:
    return EmailRig(dovecot, box, smtp)


async def test_a_mail_is_pushed(rig: EmailRig) -> None:
    rig.own = {"imap": {"poll_s": 3600, "idle_s": 300}}  # longer than anybody waits here
    async with listening(rig.channel()):
        await rig.door.wait_for_health()
        await asyncio.sleep(0.3)
        await rig.incoming("Пуш")
        await rig.door.wait_for()


async def test_polling_without_idle(rig: EmailRig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("channels.email.imap.Session.can_idle", False)
    rig.own = {"imap": {"poll_s": 0.2}}
    async with listening(rig.channel()):
        await rig.door.wait_for_health()
        await rig.incoming("Опрос")
        await rig.door.wait_for()


async def test_two_thousand_mails_at_once(rig: EmailRig) -> None:
    for number in range(2000):
        rig.box.deliver(mail(f"Письмо {number}", to=rig.box.address))
    began = time.monotonic()
    async with listening(rig.channel()):
        await rig.door.wait_for(2000)
        took = time.monotonic() - began
    assert {touch.text for touch in rig.door.touches} == {f"Письмо {number}" for number in range(2000)}
    assert rig.door.most_at_once > 16
    print(f"{2000 / took:.0f} mails/s")


async def test_a_crash_in_the_middle_loses_nothing(rig: EmailRig) -> None:
    for number in range(300):
        rig.box.deliver(mail(f"Письмо {number}", to=rig.box.address))

    def die(_: Touch) -> None:
        if len(rig.door.touches) >= 150:
            raise Crash("in the middle")

    rig.door.before_deliver = die
    async with listening(rig.channel()) as task:
        with pytest.raises(Crash):
            await asyncio.wait_for(asyncio.shield(task), 60)
    rig.door.before_deliver = None
    async with listening(rig.channel()):
        await until(lambda: len(rig.door.logged) >= 300, 20, lambda: f"{len(rig.door.logged)} logged")
    assert len(rig.door.logged) == 300


async def test_a_broken_connection_is_noticed_at_once(own_dovecot: Dovecot, smtp: SmtpServer) -> None:
    rig = EmailRig(own_dovecot, own_dovecot.fresh_box(), smtp)
    async with listening(rig.channel()) as task:
        await rig.door.wait_for_health()
        own_dovecot.kill()
        with pytest.raises(Unreachable):
            await asyncio.wait_for(asyncio.shield(task), 60)
    own_dovecot.start()
    async with listening(rig.channel()):
        await rig.incoming("Снова тут")
        await rig.door.wait_for()


async def test_a_frozen_server_is_noticed(own_dovecot: Dovecot, smtp: SmtpServer) -> None:
    rig = EmailRig(own_dovecot, own_dovecot.fresh_box(), smtp, imap={"idle_s": 0.5, "timeout_s": 1})
    async with listening(rig.channel()) as task:
        await rig.door.wait_for_health()
        own_dovecot.freeze()
        try:
            with pytest.raises(Unreachable, match="silent"):
                await asyncio.wait_for(asyncio.shield(task), 60)
            assert (await rig.channel().check()).state is LineState.WILL_RETRY
        finally:
            own_dovecot.thaw()


async def test_a_mailbox_made_anew_brings_the_same_event_keys(rig: EmailRig) -> None:
    async with listening(rig.channel()):
        await rig.incoming("Первое")
        await rig.incoming("Второе")
        await rig.door.wait_for(2)
    for index in rig.box.maildir.glob("dovecot*"):
        if index.is_file():
            index.unlink()
    _renumber(rig.box.maildir)
    async with listening(rig.channel()):
        await rig.door.wait_for(4)
    assert len(rig.door.logged) == 2


def _renumber(maildir: Path) -> None:
    """What a restore from a backup does: UIDVALIDITY changes."""
    time.sleep(1.1)
    for file in maildir.glob("dovecot-uid*"):
        file.unlink()


async def test_done_mail_is_moved_after_it_is_committed(rig: EmailRig) -> None:
    rig.own = {"imap": {"move_to": "Готово & убрано"}}
    async with listening(rig.channel()):
        await rig.incoming("Убери")
        await rig.door.wait_for()
        await until(lambda: rig.box.mails() == [], 5, lambda: "still in INBOX")
    session = await open_session(rig.settings().imap, 1_000_000)
    await session.select("Готово & убрано")
    assert len(await session.uids_after(0, None)) == 1
    await session.close()


async def test_answers_from_an_ordinary_mail_program_are_found_in_sent(rig: EmailRig) -> None:
    channel = rig.channel()
    async with listening(channel):
        await rig.door.wait_for_health()
        written = mail(
            "Ответ из Outlook", sender=rig.box.address, to="ivan@client.example", in_reply_to="<q@client.example>"
        )
        rig.box.deliver(written, "Sent")
        touch = (await rig.door.wait_for())[0]
        assert touch.direction is Direction.OUTBOUND and touch.automatic is None
        assert touch.party[0].value == "ivan@client.example" and touch.operator == rig.box.address
        assert touch.thread is not None and touch.thread.answers == ("<q@client.example>",)
        await channel.send(rig.message("Наше", "ref-sent"))
        await rig.box.wait_for(2, "Sent")
        await asyncio.sleep(0.5)
    assert len(rig.door.touches) == 1
    again = parse_again("support-mail", rig.settings(), written, "message/rfc822; box=sent", touch.at, rig.door.door())
    assert again is not None and again.event_key == touch.event_key and again.direction is Direction.OUTBOUND


async def test_a_huge_mail_blocks_nobody(rig: EmailRig) -> None:
    rig.own = {"max_message_bytes": 100_000}
    await rig.incoming("До")
    rig.box.deliver(mail("Огромное\n" + "длинная строка\n" * 20_000, to=rig.box.address, subject="Большое"))
    await rig.incoming("После")
    async with listening(rig.channel()):
        touches = await rig.door.wait_for(3)
    huge = next(touch for touch in touches if touch.subject == "Большое")
    assert "the whole is still in the mailbox" in huge.remarks[-1]
    assert huge.raw is not None and len(huge.raw.data) == 100_000 and "total=" in huge.raw.media_type
    again = parse_again("support-mail", rig.settings(), huge.raw.data, huge.raw.media_type, huge.at, rig.door.door())
    assert again == huge


async def test_a_missing_folder_needs_a_person_who_is_told_which_there_are(rig: EmailRig) -> None:
    rig.own = {"imap": {"folder": "Nowhere"}}
    health = await rig.channel().check()
    assert health.state is LineState.NEEDS_PERSON
    assert "Nowhere" in health.reason and "INBOX" in health.remedy
    with pytest.raises(BadSettings):
        await asyncio.wait_for(rig.channel().listen(), 60)


async def test_a_missing_sent_folder_is_made(rig: EmailRig) -> None:
    rig.own = {"imap": {"sent": "Отправленные из хаба"}}
    channel = rig.channel()
    await channel.send(rig.message("Копия", "ref-copy"))
    await channel.close()
    session = await open_session(rig.settings().imap, 1_000_000)
    await session.select("Отправленные из хаба")
    assert len(await session.uids_after(0, None)) == 1
    await session.close()


@pytest.mark.parametrize("tls", [True, "starttls"])
async def test_tls(rig: EmailRig, certificate: Certificate, tls: bool | str) -> None:
    port = rig.dovecot.imaps_port if tls is True else rig.dovecot.imap_port
    smtp_port = rig.smtp.tls_port if tls is True else rig.smtp.port
    rig.own = {
        "imap": {"tls": tls, "port": port, "ca": certificate.chain},
        "smtp": {"tls": tls, "port": smtp_port, "ca": certificate.chain, "user": "support", "password": "secret"},
    }
    assert (await rig.channel().check()).state is LineState.RUNNING
    rig.own["imap"].pop("ca")
    health = await rig.channel().check()
    assert health.state is LineState.NEEDS_PERSON and "not trusted" in health.reason


async def test_one_broken_mailbox_does_not_stop_the_other(dovecot: Dovecot, smtp: SmtpServer) -> None:
    good, bad = (EmailRig(dovecot, dovecot.fresh_box(), smtp) for _ in range(2))
    async with listening(good.channel()):
        with pytest.raises(ChannelError):
            await asyncio.wait_for(bad.channel(wrong_credentials=True).listen(), 60)
        await good.incoming("Работает")
        await good.door.wait_for()


async def test_our_own_answer_that_comes_back_is_no_client(rig: EmailRig) -> None:
    channel = rig.channel()
    await channel.send(Message("r", (Identity("email", "x@client.example"),), "t", rig.message("", "r").at))
    rig.box.deliver((await rig.smtp.wait_for())[-1].raw)
    async with listening(channel):
        touch = (await rig.door.wait_for())[0]
    assert touch.automatic is Automatic.OWN


async def test_the_sample_line_loads() -> None:
    import tomllib

    from channels.email import Settings
    from tests.channels.door import FakeDoor

    sample = tomllib.loads(
        """
        address = "support@example.org"
        imap = { host = "127.0.0.1", port = 1143, user = "support", password = "secret", tls = false }
        smtp = { host = "127.0.0.1", port = 1025, tls = false }
        """
    )
    settings = Settings.model_validate(sample)
    assert settings.imap.folder == "INBOX" and "secret" not in repr(settings)
    create("support-mail", settings, FakeDoor().door())
    with pytest.raises(ValueError, match="adress"):
        Settings.model_validate(sample | {"adress": "x"})
