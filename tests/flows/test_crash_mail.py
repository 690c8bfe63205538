"""SIGKILL around sending and receiving mail: at least once with one Message-ID, never blindly twice; never lost."""

from __future__ import annotations

import signal
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select

from channels.touch import Identity
from hub import clock
from hub.outbound import Outgoing, write_down
from hub.setup.snapshot import load_setup
from storage import models
from storage.store import Store
from storage.unit import Unit
from tests.flows.house import OFFICE, bring, settings_at, support_line
from tests.flows.letters import CLIENT, letter
from tests.flows.processes import run_child
from tests.peers.dovecot import Dovecot
from tests.peers.mailbox import Mailbox
from tests.peers.smtp import SmtpServer

Row = dict[str, Any]


class Shop:
    """A home with one mailbox line; whoever works in it is another process."""

    def __init__(self, home: Path, url: str, dovecot: Dovecot, box: Mailbox, smtp: SmtpServer) -> None:
        self.home, self.url, self.box, self.smtp = home, url, box, smtp
        self._settings = settings_at(home, url)
        self._processes = 0
        bring(self._settings, OFFICE + support_line(dovecot, box, smtp.port))

    def store(self) -> Store:
        return Store.open(self.url, self._settings.files, clock.now)

    def rows(self, table: Any) -> list[Row]:
        store = self.store()
        try:
            return store.read_now(lambda connection: _rows(connection, table))
        finally:
            store.engines.dispose()

    def write(self) -> None:
        """A message to a client, written down with its delivery and its job."""
        store = self.store()
        try:
            store.write_now(_write)
        finally:
            store.engines.dispose()

    def work(self, point: str = "") -> int:
        """Do the jobs that are due in a process that dies at a point; its exit status."""
        done = run_child("send", self.home, self.url, point, str(self._processes))
        self._processes += 1
        assert done.returncode in {0, -signal.SIGKILL}, done.stderr[-3000:]
        return done.returncode

    @property
    def delivery(self) -> Row:
        (only,) = self.rows(models.delivery)
        return only

    @property
    def message_ids(self) -> list[str]:
        """Of what the server has taken."""
        return [message_id(one.raw) for one in self.smtp.received]


def message_id(raw: bytes) -> str:
    return str(message_from_bytes(raw, policy=policy.default)["Message-ID"]).strip()


def _rows(connection: Connection, table: Any) -> list[Row]:
    return [dict(row) for row in connection.execute(select(table)).mappings()]


def _write(unit: Unit) -> None:
    setup = load_setup(unit.connection)
    client, talk = unit.take_ids(models.client, 1)[0], unit.take_ids(models.conversation, 1)[0]
    unit.connection.execute(models.client.insert().values(id=client, name="Иван", created_at=unit.now, kind="person"))
    row = {"id": talk, "client_id": client, "state": "waiting_client", "channels": ["email"], "opened_at": unit.now}
    unit.connection.execute(models.conversation.insert().values(**row, last_at=unit.now))
    to = (Identity("email", CLIENT),)
    write_down(unit, setup, Outgoing("support-mail", client, talk, to, "Ваш заказ едет.", "anna", subject="Заказ"))


@pytest.fixture
def shop(tmp_path: Path, database_url: str, dovecot: Dovecot, box: Mailbox, smtp: SmtpServer) -> Shop:
    return Shop(tmp_path, database_url, dovecot, box, smtp)


def test_killed_before_the_server_was_asked_it_goes_out_once(shop: Shop) -> None:
    shop.write()
    assert shop.work("before") == -signal.SIGKILL
    assert (shop.message_ids, shop.delivery["state"]) == ([], "pending")
    assert shop.work() == 0  # after four minutes: too early for a greylist
    assert shop.work() == 0
    assert shop.message_ids == [shop.delivery["external_id"]]
    assert shop.delivery["reference"] in shop.message_ids[0]
    assert shop.delivery["state"] == "sent"
    assert shop.rows(models.job) == []


def test_killed_after_it_was_sent_it_is_not_sent_again(shop: Shop) -> None:
    shop.write()
    assert shop.work("after") == -signal.SIGKILL
    assert shop.delivery["state"] == "pending"
    assert shop.work() == 0
    assert shop.message_ids == [shop.delivery["external_id"]]
    assert shop.delivery["state"] == "sent"


def test_killed_when_nobody_can_know_it_is_shown_as_unknown_and_not_sent_blindly(shop: Shop) -> None:
    shop.write()
    assert shop.work("taken") == -signal.SIGKILL
    assert len(shop.message_ids) == 1
    assert shop.work() == 0
    assert len(shop.message_ids) == 1
    unknown = shop.delivery
    assert unknown["state"] == "unknown"
    assert "cannot tell" in unknown["reason"]
    assert shop.rows(models.job) == []


def test_killed_after_the_server_took_it_but_sent_is_asked_and_knows(shop: Shop) -> None:
    shop.write()
    assert shop.work("taken") == -signal.SIGKILL
    shop.box.deliver(shop.smtp.received[0].raw, "Sent")  # as servers do that keep what goes out themselves
    assert shop.work() == 0
    assert shop.message_ids == [shop.delivery["external_id"]]
    assert shop.delivery["state"] == "sent"


def test_killed_while_handing_over_nothing_is_sent_blindly(shop: Shop) -> None:
    shop.write()
    assert shop.work("during") == -signal.SIGKILL
    assert shop.work() == 0
    assert shop.message_ids == []
    assert shop.delivery["state"] == "unknown"


def test_when_the_server_vanished_after_the_text_sent_is_asked_before_anything_else(shop: Shop) -> None:
    shop.write()
    shop.smtp.vanish_after_data()
    assert shop.work() == 0
    assert (len(shop.message_ids), shop.delivery["state"]) == (1, "pending")
    shop.box.deliver(shop.smtp.received[0].raw, "Sent")
    assert shop.work() == 0
    assert shop.message_ids == [shop.delivery["external_id"]]


def test_refused_for_now_it_goes_out_later_under_the_same_message_id(shop: Shop) -> None:
    shop.write()
    shop.smtp.refuse(CLIENT, "451 4.7.1 greylisted", times=1)
    assert shop.work() == 0
    assert (shop.message_ids, shop.delivery["state"]) == ([], "pending")
    assert shop.work() == 0  # after four minutes: too early for a greylist
    assert shop.work() == 0
    assert shop.message_ids == [shop.delivery["external_id"]]


def test_killed_between_the_log_and_the_uid_a_mail_is_not_in_the_log_twice(shop: Shop) -> None:
    for number in range(3):
        shop.box.deliver(letter(f"вопрос {number}", to=shop.box.address))
    died = run_child("listen", shop.home, shop.url, "keep")
    assert died.returncode == -signal.SIGKILL, died.stderr[-3000:]
    assert len(shop.rows(models.touch)) == 3
    assert [row for row in shop.rows(models.bookmark) if "inbox" in row["key"]] == []
    shop.box.deliver(letter("вопрос 3", to=shop.box.address))
    died = run_child("listen", shop.home, shop.url, "keep")
    assert died.returncode == -signal.SIGKILL, died.stderr[-3000:]
    touches = shop.rows(models.touch)
    assert len(touches) == len({row["event_key"] for row in touches}) == 4
    assert len(shop.rows(models.interaction)) == 4
    assert len(shop.rows(models.obligation)) == 4
