"""One mail, bytes to `Touch`. Pure: no clock, no network, no memory; never raises, whatever the bytes are.

`event_key` is made of the Message-ID and digests of what was said, not of the folder and UID: so a mail that is moved,
or a mailbox whose UIDVALIDITY changes, is recognised, while two different mails under one Message-ID stay two. A mail
without a Message-ID is known by the digest of its bytes. `same_as` leaves the mailbox out, so that one mail to two
of our mailboxes is one interaction.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from channels.email.automatic import judge
from channels.email.body import Body, read_body
from channels.email.bounce import Notice, read_notice, receipts
from channels.email.headers import message_ids, parse_date
from channels.email.html import holds_remote_images, sanitise
from channels.email.language import recognise
from channels.email.mime import Part, read
from channels.email.parties import Parties, read_parties
from channels.email.proof import Sign, read_own_id
from channels.email.quote import fold
from channels.email.thread import read_thread
from channels.touch import Attachment, Automatic, Direction, Identity, Kind, Raw, Receipt, Touch

INBOX, SENT = "inbox", "sent"
_SECONDS_LOST = timedelta(seconds=3)
"""A Date header tells whole seconds: what was answered within one must not seem older than its question."""
MEDIA_TYPE = "message/rfc822"


@dataclass(frozen=True, slots=True)
class Where:
    """In which of our mailboxes a mail was found. `own` are the normalised addresses of all our lines and operators."""

    line: str
    own: frozenset[str]
    sign: Sign
    box: str = INBOX


@dataclass(frozen=True, slots=True)
class Reading:
    """What a mail comes to. `touch` is None for our own delivery found in Sent: it is in the log already."""

    touch: Touch | None
    receipts: tuple[Receipt, ...] = ()


def parse(raw: bytes, where: Where, at: datetime, total: int | None = None) -> Reading:
    """Read a mail that arrived at `at`. `total` is its real size if `raw` is only its beginning."""
    try:
        return _parse(raw, where, at, total)
    except Exception as error:  # a stranger's bytes may find a way nobody thought of: the mail is logged all the same
        return Reading(unreadable(raw, where, at, f"the mail could not be read ({type(error).__name__})", total))


def unreadable(
    raw: bytes, where: Where, at: datetime, remark: str, total: int | None = None, known_as: str | None = None
) -> Touch:
    """A touch for what cannot be read, with its raw form attached. `known_as` identifies a mail without any bytes."""
    return Touch(
        line=where.line,
        event_key=f"{where.box}:{known_as}" if known_as else _key(where, "raw", hashlib.sha256(raw).hexdigest()),
        kind=Kind.MESSAGE,
        direction=Direction.INBOUND if where.box == INBOX else Direction.OUTBOUND,
        at=at,
        attachments=(Attachment("message.eml", MEDIA_TYPE, raw),) if raw else (),
        remarks=(remark,),
        raw=Raw(raw, raw_media_type(where.box, total)) if raw else None,
    )


def raw_media_type(box: str, total: int | None) -> str:
    """The media type under which the bytes are kept; it remembers the box and a truncation for `parse_again`."""
    return MEDIA_TYPE + (f"; box={box}" if box != INBOX else "") + (f"; total={total}" if total else "")


def _parse(raw: bytes, where: Where, at: datetime, total: int | None) -> Reading:
    mail, remarks = read(raw)
    message_id = next(iter(message_ids(mail.text("message-id"), 1)), None)
    is_own_delivery = message_id is not None and read_own_id(where.sign, message_id) is not None
    if is_own_delivery and where.box == SENT:
        return Reading(None)
    parties = read_parties(mail, where.own)
    notice = read_notice(mail, parties.sender.value if parties.sender else "", where.sign)
    automatic = _automatic(mail, parties, notice, is_own_delivery, where)
    body = read_body(mail)
    digest = _digest(mail)
    subject = mail.text("subject")[:1000] or None
    html = _html(body)
    direction = _direction(parties, automatic, where)
    touch = Touch(
        line=where.line,
        event_key=_event_key(where, raw, mail, message_id, digest),
        kind=Kind.MESSAGE,
        direction=direction,
        at=_when(mail, at, where, body),
        party=_party(parties, direction, notice),
        external_id=message_id,
        same_as=_same_as(message_id, digest, automatic),
        thread=read_thread(mail, where.sign, parties.addressed(), notice.original if notice else None),
        operator=parties.sender.value if parties.sender and direction is Direction.OUTBOUND else None,
        subject=subject,
        text=fold(body.text, subject),
        full_text=body.text or None,
        html=html,
        origin=_origin(mail, parties, where, html),
        attachments=_attachments(body, html),
        automatic=automatic,
        suspicion=_suspicion(mail),
        language=recognise(body.text),
        remarks=(*remarks, *body.remarks, *_truncation(raw, total)),
        raw=Raw(raw, raw_media_type(where.box, total)),
    )
    return Reading(touch, tuple(receipts(notice, where.line, at)) if notice is not None else ())


def _automatic(
    mail: Part, parties: Parties, notice: Notice | None, is_own_delivery: bool, where: Where
) -> Automatic | None:
    if where.box == SENT:
        return judge(mail, where.own)
    if is_own_delivery:
        return Automatic.OWN
    if notice is not None:
        return Automatic.BOUNCE if notice.is_bounce else Automatic.AUTO_REPLY
    if parties.from_us and not parties.through_form:
        return Automatic.OWN
    return judge(mail, where.own)


def _direction(parties: Parties, automatic: Automatic | None, where: Where) -> Direction:
    if where.box == SENT or automatic is Automatic.OWN:
        return Direction.OUTBOUND if parties.outsiders else Direction.INTERNAL
    return Direction.INBOUND


def _party(parties: Parties, direction: Direction, notice: Notice | None) -> tuple[Identity, ...]:
    """The other side, best first: for a bounce, the client whose address failed."""
    if notice is not None and notice.is_bounce:
        failed = dict.fromkeys(fate.recipient for fate in notice.fates if fate.recipient)
        if failed:
            return tuple(Identity("email", address) for address in failed)
    if direction is Direction.OUTBOUND:
        return tuple(each.identity() for each in parties.outsiders)
    person = parties.person()
    return (person.identity(),) if person is not None else ()


def _when(mail: Part, at: datetime, where: Where, body: Body) -> datetime:
    """When it arrived; for what we sent ourselves, when it was written, if that was earlier."""
    written = parse_date(mail.text("date"))
    if written is None and "date" in mail.headers:
        body.remarks.append(f"the date {mail.text('date')[:60]!r} is none")
    return written if where.box == SENT and written is not None and at - written > _SECONDS_LOST else at


def _digest(mail: Part) -> str:
    """Of all decoded content; blanks at line ends do not count, since servers on the way change them."""
    total = hashlib.sha256()
    for part in mail.leaves():
        content = part.decoded()
        total.update(b" ".join(content.split()) if part.media_type.startswith("text/") else content)
        total.update(b"\0")
    return total.hexdigest()


def _event_key(where: Where, raw: bytes, mail: Part, message_id: str | None, digest: str) -> str:
    if message_id is None:
        return _key(where, "raw", hashlib.sha256(raw).hexdigest())
    said = "\n".join((message_id, mail.text("subject"), mail.text("from"), mail.text("date"), digest))
    return _key(where, "id", hashlib.sha256(said.encode("utf-8", "replace")).hexdigest())


def _key(where: Where, kind: str, digest: str) -> str:
    return f"{where.box}:{kind}:{digest[:40]}"


def _same_as(message_id: str | None, digest: str, automatic: Automatic | None) -> str | None:
    """Our own mail seen from outside is not the same thing as the mail in Sent that answers a client."""
    if message_id is None:
        return None
    return f"email:{'own:' if automatic is Automatic.OWN else ''}{message_id}:{digest[:32]}"


def _html(body: Body) -> str | None:
    if body.html is None:
        return None
    clean, remark = sanitise(body.html)
    if remark is not None:
        body.remarks.append(remark)
    return clean


def _attachments(body: Body, html: str | None) -> tuple[Attachment, ...]:
    """Only what the HTML shows stays inline; whatever else carries a Content-ID is a file."""
    return tuple(
        each
        if each.content_id is None or (html is not None and f"cid:{each.content_id}" in html)
        else Attachment(each.name, each.media_type, each.data)
        for each in body.attachments
    )


def _origin(mail: Part, parties: Parties, where: Where, html: str | None) -> Mapping[str, Any]:
    """Where it came from, for people and for the answer's address lines."""
    said: dict[str, Any] = {
        "box": where.box,
        "from": parties.sender.value if parties.sender else None,
        "reply_to": parties.reply_to.value if parties.reply_to else None,
        "to": [each.value for each in parties.to],
        "cc": [each.value for each in parties.cc],
        "envelope_to": list(parties.envelope),
        "date": mail.text("date")[:100] or None,
        "remote_images": True if html is not None and holds_remote_images(html) else None,
    }
    return {name: value for name, value in said.items() if value}


def _suspicion(mail: Part) -> str | None:
    flagged = mail.text("x-spam-flag").strip().lower() == "yes" or mail.text("x-spam-status").lower().startswith("yes")
    return "the mail server marked it as spam" if flagged else None


def _truncation(raw: bytes, total: int | None) -> tuple[str, ...]:
    if total is None:
        return ()
    return (f"the mail has {total} bytes: the first {len(raw)} were read, the whole is still in the mailbox",)
