"""The conditions of regulations and routes, as tables of a set-up file.

`for` picks whom a regulation is about, `after` the event that starts a promise, `met_by` (or `action`) what keeps it.
`matching.py` compiles them.
"""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, model_validator
from pydantic_core import PydanticCustomError

from routing.calendar.span import Hours, read_hours
from routing.duration import BadDuration, Duration

KINDS = ("call", "message", "form", "meeting", "letter", "fax", "note")
DIRECTIONS = ("inbound", "outbound", "internal")
CLIENT_KINDS = ("person", "company")
LIFECYCLES = ("potential", "current", "gone")
SPOKEN = frozenset({"call", "meeting"})
WRITTEN = frozenset({"message", "letter", "fax"})
LIVE_EVENTS = (
    "call.started",
    "call.answered",
    "call.ended",
    "call.missed",
    "meeting.ended",
    "message.received",
    "message.sent",
    "form.received",
    "letter.received",
    "letter.sent",
    "fax.received",
    "fax.sent",
    "note.written",
    "offer.sent",
)
REPORTED_EVENTS = (
    "contract.signed",
    "contract.closed",
    "contract.cancelled",
    "offer.sent",
    "offer.accepted",
    "offer.refused",
    "order.placed",
    "order.cancelled",
    "purchase.made",
    "invoice.issued",
    "invoice.paid",
    "invoice.overdue",
    "shipment.sent",
    "shipment.delivered",
    "product.published",
    "meeting.planned",
    "meeting.ended",
    "survey.filled",
    "claim.opened",
    "claim.closed",
)
OWN_EVENTS = "own."
"""Programs may report events of their own invention under this prefix."""


def fault(reason: str, remedy: str) -> PydanticCustomError:
    """A fault in a table; `ctx` keeps both halves for whoever shows it."""
    return PydanticCustomError("regulation", "{reason}; {remedy}", {"reason": reason, "remedy": remedy})


def meant(word: str, known: tuple[str, ...] | list[str]) -> str:
    """`did you mean "x"?`, or what there is."""
    near = get_close_matches(word, known, n=1, cutoff=0.5)
    return f'did you mean "{near[0]}"?' if near else f"known are {', '.join(known)}"


def _listed(value: object) -> object:
    if isinstance(value, str):
        return (value,)
    return tuple(value) if isinstance(value, list) else value


def _kinds(value: object) -> object:
    found = _listed(value)
    for word in found if isinstance(found, tuple) else ():
        if word not in KINDS:
            raise fault(f'no kind of contact is called "{word}"', meant(str(word), KINDS))
    return found


def _among(word: str, known: tuple[str, ...]) -> Callable[[object], object]:
    """Reads a list of words of a closed choice; `word` is what one of them is called."""

    def read(value: object) -> object:
        found = _listed(value)
        for each in found if isinstance(found, tuple) else ():
            if each not in known:
                raise fault(f'no {word} is called "{each}"', meant(str(each), known))
        return found

    return read


def _attached(value: object) -> object:
    if value != "attachment":
        raise fault(f'nothing is sent with "{value}"', 'write with = "attachment", or leave it out')
    return value


def doubt_event(name: str) -> str | None:
    """Why no regulation can ever see an event of this name, and which was meant; None if one can."""
    known = (*LIVE_EVENTS, *REPORTED_EVENTS)
    if name in known or name.startswith(OWN_EVENTS):
        return None
    return f'no event is called "{name}"; {meant(name, known)} (events of your own begin with "{OWN_EVENTS}")'


def _events(value: object) -> object:
    found = _listed(value)
    for word in found if isinstance(found, tuple) else ():
        if (doubt := doubt_event(str(word))) is not None:
            raise fault(*doubt.split("; ", 1))
    return found


def read_duration(value: object) -> object:
    """A duration in words, as a target or a length."""
    if isinstance(value, Duration):
        return value
    try:
        return Duration.target(str(value))
    except BadDuration as error:
        raise fault(str(error), 'write it as "4 working hours"') from None


def _length(value: object) -> object:
    found = read_duration(value)
    if not isinstance(found, Duration) or not found.in_time:
        raise fault(f'"{value}" is not a length of time', 'write it as "30 s"')
    return found


def _hours(value: object) -> Hours:
    return read_hours([value] if isinstance(value, str) else value)


def _who(value: object) -> object:
    known = ("human", "responsible", "owner", "any")
    if value not in known:
        raise fault(f'nobody is called "{value}" here', meant(str(value), known))
    return value


