"""The steps of a promise: what is done at which share of its time, before or after its due, and who is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from functools import lru_cache
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer

from routing import deadline
from routing.calendar import Calendar, Interval
from routing.conditions import Many, Table, fault
from routing.duration import BadDuration, Duration, StepTime

TASK = "task"
ALERT = "alert"
RESPONSIBLE = "responsible"
"""The step's recipient who is neither a rung nor a key: who answers for the client."""


def _when(value: object) -> object:
    if isinstance(value, StepTime):
        return value
    try:
        return StepTime.parse(str(value))
    except BadDuration as error:
        raise fault(str(error), 'write "50%", "-30 min", "due" or "+2 working hours"') from None


def _doings(value: object) -> object:
    words = (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else value
    for word in words if isinstance(words, tuple) else ():
        if word != ALERT and word != TASK and not str(word).startswith("task:"):
            raise fault(f'a step cannot do "{word}"', 'write "alert" or "task:What is to be done"')
    return words


When = Annotated[StepTime, BeforeValidator(_when), PlainSerializer(str)]
Doings = Annotated[tuple[str, ...], BeforeValidator(_doings)]


class StepSettings(Table):
    """One step as a manager writes it."""

    when: When
    do: Doings = (ALERT,)
    to: Many = ("owner",)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing done to one recipient at one time. `name` is unique within the regulation."""

    name: str
    when: StepTime
    do: str
    to: str
    title: str | None = None

    @property
    def at_due(self) -> bool:
        """Whether it belongs to the breach itself."""
        return self.when.share is None and self.when.offset is None

    @property
    def after_due(self) -> bool:
        """Whether it is a rung of the ladder, climbed only while nobody acknowledged."""
        return self.when.offset is not None and self.when.offset.amount >= 0

    def key(self, due: datetime) -> str:
        """What is remembered so that it fires once for this due."""
        return f"{self.name}@{due.isoformat()}"

    def at(
        self,
        target: Duration | None,
        started: datetime,
        due: datetime,
        calendar: Calendar,
        pauses: tuple[Interval, ...],
        roll: deadline.Roll,
    ) -> datetime | None:
        """When it is taken; None for a warning whose time would be before the promise even began."""
        if self.at_due:
            return due + deadline.TICK
        if self.when.share is not None:
            found = self._shared(target, started, due, calendar, pauses, roll)
        else:
            assert self.when.offset is not None
            found = deadline.offset(due, self.when.offset, calendar)
        if found <= started and not self.after_due:
            return None
        return found if not self.after_due or found > due else due + deadline.TICK

    def _shared(
        self,
        target: Duration | None,
        started: datetime,
        due: datetime,
        calendar: Calendar,
        pauses: tuple[Interval, ...],
        roll: deadline.Roll,
    ) -> datetime:
        share = self.when.share
        assert share is not None
        if target is None:
            return started + (due - started) * float(share)
        part = _part(target, share)
        if part is not None:
            return deadline.compute(part, started, calendar, pauses)
        return deadline.at_share(target, started, calendar, pauses, share, roll)


@lru_cache(maxsize=1024)
def _part(target: Duration, share: Fraction) -> Duration | None:
    """A share of a length of time, when that is a whole number of seconds: most are, and are computed sooner."""
    amount = target.amount * share
    return Duration(target.measure, int(amount)) if target.in_time and amount.denominator == 1 and amount else None


def compile_steps(groups: tuple[tuple[StepSettings, ...], ...], *, breach_to: str | None) -> tuple[Step, ...]:
    """Flat steps of all groups; with `breach_to`, an alert at the due unless one is written."""
    steps: list[Step] = []
    for settings in (each for group in groups for each in group):
        for doing in settings.do:
            word, _, title = doing.partition(":")
            steps += [_step(settings.when, word, to, title.strip() or None) for to in settings.to]
    if breach_to is not None and not any(each.at_due and each.do == ALERT for each in steps):
        steps.append(_step(StepTime(), ALERT, breach_to, None))
    seen: dict[str, Step] = {}
    for step in steps:
        seen.setdefault(step.name, step)
    return tuple(seen.values())


def _step(when: StepTime, word: str, to: str, title: str | None) -> Step:
    name = f"{when} {word} {to}" if title is None else f"{when} {word} {to} {title}"
    return Step(name[:56], when, word, to, title)
