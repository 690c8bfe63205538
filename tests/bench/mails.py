"""Mails per second from a real IMAP server to the log, beside the bare work: stdlib MIME parse and the same rows."""

from __future__ import annotations

import email
import json
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from email import policy
from email.header import decode_header
from email.message import EmailMessage, Message
from email.utils import format_datetime, parseaddr
from pathlib import Path

from sqlalchemy import func, select

from hub import clock
from storage import models
from storage.store import Store
from tests.bench.leads import cpu_seconds, resident_mb
from tests.flows.house import OFFICE, support_line
from tests.flows.processes import HubProcess, touchline
from tests.peers.dovecot import Dovecot
from tests.peers.mailbox import Mailbox
from tests.peers.postgres import Postgres
from tests.peers.smtp import SmtpServer

MAILS = 2_000
PATIENCE_S = 300
AT_ONCE = 64
Say = Callable[[str], None]

_WORDS = {
    "utf-8": "Здравствуйте где мой заказ прошу уточнить сроки поставки счёт договор оплата менеджер ответьте",
    "windows-1251": "Добрый день интересует стоимость доставки в регион наличие на складе гарантия возврат",
    "koi8-r": "Уважаемые коллеги направляем акт сверки за прошлый месяц просим подписать и вернуть",
    "iso-8859-2": "Dzień dobry proszę o informację w sprawie zamówienia faktura płatność dostawa zwrot",
    "us-ascii": "Hello please let me know when my order will be shipped invoice payment delivery thank you",
}
_TABLES = """
CREATE TABLE touch (id INTEGER PRIMARY KEY, line TEXT, event_key TEXT, at TEXT, body TEXT, UNIQUE (line, event_key));
CREATE TABLE client (id INTEGER PRIMARY KEY, name TEXT, created_at TEXT);
CREATE TABLE identity (id INTEGER PRIMARY KEY, client_id INTEGER, scheme TEXT, value TEXT, UNIQUE (scheme, value));
CREATE TABLE interaction (id INTEGER PRIMARY KEY, client_id INTEGER, at TEXT, subject TEXT, text TEXT);
"""


def make_mails(count: int, to: str) -> list[bytes]:
    """Mails as they come in an office: five charsets, half with HTML, a third answers with history, some with files."""
    chance = random.Random(4711)
    began = datetime(2026, 11, 2, 6, tzinfo=UTC)
    return [_make_mail(chance, number, to, began + timedelta(seconds=40 * number)) for number in range(count)]


def _make_mail(chance: random.Random, number: int, to: str, at: datetime) -> bytes:
    charset = chance.choice(list(_WORDS))
    words = _WORDS[charset].split()
    body = "\r\n".join(" ".join(chance.choices(words, k=12)) + "." for _ in range(chance.randrange(3, 25)))
    made = EmailMessage(policy=policy.SMTP)
    made["From"] = f"{chance.choice(words)} {number % 700} <client{number % 700}@firm{number % 90}.example>"
    made["To"], made["Subject"] = to, " ".join(chance.choices(words, k=4)) + f" {number}"
    made["Date"], made["Message-ID"] = format_datetime(at), f"<{number}.bench@firm{number % 90}.example>"
    made["X-Mailer"], made["MIME-Version"] = "Bench 1.0", "1.0"
    if answers := chance.random() < 0.33:
        made["In-Reply-To"] = f"<{number}.unknown@office.example>"
        made["References"] = " ".join(f"<{number}.{each}@office.example>" for each in range(chance.randrange(1, 6)))
    history = "\r\n\r\n-----Original Message-----\r\n" + "> " + body.replace("\r\n", "\r\n> ") if answers else ""
    made.set_content(body + history, charset=charset)
    if chance.random() < 0.5:
        paragraphs = "".join(f"<p style='margin:0'>{line}</p>" for line in body.split("\r\n"))
        made.add_alternative(
            f"<html><body>{paragraphs}<br>-- <br>{words[0]}</body></html>", subtype="html", charset="utf-8"
        )
    if chance.random() < 0.08:
        made.add_attachment(
            chance.randbytes(20_000), maintype="application", subtype="pdf", filename=f"act-{number}.pdf"
        )
    return made.as_bytes()


