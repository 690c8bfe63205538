"""Mail as it really comes: every file of the corpus, and what is expected of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from channels.email.parse import INBOX, SENT, Reading, Where, parse
from channels.touch import ReceiptState, Touch
from tests.channels.door import sign

CORPUS = Path(__file__).parent / "corpus"
AT = datetime(2026, 11, 3, 7, 30, tzinfo=UTC)
OWN = frozenset({"support@office.example", "anna@office.example", "boris@office.example"})
OWN_ID = f"<c123.d41.{sign('email message-id c123.d41')}@office.example>"

EXPECTED: dict[str, Mapping[str, Any]] = {
    "ru-windows-1251-gmail-quote": {
        "subject": "Re: Договор поставки",
        "text": "Добрый день!\n\nСогласны, высылайте счёт.",
        "name": "Иван Петров",
        "conversation": 123,
        "answers": (OWN_ID, "<first@client.example>"),
        "language": "ru",
    },
    "ru-koi8-r-raw-headers": {
        "subject": "Срочный вопрос по доставке",
        "text": "Здравствуйте! Когда приедет заказ?",
        "name": "Мария Сидорова",
    },
    "uk-koi8-u-unknown-charset": {
        "subject": "Рахунок за вересень",
        "text": "Доброго дня! Чи є у вас ця модель? Їй потрібен рахунок.",
        "language": "uk",
        "remark": "x-unknown-8",
    },
    "pl-iso-8859-2-thunderbird-bottom": {
        "subject": "Re: Zamówienie",
        "text": "Tak, potwierdzam. Proszę o fakturę na firmę, najlepiej jeszcze dziś.",
        "name": "Paweł Wójcik",
        "answers": ("<other@office.example>",),
        "language": "pl",
    },
    "pl-cp1250-outlook-html-only": {
        "subject": "Reklamacja śruby",
        "text": "Dzień dobry, śruba pękła.\n\nProszę o wymianę.",
        "name": "Kowalska, Anna",
        "html_has": 'data-remote-src="http://tracker.example/open.gif"',
        "html_lacks": "alert",
    },
    "ru-mailru-alternative-inline": {
        "text": "Смотрите фото.",
        "files": [("фото.png", "pic1@mail"), ("счёт №5.pdf", None)],
        "html_has": 'src="cid:pic1@mail"',
    },
    "no-message-id-empty-in-reply-to": {"text": "A mail without an id.", "external_id": None, "thread": None},
    "malformed-message-id": {"external_id": "<[abc]@client.example>", "remark": "yesterday at noon"},
    "plus-address": {"conversation": 123, "answers": ()},
    "forged-tokens": {"conversation": None, "answers": (), "tag": 77},
    "winmail-dat": {"text": "Документы во вложении.", "files": [("договор.txt", None)]},
    "nested-message-and-invite": {
        "text": "See the attached mail.",
        "files": [("Inner one.eml", None), ("file-2.ics", None)],
    },
    "forwarded-is-not-history": {"text_has": "Наши цены ниже."},
    "form-sender-reply-to": {"party": ("olga@private.example",), "name": "Ольга", "automatic": None},
    "bounce-postfix": {
        "automatic": "bounce",
        "party": ("nobody@client.example",),
        "receipts": [("failed", True, "nobody@client.example")],
        "conversation": 123,
    },
    "bounce-delayed": {"automatic": "bounce", "receipts": []},
    "bounce-exchange-mailbox-full": {
        "automatic": "bounce",
        "receipts": [("failed", False, "full@corp.example")],
        "text": "Почтовый ящик получателя переполнен.",
    },
    "bounce-qmail": {"automatic": "bounce", "receipts": [("failed", True, "gone@client.example")]},
    "bounce-exim": {"automatic": "bounce", "receipts": [("failed", True, "typo@client.example")]},
    "dsn-delivered": {"automatic": "bounce", "receipts": [("delivered", True, "ivan@client.example")]},
    "read-receipt": {"automatic": "auto_reply", "receipts": [("read", False, "ivan@client.example")]},
    "autoreply-outlook-ru": {"automatic": "auto_reply", "conversation": 123},
    "autoreply-no-header-pl": {"automatic": "auto_reply"},
    "auto-submitted-no": {"automatic": None},
    "newsletter": {"automatic": "bulk", "html_has": "data-remote-src"},
    "own-group-is-no-list": {"automatic": None},
    "own-mail-in-inbox": {"automatic": "own", "direction": "outbound", "party": ("ivan@client.example",)},
    "operator-from-outlook": {"automatic": "own", "direction": "outbound"},
    "utf8-declared-latin1": {"text": "Это на самом деле windows-1251, а не latin-1."},
    "spam-flagged": {"suspicion": "the mail server marked it as spam"},
}


def read(name: str, box: str = INBOX) -> Reading:
    where = Where("support-mail", OWN, sign, box)
    return parse((CORPUS / f"{name}.eml").read_bytes(), where, AT)


def touch_of(name: str, box: str = INBOX) -> Touch:
    touch = read(name, box).touch
    assert touch is not None
    return touch


def test_every_file_is_expected_to_be_something() -> None:
    assert {file.stem for file in CORPUS.glob("*.eml")} == set(EXPECTED)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_mail(name: str) -> None:
    reading, wanted = read(name), EXPECTED[name]
    touch = reading.touch
    assert touch is not None
    said = {
        "subject": touch.subject,
        "text": touch.text,
        "name": touch.party[0].name if touch.party else None,
        "party": tuple(each.value for each in touch.party),
        "conversation": touch.thread.conversation if touch.thread else None,
        "answers": touch.thread.answers if touch.thread else (),
        "tag": touch.thread.tag if touch.thread else None,
        "thread": touch.thread,
        "language": touch.language,
        "external_id": touch.external_id,
        "automatic": touch.automatic,
        "direction": touch.direction,
        "suspicion": touch.suspicion,
        "files": [(file.name, file.content_id) for file in touch.attachments],
        "receipts": [(each.state, each.permanent, each.recipient) for each in reading.receipts],
    }
    plain = {key: value for key, value in wanted.items() if key in said}
    assert {key: said[key] for key in plain} == plain
    assert wanted.get("remark", "") in " ".join(touch.remarks)
    assert wanted.get("text_has", "") in touch.text
    assert wanted.get("html_has", "") in (touch.html or "")
    assert "html_lacks" not in wanted or wanted["html_lacks"] not in (touch.html or "")
    assert touch.at == AT and touch.raw is not None


def test_receipts_name_our_message() -> None:
    for name in ("bounce-postfix", "bounce-qmail", "bounce-exim", "bounce-exchange-mailbox-full", "dsn-delivered"):
        assert [each.external_id for each in read(name).receipts] == [OWN_ID], name
    (receipt,) = read("bounce-postfix").receipts
    assert receipt.state is ReceiptState.FAILED and receipt.reason == "550 5.1.1 User unknown"


def test_a_bounce_of_a_forged_id_reports_nothing() -> None:
    raw = (CORPUS / "bounce-postfix.eml").read_bytes().replace(OWN_ID.encode(), OWN_ID.replace("c123", "c9").encode())
    assert parse(raw, Where("l", OWN, sign), AT).receipts == ()


def test_our_own_delivery_in_sent_is_skipped() -> None:
    assert read("own-mail-in-inbox", SENT).touch is None


def test_what_an_operator_sent_from_elsewhere_is_an_answer() -> None:
    touch = touch_of("operator-from-outlook", SENT)
    assert touch.direction == "outbound" and touch.automatic is None
    assert [each.value for each in touch.party] == ["ivan@client.example"]
    assert touch.operator == "anna@office.example"
    assert touch.thread is not None and touch.thread.answers == ("<cp1251@client.example>",)
    assert touch.at == datetime(2026, 11, 3, 7, 15, tzinfo=UTC)
    assert touch.same_as != touch_of("operator-from-outlook").same_as


def test_one_mail_in_two_mailboxes_is_the_same_and_two_mails_under_one_id_are_not() -> None:
    raw = (CORPUS / "auto-submitted-no.eml").read_bytes()
    first, second = (parse(raw, Where(line, OWN, sign), AT).touch for line in ("support-mail", "sales-mail"))
    other = parse(raw.replace(b"Really", b"Not so"), Where("support-mail", OWN, sign), AT).touch
    moved = parse(b"Received: from elsewhere\r\n" + raw, Where("support-mail", OWN, sign), AT).touch
    assert first is not None and second is not None and other is not None and moved is not None
    assert first.same_as == second.same_as == moved.same_as
    assert moved.event_key == first.event_key
    assert other.event_key != first.event_key and other.same_as != first.same_as
