"""A `Message` as bytes for the wire: always the same Message-ID for the same reference, nothing smuggled in."""

from __future__ import annotations

import re
from collections.abc import Iterable
from email.headerregistry import Address as HeaderAddress
from email.headerregistry import BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8, EmailPolicy, Policy
from email.utils import format_datetime
from typing import Any

from channels.email.address import is_address
from channels.email.headers import message_ids
from channels.email.proof import Sign, own_message_id, plus_address
from channels.email.settings import Settings
from channels.errors import Rejected
from channels.touch import Attachment, Message

_BREAKS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\u2028\u2029]")
_REPLY = re.compile(r"^\s*(?:re|aw|odp|на|відп|ответ)(?:\[\d+\])?\s*:", re.IGNORECASE)
_MOST_REFERENCES = 20


class _Verbatim(UnstructuredHeader, BaseHeader):
    """A header whose words must stay as they are: the library would encode an address that is longer than a line."""

    def fold(self, *, policy: Policy[Any]) -> str:
        return f"{self.name}: {self}{policy.linesep}"


_HEADERS = HeaderRegistry()
_HEADERS.map_to_type("list-unsubscribe", _Verbatim)


def message_id_of(message: Message, settings: Settings, sign: Sign) -> str:
    """The Message-ID under which this message goes out, now and after any crash."""
    return own_message_id(sign, message.reference, message.conversation, ascii_domain(settings.address))


def compose(message: Message, settings: Settings, sign: Sign) -> bytes:
    """The whole mail with CRLF line ends. Raises `Rejected` for what must never go out."""
    refuse_breaks(message)
    mail = EmailMessage(policy=_policy(message, settings))
    mail["From"] = _header_address(settings.address, message.sender_name or settings.name)
    mail["To"] = [_header_address(each.value, each.name) for each in message.to]
    if message.cc:
        mail["Cc"] = [_header_address(each.value, each.name) for each in message.cc]
    mail["Subject"] = subject_of(message)
    mail["Date"] = format_datetime(message.at)
    mail["Message-ID"] = message_id_of(message, settings, sign)
    if settings.plus_address and message.conversation:
        mail["Reply-To"] = _header_address(plus_address(sign, settings.address, message.conversation), None)
    _refer(mail, message.answers)
    if message.automatic:
        mail["Auto-Submitted"] = "auto-replied" if message.answers else "auto-generated"
        mail["X-Auto-Response-Suppress"] = "All"
    if message.unsubscribe:
        mail["List-Unsubscribe"] = f"<{message.unsubscribe}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    _fill(mail, message, settings)
    return mail.as_bytes()


def subject_of(message: Message) -> str:
    """ "Re: …" for an answer, unless it says so already."""
    subject = (message.subject or "").strip()
    if message.answers and not _REPLY.match(subject):
        return f"Re: {subject}".strip()
    return subject


def recipients(message: Message) -> list[str]:
    """Everybody the envelope names, each once."""
    return list(dict.fromkeys(each.value for each in (*message.to, *message.cc)))


def ascii_domain(address: str) -> str:
    """The domain as DNS knows it."""
    domain = address.rpartition("@")[2]
    try:
        return domain if domain.isascii() else domain.encode("idna").decode("ascii")
    except UnicodeError:
        return domain


def wire_address(address: str) -> str:
    """The address with an ASCII domain; the part before @ stays as it is."""
    return f"{address.rpartition('@')[0]}@{ascii_domain(address)}"


def refuse_breaks(message: Message) -> None:
    """Line breaks in anything that becomes a header are an attack or a mistake: neither goes out."""
    if not message.to:
        raise Rejected("the message has no recipient", remedy="Name at least one address.")
    for each in (*message.to, *message.cc):
        if each.scheme != "email" or not is_address(each.value):
            raise Rejected(f"{str(each)[:100]!r} is not an e-mail address", remedy="Correct the recipient.")
    if any(_BREAKS.search(said) for said in _header_texts(message)):
        raise Rejected("a line break or control character in a header", remedy="Remove it from subject or names.")


def _header_texts(message: Message) -> Iterable[str]:
    yield from (message.subject or "", message.sender_name or "", message.reference, *message.answers)
    yield message.unsubscribe or ""
    yield from (each.name or "" for each in (*message.to, *message.cc))
    for file in message.attachments:
        yield from (file.name, file.media_type, file.content_id or "")


def _policy(message: Message, settings: Settings) -> EmailPolicy[EmailMessage]:
    wanted = SMTPUTF8 if needs_utf8(settings.address, *recipients(message)) else SMTP
    return wanted.clone(max_line_length=76, refold_source="none", header_factory=_HEADERS)


def needs_utf8(*addresses: str) -> bool:
    """Is there a part before @ that only SMTPUTF8 can carry?"""
    return any(not address.rpartition("@")[0].isascii() for address in addresses)


def _header_address(address: str, name: str | None) -> HeaderAddress:
    local, _, domain = wire_address(address).rpartition("@")
    return HeaderAddress(display_name=(name or "").strip(), username=local, domain=domain)


def _refer(mail: EmailMessage, answers: tuple[str, ...]) -> None:
    """In-Reply-To names what is answered; References the whole chain, shortened in the middle."""
    ids = [each for answer in answers for each in message_ids(answer, 1) if each.isascii() and "#" not in each]
    if not ids:
        return
    if len(ids) > _MOST_REFERENCES:
        ids = ids[:1] + ids[-(_MOST_REFERENCES - 1) :]
    mail["In-Reply-To"] = ids[-1]
    mail["References"] = " ".join(ids)


def _fill(mail: EmailMessage, message: Message, settings: Settings) -> None:
    text = _signed(message.text, settings)
    mail.set_content(text, charset="utf-8", cte=_transfer_encoding(text))
    if message.html is not None:
        mail.add_alternative(message.html, subtype="html", charset="utf-8", cte=_transfer_encoding(message.html))
        _add_inline(mail, message)
    for file in message.attachments:
        if file.content_id is None or message.html is None:
            _add_file(mail, file)


def _signed(text: str, settings: Settings) -> str:
    return f"{text.rstrip()}\n\n-- \n{settings.signature.strip()}\n" if settings.signature else text


def _transfer_encoding(text: str) -> str:
    if text.isascii() and all(len(line) < 900 for line in text.splitlines()) and "\r" not in text:
        return "7bit"
    foreign = sum(1 for char in text[:4000] if char > "\x7f")
    return "base64" if foreign * 6 > len(text[:4000]) else "quoted-printable"


def _add_inline(mail: EmailMessage, message: Message) -> None:
    html_part = mail.get_payload()[-1]  # type: ignore[index]
    for file in message.attachments:
        if file.content_id is not None:
            main, sub = _media_type(file)
            html_part.add_related(  # type: ignore[union-attr]
                file.data,
                maintype=main,
                subtype=sub,
                cid=f"<{file.content_id}>",
                filename=file.name,
                disposition="inline",
            )


def _add_file(mail: EmailMessage, file: Attachment) -> None:
    main, sub = _media_type(file)
    mail.add_attachment(file.data, maintype=main, subtype=sub, filename=file.name)


def _media_type(file: Attachment) -> tuple[str, str]:
    main, _, sub = file.media_type.split(";")[0].strip().partition("/")
    if not sub or main in ("multipart", "message") or not re.fullmatch(r"[\w.+-]+", main + sub, re.ASCII):
        return "application", "octet-stream"
    return main, sub
