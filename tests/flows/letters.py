"""Mails as the outside world writes them: a client's, an answering machine's, a bounce, an operator's own."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import format_datetime

CLIENT = "ivan@client.example"
_serial = itertools.count(1)


def letter(
    text: str,
    *,
    to: str,
    sender: str = f"Иван Петров <{CLIENT}>",
    subject: str = "Вопрос о заказе",
    message_id: str | None = None,
    **headers: str,
) -> bytes:
    """A plain mail, dated now; header names with underscores for dashes."""
    made = EmailMessage(policy=policy.SMTP)
    made["From"], made["To"], made["Subject"] = sender, to, subject
    made["Date"] = format_datetime(datetime.now(UTC))
    made["Message-ID"] = message_id or f"<{next(_serial)}.flow@client.example>"
    for name, value in headers.items():
        made[name.replace("_", "-")] = value
    made.set_content(text)
    return made.as_bytes()


def answer_to(raw: bytes, text: str, **headers: str) -> bytes:
    """The client presses Reply on a mail of ours."""
    ours = message_from_bytes(raw, policy=policy.default)
    references = f"{ours['References'] or ''} {ours['Message-ID']}".strip()
    return letter(
        text,
        to=str(ours["Reply-To"] or ours["From"]),
        subject=str(ours["Subject"]),
        In_Reply_To=str(ours["Message-ID"]),
        References=references,
        **headers,
    )


def vacation(raw: bytes) -> bytes:
    """His answering machine does (RFC 3834)."""
    return answer_to(raw, "Я в отпуске до понедельника.", Auto_Submitted="auto-replied")


def bounce(raw: bytes, recipient: str = CLIENT) -> bytes:
    """A mail server says that it could not deliver our mail (RFC 3464)."""
    ours = message_from_bytes(raw, policy=policy.default)
    return b"\r\n".join(
        [
            b"From: Mail Delivery System <MAILER-DAEMON@mx.client.example>",
            f"To: {ours['From']}".encode(),
            b"Subject: Undelivered Mail Returned to Sender",
            f"Date: {format_datetime(datetime.now(UTC))}".encode(),
            f"Message-ID: <{next(_serial)}.bounce@mx.client.example>".encode(),
            b"Return-Path: <>",
            b"Auto-Submitted: auto-replied",
            b"MIME-Version: 1.0",
            b'Content-Type: multipart/report; report-type=delivery-status; boundary="=_b"',
            b"",
            b"--=_b",
            b"Content-Type: text/plain; charset=utf-8",
            b"",
            b"I'm sorry to have to inform you that your message could not be delivered.",
            b"--=_b",
            b"Content-Type: message/delivery-status",
            b"",
            b"Reporting-MTA: dns; mx.client.example",
            b"",
            f"Final-Recipient: rfc822; {recipient}".encode(),
            b"Action: failed",
            b"Status: 5.1.1",
            b"Diagnostic-Code: smtp; 550 5.1.1 no such user here",
            b"",
            b"--=_b",
            b"Content-Type: text/rfc822-headers",
            b"",
            f"Message-ID: {ours['Message-ID']}".encode(),
            f"Subject: {ours['Subject']}".encode(),
            b"",
            b"--=_b--",
            b"",
        ]
    )
