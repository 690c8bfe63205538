"""Mails of the demonstration: written by the standard library, read by the email channel's own parser. Pure."""

from __future__ import annotations

from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, formataddr

from channels.email.parse import INBOX, SENT, Where, parse
from channels.touch import Touch
from hub.sample.cast import ANSWERS, OUR_ADDRESS, QUESTIONS, SUBJECTS, Person

LINE = "support-mail"


def ask(person: Person, number: int, at: datetime) -> Touch:
    """A client's mail, as it lies in the mailbox."""
    mail = _mail(formataddr((person.name, person.email)), OUR_ADDRESS, SUBJECTS[person.language], number, at)
    mail["Message-ID"] = f"<q{number}@client.example>"
    questions = QUESTIONS[person.language]
    mail.set_content(f"{questions[number % len(questions)]}\n\n{person.name}\n")
    return _read(mail, INBOX, at)


def answer(person: Person, number: int, operator: str, at: datetime) -> Touch:
    """An operator's answer to mail `number`, as it is found among what was sent."""
    ours = f"{operator}@demo.example"
    mail = _mail(ours, formataddr((person.name, person.email)), f"Re: {SUBJECTS[person.language]}", number, at)
    mail["Message-ID"] = f"<a{number}@demo.example>"
    mail["In-Reply-To"] = f"<q{number}@client.example>"
    mail.set_content(f"{ANSWERS[person.language]}\n")
    return _read(mail, SENT, at)


def _mail(sender: str, to: str, subject: str, number: int, at: datetime) -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, to, subject
    mail["Date"] = format_datetime(at)
    return mail


def _read(mail: EmailMessage, box: str, at: datetime) -> Touch:
    operators = frozenset(f"{key}@demo.example" for key in ("anna", "boris", "vera"))
    where = Where(LINE, operators | {OUR_ADDRESS}, lambda text: "", box)
    found = parse(mail.as_bytes(), where, at).touch
    if found is None:
        raise ValueError("a mail of the demonstration is taken for one that the hub has sent")
    return found
