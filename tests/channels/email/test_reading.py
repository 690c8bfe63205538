"""Properties of the reader: nothing makes it raise, nothing is lost, nothing forged is believed, nothing takes long."""

from __future__ import annotations

import email
import time
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.email.address import parse_addresses
from channels.email.charset import decode, guess
from channels.email.folders import decode_name, encode_name, read_list, sent_folder
from channels.email.html import sanitise, to_text
from channels.email.mime import read
from channels.email.parse import SENT, Where, parse
from channels.email.proof import own_message_id, plus_address, read_own_id, read_plus_address
from channels.email.quote import fold
from channels.email.tnef import read_tnef
from tests.channels.door import sign
from tests.channels.email.test_corpus import CORPUS, OWN

AT = datetime(2026, 11, 3, tzinfo=UTC)
HERE = Where("support-mail", OWN, sign)
MAILS = [file.read_bytes() for file in sorted(CORPUS.glob("*.eml"))]
SPECIAL = [
    b"",
    b"\r\n",
    b"\r\n\r\n",
    b"--",
    b"=?",
    b"?=",
    b"\x00",
    b"\xff",
    b";",
    b'"',
    b"<",
    b">",
    b"boundary=",
    b"begin",
]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A mail of the corpus with pieces cut out, doubled, swapped for those of another, or replaced by odd bytes."""
    raw = draw(st.sampled_from(MAILS))
    for _ in range(draw(st.integers(1, 6))):
        at, length = draw(st.integers(0, len(raw))), draw(st.integers(0, 200))
        other = draw(st.one_of(st.sampled_from(SPECIAL), st.binary(max_size=30), st.just(raw[at : at + length] * 2)))
        raw = raw[:at] + other + raw[at + length :]
    return raw


@given(st.one_of(st.binary(max_size=2000), mutated()), st.sampled_from(["inbox", SENT]))
def test_parse_never_raises_and_never_says_it_stumbled(raw: bytes, box: str) -> None:
    touch = parse(raw, Where("support-mail", OWN, sign, box), AT).touch
    if touch is not None:
        assert "could not be read (" not in " ".join(touch.remarks)
        for said in (touch.subject, touch.text, touch.full_text, touch.html):
            assert said is None or ("\0" not in said and said.encode("utf-8") is not None)
        assert touch.raw is not None and touch.raw.data == raw


LINES = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n"), max_size=40),
    st.sampled_from(
        [
            "> цитата",
            "-- ",
            "С уважением,",
            "On Mon, Nov 3, 2026 at 10:15 AM Ivan <ivan@example.org> wrote:",
            "пн, 3 нояб. 2026 г. в 10:15, Иван <a@b.example>:",
            "W dniu 03.11.2026 o 10:15, Jan pisze:",
            "From: a",
            "Sent: b",
            "To: c",
            "-----Original Message-----",
            "---------- Forwarded message ---------",
            "Sent from my iPhone",
            "",
        ]
    ),
)


@given(st.lists(LINES, max_size=30), st.sampled_from([None, "Re: x", "Fwd: x"]))
def test_folding_only_leaves_lines_out(lines: list[str], subject: str | None) -> None:
    full = "\n".join(lines)
    rest = iter(full.split("\n"))
    said = fold(full, subject)
    assert all(line in rest for line in said.split("\n")) or said == ""
    assert bool(said.strip()) == bool(full.strip())


HISTORIES = [
    "On Mon, Nov 3, 2026 at 10:15 AM Ivan Petrov <ivan@example.org> wrote:",
    "On Mon, Nov 3, 2026 at 10:15 AM Ivan Petrov <\nivan@example.org> wrote:",
    "On 3 Nov 2026, at 10:15, Ivan <a@b.example> wrote:",
    "пн, 3 нояб. 2026 г. в 10:15, Иван <a@b.example>:",
    "3 ноября 2026 г., 10:15 пользователь Иван <a@b.example> написал:",
    "3 нояб. 2026 г., в 10:15, Иван <a@b.example> написал(а):",
    "Понедельник, 3 ноября 2026, 10:15 +03:00 от Иван <a@b.example>:",
    '03.11.2026, 10:15, "Иван" <a@b.example>:',
    "03.11.2026 10:15, Иван Петров пишет:",
    "пн, 3 лист. 2026 р. о 10:15 Іван <a@b.example> пише:",
    "03.11.26 10:15, Іван пише:",
    "pon., 3 lis 2026 o 10:15 Jan Kowalski <a@b.example> napisał(a):",
    "W dniu 03.11.2026 o 10:15, Jan Kowalski pisze:",
    "Wiadomość napisana przez Jan <a@b.example> w dniu 3 lis 2026, o godz. 10:15:",
    "-----Original Message-----\nFrom: A\nSent: x\nTo: y\n",
    "-----Исходное сообщение-----\nОт: A",
    "От: Иван <a@b.example>\nОтправлено: 3 ноября\nКому: b\nТема: x\n",
    "Від: Іван\nНадіслано: 3\nКому: x\nТема: y\n",
    "Od: Jan\nWysłano: 3\nDo: x\nTemat: y\n",
    "________________________________\nFrom: Ivan <a@b.example>\nSent: Monday\nTo: x\nSubject: y\n",
]


@pytest.mark.parametrize("history", HISTORIES)
def test_history_is_folded_away(history: str) -> None:
    assert fold(f"Новый текст\nи ещё\n\n{history}\n\n> старое\n> письмо") == "Новый текст\nи ещё"


@pytest.mark.parametrize(
    ("full", "said"),
    [
        ("Hi\n\n-- \nJan", "Hi"),
        ("Да.\n\nС уважением,\nИван Петров\n+7 812 325-83-51", "Да."),
        ("Добре.\n\nЗ повагою\nОксана", "Добре."),
        ("Tak.\n\nPozdrawiam serdecznie\nJan", "Tak."),
        ("ok\n\nОтправлено с iPhone", "ok"),
        ("Да.\n\nС уважением, Иван\n\nP.S. И пришлите счёт.", "Да.\n\nС уважением, Иван\n\nP.S. И пришлите счёт."),
        ("On 3 Nov 2026, X <a@b.c> wrote:\n> q1\n> q2\n\nbelow", "below"),
        ("On 3 Nov 2026, X <a@b.c> wrote:\n> q1\na1\n> q2\na2", "On 3 Nov 2026, X <a@b.c> wrote:\n> q1\na1\n> q2\na2"),
        ("> only\n> old", "> only\n> old"),
        ("В 2026 году он написал:\nэто новый текст", "В 2026 году он написал:\nэто новый текст"),
        ("С уважением", "С уважением"),
    ],
)
def test_folding(full: str, said: str) -> None:
    assert fold(full) == said


@pytest.mark.parametrize("name", ["cp1251", "koi8-r"])
@pytest.mark.parametrize("text", ["Привет", "СРОЧНО", "Счёт", "Прошу перезвонить", "Re: договор", "УВАЖАЕМЫЕ КОЛЛЕГИ"])
def test_short_russian_is_guessed(text: str, name: str) -> None:
    assert guess(text.encode(name))[0] == text


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Привіт, чи є модель?", ("cp1251", "koi8-u")),
        ("Дякую", ("cp1251", "koi8-u")),
        ("Zażółć gęślą jaźń", ("iso-8859-2", "cp1250")),
        ("Łódź", ("iso-8859-2", "cp1250")),
        ("Święta", ("iso-8859-2", "cp1250")),
        ("Żółw", ("utf-8",)),
    ],
)
def test_short_ukrainian_and_polish_are_guessed(text: str, names: tuple[str, ...]) -> None:
    assert [decode(text.encode(name), None)[0] for name in names] == [text] * len(names)


@given(st.integers(1, 10**9), st.text(min_size=1, max_size=40))
def test_our_tokens_are_proved(conversation: int, reference: str) -> None:
    reference = reference.encode("utf-8", "replace").decode()
    message_id = own_message_id(sign, reference, conversation, "office.example")
    found = read_own_id(sign, message_id)
    assert found is not None and (found.conversation, found.reference) == (conversation, reference)
    address = plus_address(sign, "support@office.example", conversation)
    assert read_plus_address(sign, address.upper().lower()) == conversation


@given(st.integers(1, 10**9), st.from_regex(r"[A-Za-z0-9_-]{4,40}", fullmatch=True))
def test_forged_tokens_are_not(conversation: int, signature: str) -> None:
    assert read_own_id(sign, f"<c{conversation}.ref.{signature}@office.example>") is None
    assert read_plus_address(sign, f"support+c{conversation}.{signature}@office.example") is None
    raw = (
        f"From: a@b.example\r\nTo: support+c{conversation}.{signature}@office.example\r\n"
        f"In-Reply-To: <c{conversation}.ref.{signature}@office.example>\r\n\r\nx"
    )
    touch = parse(raw.encode(), HERE, AT).touch
    assert touch is not None and touch.thread is None


HOSTILE = {
    "nested": b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(5000)),
    "many parts": b"Content-Type: multipart/mixed; boundary=x\n\n" + b"--x\n" * 300_000,
    "almost boundaries": b"Content-Type: multipart/mixed; boundary=x\n\n" + b"\n--xy" * 300_000,
    "parameters": b'Content-Type: multipart/mixed; a="' + b";" * 1_000_000 + b"\n\nx",
    "recipients": b"To: " + b"a@b.example," * 100_000 + b"\n\nx",
    "references": b"References: " + b"<a@b> " * 100_000 + b"\n\nx",
    "encoded words": b"Subject: " + b"=?utf-8?q?a?= " * 70_000 + b"\n\nx",
    "half words": b"Subject: " + b"=?" * 300_000 + b"\n\nx",
    "comments": b"From: " + b"(" * 500_000 + b"\n\nx",
    "headers": b"X: y\n" * 200_000 + b"\nx",
    "long line": b"Subject: x\n\n" + b"a@b.example, 10:15 2026 wrote " * 50_000 + b":",
    "long attributions": b"Subject: x\n\n" + (b"On 2026 10:15 <a@b.example> wrote " * 10 + b"\n") * 20_000,
    "quotes": b"Subject: x\n\n" + b"> " * 700_000,
    "unclosed html": b"Content-Type: text/html\n\n" + b"<title>" * 50_000 + b"<a href=" * 50_000,
    "nested html": b"Content-Type: text/html\n\n" + b"<div>" * 9_000,
    "many tags": b"Content-Type: text/html\n\n" + b"<td>" * 250_000,
    "entities": b"Content-Type: text/html\n\n" + b"&" * 300_000,
    "winmail counts": b"Content-Type: application/ms-tnef\n\n"
    + b"\x78\x9f\x3e\x22\x01\x00\x01\x03\x90\x06\x00\x04\x00\x00\x00"
    + b"\xff" * 4
    + b"\x00" * 5000,
}


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_hostile_mail_takes_no_time(name: str) -> None:
    began = time.process_time()
    touch = parse(HOSTILE[name], HERE, AT).touch
    assert time.process_time() - began < 6
    assert touch is not None and "could not be read (" not in " ".join(touch.remarks)


def test_our_reader_agrees_with_the_standard_library() -> None:
    made = EmailMessage()
    made["Subject"], made["From"] = "Проверка", "Иван <ivan@client.example>"
    made.set_content("текст\nписьма")
    made.add_alternative("<b>текст</b>", subtype="html")
    made.add_attachment(b"abc\x00\xff" * 99, maintype="application", subtype="pdf", filename="счёт.pdf")
    for raw in [made.as_bytes(), *MAILS]:
        theirs = [part for part in email.message_from_bytes(raw).walk() if not part.is_multipart()]
        ours = list(read(raw)[0].leaves())
        machine = {"message/delivery-status", "message/disposition-notification"}
        for part, mine in zip(theirs, ours, strict=False):
            if part.get_content_type() in machine or mine.media_type in machine:
                break
            payload = part.get_payload(decode=True)
            assert isinstance(payload, bytes)
            assert payload.replace(b"\r\n", b"\n").strip() == mine.decoded().replace(b"\r\n", b"\n").strip()


def test_html_is_made_harmless() -> None:
    clean, _ = sanitise(
        '<p style="color:red;background:url(http://x)" onclick=x>Hi<img src="http://e.example/a.png"><img src=cid:a@x>'
        '<a href="javascript:x">l</a><svg><script>1</script></svg><img src="data:image/svg+xml,x"></p>'
    )
    assert clean == (
        '<p style="color:red">Hi<img data-remote-src="http://e.example/a.png"><img src="cid:a@x">'
        '<a rel="noopener noreferrer nofollow">l</a><img></p>'
    )


def test_html_reads_as_text() -> None:
    html = "<div>Привет,<br><br>текст<p>абзац &amp; <a href='https://x.pl/a'>тут</a></p><blockquote>старое</blockquote></div>"
    assert to_text(html) == "Привет,\n\nтекст\n\nабзац & тут (https://x.pl/a)\n\n> старое"


def test_addresses_of_all_sorts() -> None:
    raw = (
        '"Иванов, Иван" <Ivan@Example.ORG>, team: a@b.example, d@e.example;, root@host.example (Root), broken'.encode()
    )
    found = [(each.value, each.name, each.odd) for each in parse_addresses(raw)]
    assert found == [
        ("ivan@example.org", "Иванов, Иван", False),
        ("a@b.example", None, False),
        ("d@e.example", None, False),
        ("root@host.example", "Root", False),
        ("broken", None, True),
    ]
    assert parse_addresses(b"a@xn--d1acpjx3f.example")[0].value == "a@яндекс.example"


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30))
def test_folder_names_survive_the_wire(name: str) -> None:
    wire = encode_name(name)
    assert wire.isascii()
    assert [folder.name for folder in read_list([b'LIST () "/" ' + wire.encode()])] == [name]


def test_the_sent_folder_is_found_by_use_and_by_name() -> None:
    by_use = read_list([b'(\\HasNoChildren) "/" "Sent"', b'(\\Sent) "/" "&BB4EQgQ,BEAEMAQyBDsENQQ9BD0ESwQ1-"'])
    assert sent_folder(by_use) == "Отправленные" == decode_name(b"&BB4EQgQ,BEAEMAQyBDsENQQ9BD0ESwQ1-")
    assert sent_folder(read_list([b'() "." INBOX', b'() "." "INBOX.Sent Items"'])) == "INBOX.Sent Items"
    assert sent_folder(read_list([b'() "." INBOX'])) is None


@given(st.binary(max_size=300))
def test_tnef_of_any_bytes(data: bytes) -> None:
    read_tnef(b"\x78\x9f\x3e\x22\x01\x00" + data)
