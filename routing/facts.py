"""What routing is told: frozen plain values, free of tables and of wire formats.

Instants are aware UTC datetimes. Operators, teams, lines, forms, regulations and calendars are named by their set-up
keys; clients, conversations, interactions and obligations by their row numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from routing.book import RuleBook
    from routing.roster import Roster

NOTHING: Mapping[str, Any] = {}
OPEN_STATES = frozenset({"running", "paused", "breached"})


@dataclass(frozen=True, slots=True)
class CallFacts:
    """The telephone side of an interaction; `outcome` is None while the call lasts and was not answered.

    `talk_s` excludes hold and is None until the call has ended; `answered_at` is when the talk began.
    """

    outcome: str | None = None
    reason: str | None = None
    talk_s: float | None = None
    answered_at: datetime | None = None
    queue: str | None = None


@dataclass(frozen=True, slots=True)
class InteractionFacts:
    """One interaction as its touches fold. `delivery` is the state of our outbound message, "failed" only for good.

    `words` is the text, folded to lower case. `again` says that it repeats another one. `regulation` is named by the
    form it came through.
    """

    id: int
    kind: str
    channel: str
    line: str
    direction: str
    at: datetime
    client: int | None = None
    conversation: int | None = None
    ended_at: datetime | None = None
    operator: str | None = None
    team: str | None = None
    automatic: str | None = None
    quarantined: bool = False
    again: bool = False
    has_files: bool = False
    fields: Mapping[str, Any] = field(default_factory=dict)
    disposition: str | None = None
    form: str | None = None
    regulation: str | None = None
    words: str = ""
    language: str | None = None
    call: CallFacts | None = None
    phase: str | None = None
    delivery: str | None = None


@dataclass(frozen=True, slots=True)
class ClientFacts:
    """A person or a company. `dates` maps the names of personal dates to ISO dates ("1980-02-29" or "02-29").

    `opted_out` are the channels on which the client wants no mailings ("all", "mailing": on none); `agreed` those on
    which he agreed to them, with "marketing" if there is any. `last_contact` is
    when anybody of ours last spoke with him, if known.
    """

    id: int
    kind: str = "person"
    company: int | None = None
    category: str | None = None
    lifecycle: str | None = None
    source: str | None = None
    responsible: str | None = None
    region: str | None = None
    language: str | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)
    first_contact: bool = False
    dates: Mapping[str, str] = field(default_factory=dict)
    opted_out: frozenset[str] = frozenset()
    agreed: frozenset[str] = frozenset()
    last_contact: datetime | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class ConversationFacts:
    """A conversation as it is after the touch. `new` says that this touch opened it.

    `waiting_since` is its oldest unanswered inbound touch, `waiting_id` that interaction; `answered_at` the latest
    answer by a human.
    """

    id: int
    client: int
    state: str = "open"
    owner: str | None = None
    team: str | None = None
    opened_at: datetime | None = None
    waiting_since: datetime | None = None
    waiting_id: int | None = None
    answered_at: datetime | None = None
    closed_why: str | None = None
    closed_by: str | None = None
    new: bool = False


@dataclass(frozen=True, slots=True)
class EventFacts:
    """Something that another program reported (`contract.closed`, `product.published`…)."""

    id: str
    event: str
    at: datetime
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pause:
    """A stretch in which an obligation's clock stood still; `end` is None while it lasts."""

    start: datetime
    end: datetime | None
    why: str
    who: str | None = None


@dataclass(frozen=True, slots=True)
class ObligationFacts:
    """The mirror of an obligation's row."""

    id: int
    regulation: str
    version: int
    start_key: str
    slot: str
    client: int
    conversation: int | None
    started_by: int | None
    owner: str | None
    team: str | None
    state: str
    started: datetime
    target: str
    calendar: str
    calendar_version: int
    due: datetime | None
    next_at: datetime | None = None
    pinned: bool = False
    pauses: tuple[Pause, ...] = ()
    steps_done: tuple[str, ...] = ()
    breached_at: datetime | None = None
    met_at: datetime | None = None
    met_by: int | None = None
    closed_at: datetime | None = None
    closed_why: str | None = None
    excuse: Mapping[str, Any] | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_open(self) -> bool:
        """Whether the promise still waits to be kept."""
        return self.state in OPEN_STATES

    @property
    def standing(self) -> bool:
        """Whether its clock stands still now."""
        return bool(self.pauses) and self.pauses[-1].end is None


@dataclass(frozen=True, slots=True)
class TaskFacts:
    """A task, with the condition that closes it by itself (`met_by`, in the words of a regulation) if it has one."""

    id: int
    title: str
    state: str
    client: int | None = None
    conversation: int | None = None
    obligation: int | None = None
    interaction: int | None = None
    owner: str | None = None
    team: str | None = None
    due: datetime | None = None
    remind_at: datetime | None = None
    made_at: datetime | None = None
    made_by: str = ""
    closed_at: datetime | None = None
    closed_by: str | None = None
    met_by: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything a decision may look at. `at` is when it happened at its source, `now` when we hear of it.

    A touch: `interaction` as it is now and `before` as it was (None when new). An edit of the client or of the
    conversation: `client_before`, `conversation_before`. A report from outside: `event`. `actor` is who did it.
    `obligations` are the client's (and his company's): the open ones and those closed lately. `later` are interactions
    of the client since the touch's beginning that the log knew before it (late touches and events, fields filled late).
    """

    now: datetime
    at: datetime
    book: RuleBook
    roster: Roster
    interaction: InteractionFacts | None = None
    before: InteractionFacts | None = None
    event: EventFacts | None = None
    client: ClientFacts | None = None
    client_before: ClientFacts | None = None
    company: ClientFacts | None = None
    conversation: ConversationFacts | None = None
    conversation_before: ConversationFacts | None = None
    obligations: Sequence[ObligationFacts] = ()
    tasks: Sequence[TaskFacts] = ()
    later: Sequence[InteractionFacts] = ()
    actor: str | None = None
