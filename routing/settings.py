"""What all kinds of regulations have in common in a set-up file."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field, PlainSerializer

from routing.conditions import After, For, Length, Spans, Table, fault, meant, read_duration
from routing.deadline import Roll
from routing.duration import Duration
from routing.steps import StepSettings

CONVERSATION_STATES = ("open", "waiting_client", "postponed", "solved", "junk")
LANGUAGES = ("ru", "uk", "pl", "en")
Targets = Mapping[str, Duration]


class BadRegulation(ValueError):
    """A regulation nobody can keep: `key` names the place in the set-up, `remedy` the way out."""

    def __init__(self, key: str, reason: str, remedy: str) -> None:
        super().__init__(f"{key}: {reason}; {remedy}")
        self.key = key
        self.reason = reason
        self.remedy = remedy


def _targets(value: object) -> object:
    if isinstance(value, Mapping):
        return MappingProxyType({str(name): read_duration(each) for name, each in value.items()})
    return MappingProxyType({"other": read_duration(value)})


def _write_targets(value: Targets) -> object:
    return str(value["other"]) if list(value) == ["other"] else {name: str(each) for name, each in value.items()}


def _states(value: object) -> object:
    words = (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else value
    for word in words if isinstance(words, tuple) else ():
        if word not in CONVERSATION_STATES:
            raise fault(f'no state of a conversation is called "{word}"', meant(str(word), CONVERSATION_STATES))
    return words


def _warnings(value: object) -> object:
    words = [value] if isinstance(value, str) else value
    if not isinstance(words, list | tuple):
        return words
    return tuple({"when": each} if isinstance(each, str) else each for each in words)


def _instant(value: object) -> object:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value) if "T" in value else date.fromisoformat(value)
        except ValueError:
            raise fault(f'"{value}" is not a date', 'write it as "2026-12-01"') from None
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    return datetime.combine(value, time(), UTC) if isinstance(value, date) else value


def _change(value: object) -> object:
    known = ("retroactive", "restart", "keep")
    if value not in known:
        raise fault(f'on_change cannot be "{value}"', meant(str(value), known))
    return value


def _titles(value: object) -> object:
    if isinstance(value, Mapping):
        for name in value:
            if name not in LANGUAGES:
                raise fault(f'no language is called "{name}"', meant(str(name), LANGUAGES))
    return value


TargetTable = Annotated[Any, BeforeValidator(_targets), PlainSerializer(_write_targets)]
States = Annotated[tuple[str, ...], BeforeValidator(_states)]
Warnings = Annotated[tuple[StepSettings, ...], BeforeValidator(_warnings)]
Moment = Annotated[datetime | None, BeforeValidator(_instant)]
Change = Annotated[str, BeforeValidator(_change)]
Title = Annotated[str | dict[str, str], BeforeValidator(_titles)]


class Storm(Table):
    """More alerts than this from one cause within this time become one digest."""

    more_than: int = Field(default=10, ge=1)
    within: Length = Field(default_factory=lambda: Duration.target("5 min"))


class Common(Table):
    """The keys every kind understands."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, arbitrary_types_allowed=True, alias_generator=lambda name: name.rstrip("_")
    )

    title: Title
    kind: str
    for_: For | None = None
    calendar: str | None = None
    roll: Roll = Roll.NONE
    slot: str | None = None
    warn: Warnings = ()
    remind: tuple[StepSettings, ...] = ()
    steps: tuple[StepSettings, ...] = ()
    escalate: tuple[StepSettings, ...] = ()
    pause_while: States = ()
    cancel_when: After | None = None
    on_change: Change = "retroactive"
    enforce_from: Moment = None
    enabled_from: Moment = None
    enabled: bool = True
    quiet_hours: Spans = ()
    storm: Storm = Storm()

    def title_in(self, language: str) -> str:
        """The title, in the reader's language when the manager gave it."""
        if isinstance(self.title, str):
            return self.title
        return self.title.get(language) or self.title.get("en") or next(iter(self.title.values()), "")