Many = Annotated[tuple[str, ...], BeforeValidator(_listed)]
Kinds = Annotated[tuple[str, ...], BeforeValidator(_kinds)]
Directions = Annotated[tuple[str, ...], BeforeValidator(_among("direction", DIRECTIONS))]
ClientKinds = Annotated[tuple[str, ...], BeforeValidator(_among("kind of client", CLIENT_KINDS))]
Lifecycles = Annotated[tuple[str, ...], BeforeValidator(_among("state of a client", LIFECYCLES))]
Attached = Annotated[str, BeforeValidator(_attached)]
Events = Annotated[tuple[str, ...], BeforeValidator(_events)]
Target = Annotated[Duration, BeforeValidator(read_duration), PlainSerializer(str)]
Length = Annotated[Duration, BeforeValidator(_length), PlainSerializer(str)]
Spans = Annotated[Hours, BeforeValidator(_hours), PlainSerializer(lambda hours: [str(each) for each in hours])]
Who = Annotated[str, BeforeValidator(_who)]


class Table(BaseModel):
    """A table of a set-up file: a key it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class For(Table):
    """Whom or what it is about. A list means any of it; several keys mean all of them."""

    category: Many = ()
    team: Many = ()
    queue: Many = ()
    line: Many = ()
    channel: Many = ()
    form: Many = ()
    kind: Kinds = ()
    direction: Directions = ()
    client_kind: ClientKinds = ()
    lifecycle: Lifecycles = ()
    source: Many = ()
    region: Many = ()
    language: Many = ()
    responsible: Many = ()
    counterparty: Many = ()
    product_line: Many = ()
    disposition: Many = ()
    words: Many = ()
    field: dict[str, Any] = {}
    first_contact: bool | None = None
    during: Spans = ()
    open: bool | None = None


class After(Table):
    """The event that starts a promise."""

    event: Events
    field: dict[str, Any] = {}
    disposition: Many = ()
    kind: Kinds = ()
    channel: Many = ()
    direction: Directions = ()
    line: Many = ()
    form: Many = ()
    min_talk: Length | None = None

    @model_validator(mode="after")
    def _can_happen(self) -> After:
        """An event that its own kind or direction rules out would start nothing, for ever."""
        kinds = {event.partition(".")[0] for event in self.event}
        if self.kind and kinds <= set(KINDS) and not kinds & set(self.kind):
            raise fault(f"{_said(self.event)} is never a {_said(self.kind)}", "leave kind out: the event says it")
        ways = {_WAYS.get(event.partition(".")[2], "") for event in self.event}
        if self.direction and "" not in ways and not ways & set(self.direction):
            raise fault(
                f"{_said(self.event)} is never {_said(self.direction)}", "leave direction out: the event says it"
            )
        return self


class Action(Table):
    """What keeps a promise: kinds of contact, channels to send by, who, how long, with what; or a reported event."""

    any: Kinds = ()
    send: Many = ()
    channel: Many = ()
    direction: Directions = ()
    by: Who = "human"
    with_: Attached | None = None
    min_talk: Length | None = None
    event: Events = ()
    field: dict[str, Any] = {}
    disposition: Many = ()
    form: Many = ()
    words: Many = ()

    model_config = ConfigDict(
        extra="forbid", frozen=True, arbitrary_types_allowed=True, alias_generator=lambda name: name.rstrip("_")
    )

    @model_validator(mode="after")
    def _can_be_done(self) -> Action:
        """What contradicts itself would be met by nothing, and every promise breached."""
        kinds = set(self.any)
        if self.send and self.direction and "outbound" not in self.direction:
            raise fault(f"what we send is never {_said(self.direction)}", "leave direction out, or send")
        if self.with_ and kinds and kinds <= SPOKEN:
            raise fault(f"a {_said(self.any)} has no attachment", 'leave with out, or name "message" in any')
        if self.min_talk is not None and kinds and "call" not in kinds:
            raise fault(f"min_talk measures calls, and only {_said(self.any)} counts here", "leave min_talk out")
        if self.form or (self.event and not kinds and not self.send):
            return self
        if kinds and not kinds & (SPOKEN | WRITTEN):
            raise fault(f"nobody is reached by a {_said(self.any)}", 'name "call", "meeting", "message", "letter"')
        if kinds and kinds <= WRITTEN and self.direction and "outbound" not in self.direction:
            raise fault("only what we send keeps a promise", 'write direction = ["outbound"], or leave it out')
        return self


_WAYS = {"received": "inbound", "sent": "outbound", "missed": "inbound"}


def _said(words: tuple[str, ...]) -> str:
    return " or ".join(words)
