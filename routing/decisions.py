"""What routing may decide: a closed list of plain values. `apply.py` carries them out; nothing else does.

Each names its cause. Those about a running obligation carry the new due and the next instant at which the clock must
look again, already computed, so that carrying them out needs no thought.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from routing.facts import Pause


@dataclass(frozen=True, slots=True)
class MakeTask:
    """Ask an operator (or a team) to do something. `step` names the regulation's step that asked, if one did."""

    title: str
    owner: str | None
    team: str | None
    due: datetime | None
    client: int | None
    made_by: str
    conversation: int | None = None
    obligation: int | None = None
    interaction: int | None = None
    step: str | None = None
    remind_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class StartObligation:
    """Start a promise, and ask its owner to keep it. `met`: when and by which interaction it is kept already."""

    regulation: str
    version: int
    start_key: str
    slot: str
    client: int
    conversation: int | None
    started_by: int | None
    owner: str | None
    team: str | None
    started: datetime
    target: str
    calendar: str
    calendar_version: int
    due: datetime | None
    next_at: datetime | None
    cause: str
    task: MakeTask | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    met: tuple[datetime, int] | None = None
    pauses: tuple[Pause, ...] = ()


@dataclass(frozen=True, slots=True)
class MeetObligation:
    """The promise was kept at `at`, by this interaction (None: by something that is not a touch)."""

    obligation: int
    at: datetime
    met_by: int | None
    cause: str


@dataclass(frozen=True, slots=True)
class CancelObligation:
    """The promise no longer binds: `why` in one word, and who said so."""

    obligation: int
    at: datetime
    why: str
    by: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ResetObligation:
    """Begin anew from `started`, forgetting what was counted."""

    obligation: int
    at: datetime
    started: datetime
    started_by: int | None
    due: datetime | None
    next_at: datetime | None
    cause: str


@dataclass(frozen=True, slots=True)
class PauseObligation:
    """Stop the clock. `due` is None unless the target is one that pauses do not move."""

    obligation: int
    at: datetime
    why: str
    by: str | None
    due: datetime | None
    next_at: datetime | None


@dataclass(frozen=True, slots=True)
class ResumeObligation:
    """Let the clock run again."""

    obligation: int
    at: datetime
    why: str
    by: str | None
    due: datetime | None
    next_at: datetime | None


@dataclass(frozen=True, slots=True)
class ReopenObligation:
    """What met or cancelled it proved void; `pause` is the stretch in which it seemed kept, when that is forgiven."""

    obligation: int
    at: datetime
    cause: str
    state: str
    due: datetime | None
    next_at: datetime | None
    pause: Pause | None = None


@dataclass(frozen=True, slots=True)
class RecomputeObligation:
    """A new due for a reason: category, owner, calendar, regulation, client, a late touch or a person's hand."""

    obligation: int
    at: datetime
    cause: str
    version: int
    started: datetime
    started_by: int | None
    target: str
    calendar: str
    calendar_version: int
    due: datetime | None
    next_at: datetime | None
    pinned: bool = False
    by: str | None = None
    restarted: bool = False


@dataclass(frozen=True, slots=True)
class BreachObligation:
    """The due passed at `at`; seen at `noticed_at`. `late_by` seconds when the clock itself was late to look."""

    obligation: int
    at: datetime
    noticed_at: datetime
    cause: str
    next_at: datetime | None
    late_by: int = 0


@dataclass(frozen=True, slots=True)
class WithdrawBreach:
    """It was not breached after all: a late touch, or a later due."""

    obligation: int
    at: datetime
    cause: str


@dataclass(frozen=True, slots=True)
class FireStep:
    """A step of the regulation has its time; `key` is remembered so that it fires once.

    `skipped`: it is passed over, since its time was past before there was anything to tell.
    """

    obligation: int
    key: str
    at: datetime
    next_at: datetime | None
    late_by: int = 0
    skipped: bool = False


@dataclass(frozen=True, slots=True)
class NoteAttempt:
    """The client tried again while a promise of the same kind runs; its due stays."""

    obligation: int
    at: datetime
    interaction: int | None


@dataclass(frozen=True, slots=True)
class NoteDetails:
    """Remember something about a promise; a value of None forgets it."""

    obligation: int
    at: datetime
    details: Mapping[str, Any]
    cause: str


@dataclass(frozen=True, slots=True)
class HandOver:
    """The promise and its open tasks go to another owner or team."""

    obligation: int
    at: datetime
    owner: str | None
    team: str | None
    cause: str
    by: str | None = None


@dataclass(frozen=True, slots=True)
class MoveObligation:
    """The promise belongs to another client now (merge, un-merge, a corrected touch)."""

    obligation: int
    at: datetime
    client: int
    cause: str


@dataclass(frozen=True, slots=True)
class ExcuseObligation:
    """A person forgives a breach, with a reason; reports show both."""

    obligation: int
    at: datetime
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class CloseTask:
    """Close the open tasks of an obligation, or one task by its id."""

    at: datetime
    by: str
    state: str = "done"
    obligation: int | None = None
    task: int | None = None


@dataclass(frozen=True, slots=True)
class ReopenTask:
    """What closed them proved void."""

    at: datetime
    cause: str
    obligation: int | None = None
    task: int | None = None


@dataclass(frozen=True, slots=True)
class RaiseAlert:
    """Tell somebody. `cause` groups alerts that have one reason (a storm becomes one digest)."""

    obligation: int
    step: str
    at: datetime
    to: str
    title: str
    cause: str
    push_at: datetime
    data: Mapping[str, Any] = field(default_factory=dict)
    storm: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class WithdrawAlert:
    """Correct what was told: every alert of the obligation that is not about a breach stays, the others are void."""

    obligation: int
    at: datetime
    cause: str


@dataclass(frozen=True, slots=True)
class AcknowledgeBreach:
    """Somebody on the ladder said that he has it: it climbs no further."""

    obligation: int
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class AssignConversation:
    """Give a conversation to an operator or to a team; `reason` says by which rule and strategy."""

    conversation: int
    operator: str | None
    team: str | None
    reason: str
    pass_on_at: datetime | None = None


Decision = (
    StartObligation
    | MeetObligation
    | CancelObligation
    | ResetObligation
    | PauseObligation
    | ResumeObligation
    | ReopenObligation
    | RecomputeObligation
    | BreachObligation
    | WithdrawBreach
    | FireStep
    | NoteAttempt
    | NoteDetails
    | HandOver
    | MoveObligation
    | ExcuseObligation
    | MakeTask
    | CloseTask
    | ReopenTask
    | RaiseAlert
    | WithdrawAlert
    | AcknowledgeBreach
    | AssignConversation
)
