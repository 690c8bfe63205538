"""What crosses the border between a channel and the hub: frozen data, free of wire formats and of tables."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What sort of contact it was."""

    CALL = "call"
    MESSAGE = "message"
    FORM = "form"
    MEETING = "meeting"
    LETTER = "letter"
    FAX = "fax"
    NOTE = "note"


class Direction(StrEnum):
    """Which way it went, seen from the company."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"
    INTERNAL = "internal"


class Automatic(StrEnum):
    """Why no human stands behind a touch; such touches neither start a clock nor count as an answer."""

    AUTO_REPLY = "auto_reply"
    BULK = "bulk"
    BOUNCE = "bounce"
    OWN = "own"


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom a touch is with: `scheme:value`, normalised by the channel (phones E.164, emails casefolded).

    `name` is what the sender calls himself. `odd` says that the value could not be normalised and is kept as written.
    `anonymous` names nobody whom we could find again (a browser): who has only such identities stands in for somebody
    until he says who he is.
    """

    scheme: str
    value: str
    name: str | None = None
    odd: bool = False
    anonymous: bool = False

    def __str__(self) -> str:
        return f"{self.scheme}:{self.value}"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with a touch or goes out with a message; `content_id` (no brackets) marks an inline image."""

    name: str
    media_type: str
    data: bytes
    content_id: str | None = None


@dataclass(frozen=True, slots=True)
class Thread:
    """What a touch says about the conversation it belongs to, strongest first.

    `conversation`: our own conversation id, proved by the channel (signed plus-address, our own Message-ID).
    `answers`: external ids (Message-IDs, bot message ids) that it refers to, nearest first; any line's.
    `tag`: a conversation id from a subject tag `[#123]`, the weakest: obeyed only for the same client.
    """

    conversation: int | None = None
    answers: tuple[str, ...] = ()
    tag: int | None = None


@dataclass(frozen=True, slots=True)
class Raw:
    """The bytes as they came from the wire, kept so that `replay` can parse them again after a fix."""

    data: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class Touch:
    """One normalised contact, or one phase of it.

    `event_key` is unique within the line: a touch that comes again is recognised by it.
    `external_id` groups the touches of one call or one message; `same_as` is equal for one message seen on several
    lines (Message-ID with a digest of the body).
    `party` are the identities of the other side, best first: who wrote, called, or was written to.
    `operator` is how the source names our own person (an address or an extension), if it knows.
    `text` is what was newly said (quoted history and signature folded away); `full_text` is everything.
    `html` is already sanitised. `phase` names a step of a growing interaction (calls); `call` holds its facts.
    `field_marks` maps a field to what is odd about it; `remarks` says in words what could not be read.
    """

    line: str
    event_key: str
    kind: Kind
    direction: Direction
    at: datetime
    party: tuple[Identity, ...] = ()
    external_id: str | None = None
    same_as: str | None = None
    thread: Thread | None = None
    operator: str | None = None
    subject: str | None = None
    text: str = ""
    full_text: str | None = None
    html: str | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    field_marks: Mapping[str, str] = field(default_factory=dict)
    origin: Mapping[str, Any] = field(default_factory=dict)
    attachments: tuple[Attachment, ...] = ()
    automatic: Automatic | None = None
    suspicion: str | None = None
    repeat_key: str | None = None
    phase: str | None = None
    call: Mapping[str, Any] | None = None
    language: str | None = None
    remarks: tuple[str, ...] = ()
    raw: Raw | None = None


class ReceiptState(StrEnum):
    """How far a delivery came."""

    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a channel reports about a delivery. Not a touch.

    `external_id` is the id under which the message went out. `permanent` distinguishes "no such mailbox" from
    "mailbox full": only a permanent failure re-opens what the message answered.
    """

    line: str
    external_id: str
    state: ReceiptState
    at: datetime
    recipient: str | None = None
    reason: str | None = None
    permanent: bool = True


@dataclass(frozen=True, slots=True)
class Button:
    """A choice under a message. Pressing it brings `value` back: `rate:5`, `stop`, or whatever the sender knows."""

    text: str
    value: str


@dataclass(frozen=True, slots=True)
class Approved:
    """A template that the messenger's owner has approved, by its name there; all a channel may send where free text
    is not allowed any more (WhatsApp, 24 hours after the client's last message).

    `language` is the code under which it was approved ("ru", "en_US"); `parameters` fill its body's blanks in order.
    """

    name: str
    language: str
    parameters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Message:
    """One outbound message, as the hub hands it to a channel.

    `reference` is made once when the delivery row is written and never changes: the channel derives its external id
    from it (email: the Message-ID itself), so that sending again after a crash can be recognised.
    `conversation` lets the channel stamp its own token (plus-address, bot reply); `answers` are the external ids of the
    interactions answered, oldest first, and `replies_to` that of the client's newest message among them. `automatic`
    marks messages that no human wrote. `buttons` are shown by channels that have any, and left out by the others.
    `template` is what a channel with approved templates sends in the place of `text`, which then holds the same words
    for the log; every other channel sends `text`. `unsubscribe` is set on mailings: the address where whoever gets one
    stops them, by a page or by one POST (RFC 8058).
    """

    reference: str
    to: tuple[Identity, ...]
    text: str
    at: datetime
    cc: tuple[Identity, ...] = ()
    subject: str | None = None
    html: str | None = None
    attachments: tuple[Attachment, ...] = ()
    conversation: int | None = None
    answers: tuple[str, ...] = ()
    sender_name: str | None = None
    automatic: bool = False
    replies_to: str | None = None
    buttons: tuple[Button, ...] = ()
    template: Approved | None = None
    unsubscribe: str | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """What a channel answers when a message is out. `refused` maps recipients that were not accepted to a reason."""

    external_id: str
    refused: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Webhook:
    """An HTTP request on `/hooks/{line}`, free of framework types. Header names are lower case.

    `remote` is the caller's address, as far as our proxies can be believed.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    remote: str


@dataclass(frozen=True, slots=True)
class WebhookAnswer:
    """What the web server answers to a webhook.

    With a `stream` it is written piece by piece, after `body`, until it ends, the caller goes or the hub stops; then
    the generator is closed.
    """

    status: int = 200
    body: bytes = b""
    media_type: str = "text/plain"
    headers: Mapping[str, str] = field(default_factory=dict)
    stream: AsyncGenerator[bytes] | None = None