def run(say: Say = lambda text: None) -> list[tuple[str, str]]:
    """Rows of (what was measured, its figure)."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="touchline-bench-")))
        dovecot, smtp = stack.enter_context(Dovecot()), stack.enter_context(SmtpServer())
        mails = make_mails(MAILS, "support@office.example")
        say(f"bare skeleton: {MAILS:,} mails")
        bare = statistics_of(lambda number: skeleton(folder / f"skeleton-{number}.db", mails))
        rows = [("mails/s, bare skeleton (no IMAP)", f"{bare:,.0f}")]
        postgres = stack.enter_context(Postgres(durable=True))
        for name, url in (("SQLite", ""), ("PostgreSQL", postgres.fresh_database())):
            say(f"{name}: {MAILS:,} mails by IMAP")
            rate, cpu_us, memory = _measure(folder / name, url, dovecot, smtp, mails)
            told = f"{rate:,.0f} = {rate / bare:.2f} of it   {cpu_us:,.0f} µs CPU each   {memory:.0f} MB"
            rows.append((f"mails/s, IMAP to log, {name}", told))
        return rows


def statistics_of(measure: Callable[[int], float], rounds: int = 2) -> float:
    """The better of some rounds."""
    return max(measure(number) for number in range(rounds))


def _measure(
    home: Path, url: str, dovecot: Dovecot, smtp: SmtpServer, mails: list[bytes]
) -> tuple[float, float, float]:
    """Mails per second, µs of CPU a mail, MB resident."""
    home.mkdir()
    box = dovecot.fresh_box()
    for raw in mails:
        box.deliver(raw)
    variables = {"database_url": url} if url else {}
    touchline(home, "import", "-", text=OFFICE + _line(dovecot, box, smtp), **variables)
    with HubProcess("run", home, **variables) as hub:
        store = Store.open(url or f"sqlite:///{home / 'touchline.db'}", home / "files", clock.now)
        try:
            rate, cpu_us = _watch(store, len(mails), hub.pid)
            return rate, cpu_us, resident_mb(hub.pid)
        finally:
            store.engines.dispose()


def _line(dovecot: Dovecot, box: Mailbox, smtp: SmtpServer) -> str:
    return support_line(dovecot, box, smtp.port)


def _watch(store: Store, wanted: int, pid: int) -> tuple[float, float]:
    """Mails per second and µs of CPU a mail between the first look at which there were any and the last."""
    deadline = time.monotonic() + PATIENCE_S
    first: tuple[float, int, float] | None = None
    while True:
        at, count = time.monotonic(), _count(store)
        if count and first is None:
            first = (at, count, cpu_seconds(pid))
        if first is not None and count >= wanted:
            fresh = count - first[1]
            return fresh / (at - first[0]), (cpu_seconds(pid) - first[2]) / fresh * 1e6
        if at > deadline:
            raise RuntimeError(f"only {count} of {wanted} mails are in the log after {PATIENCE_S} s")
        time.sleep(0.02)


def _count(store: Store) -> int:
    query = select(func.count()).select_from(models.touch)
    return int(store.read_now(lambda connection: connection.execute(query).scalar_one()))


def skeleton(path: Path, mails: list[bytes]) -> float:
    """Parse by the stdlib (compat32), write four rows each, commit every 64: mails per second."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;" + _TABLES)
    clients: dict[str, int] = {}
    began = time.perf_counter()
    for start in range(0, len(mails), AT_ONCE):
        connection.execute("BEGIN IMMEDIATE")
        for number, raw in enumerate(mails[start : start + AT_ONCE], start + 1):
            _write(connection, number, raw, clients)
        connection.execute("COMMIT")
    taken = time.perf_counter() - began
    connection.close()
    return len(mails) / taken


def _write(connection: sqlite3.Connection, number: int, raw: bytes, clients: dict[str, int]) -> None:
    mail = email.message_from_bytes(raw)
    name, address = parseaddr(str(mail["From"]))
    at = str(mail["Date"])
    if address not in clients:
        clients[address] = number
        connection.execute("INSERT INTO client VALUES (?, ?, ?)", (number, name, at))
        connection.execute("INSERT INTO identity VALUES (?, ?, 'email', ?)", (number, number, address))
    body = json.dumps({key: str(value) for key, value in mail.items()})
    connection.execute("INSERT INTO touch VALUES (?, 'mail', ?, ?, ?)", (number, str(mail["Message-ID"]), at, body))
    row = (number, clients[address], at, _decoded(str(mail["Subject"])), _text(mail))
    connection.execute("INSERT INTO interaction VALUES (?, ?, ?, ?, ?)", row)


def _decoded(header: str) -> str:
    parts = decode_header(header)
    return "".join(
        part.decode(charset or "ascii", "replace") if isinstance(part, bytes) else part for part, charset in parts
    )


def _text(mail: Message) -> str:
    for part in mail.walk():
        if part.get_content_type() == "text/plain":
            payload = part.get_payload(decode=True)
            assert isinstance(payload, bytes)
            return payload.decode(part.get_content_charset("utf-8"), "replace")
    return ""


if __name__ == "__main__":
    for what, figure in run(lambda text: print(text, file=sys.stderr)):
        print(f"{what:40} {figure}")
