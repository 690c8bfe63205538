"""The conditions of regulations and routes, as tables of a set-up file.

`for` picks whom a regulation is about, `after` the event that starts a promise, `met_by` (or `action`) what keeps it.
`matching.py` compiles them.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer
from pydantic_core import PydanticCustomError

from routing.calendar.span import Hours, read_hours
from routing.duration import BadDuration, Duration

KINDS = ("call", "message", "form", "meeting", "letter", "fax", "note")
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
    direction: Many = ()
    client_kind: Many = ()
    lifecycle: Many = ()
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
    direction: Many = ()
    line: Many = ()
    form: Many = ()
    min_talk: Length | None = None


class Action(Table):
    """What keeps a promise: kinds of contact, channels to send by, who, how long, with what; or a reported event."""

    any: Kinds = ()
    send: Many = ()
    channel: Many = ()
    direction: Many = ()
    by: Who = "human"
    with_: str | None = None
    min_talk: Length | None = None
    event: Events = ()
    field: dict[str, Any] = {}
    disposition: Many = ()
    form: Many = ()
    words: Many = ()

    model_config = ConfigDict(
        extra="forbid", frozen=True, arbitrary_types_allowed=True, alias_generator=lambda name: name.rstrip("_")
    )
