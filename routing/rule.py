"""One version of one regulation, compiled: the shape that every kind fills in. Pure."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from routing.duration import Duration
from routing.facts import Facts, InteractionFacts, ObligationFacts, Pause
from routing.matching import Matcher, Selector, compile_after, compile_for, holds
from routing.settings import Common, Targets
from routing.steps import RESPONSIBLE, compile_steps


@dataclass(frozen=True, slots=True)
class Start:
    """That a promise begins: from when, because of what, whose it is. `due` is given by kinds that name a day.

    `pauses` are those it takes over from the promise it follows on.
    """

    anchor: datetime
    key: str
    client: int
    interaction: int | None = None
    conversation: int | None = None
    owner: str | None = None
    team: str | None = None
    due: datetime | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    pauses: tuple[Pause, ...] = ()


@dataclass(frozen=True, slots=True)
class Ended:
    """That a promise no longer binds: why, and who said so."""

    why: str
    by: str | None = None


class Rule:
    """A compiled regulation. Kinds override what differs; all methods are pure and cheap."""

    breach_to: str | None = "lead"
    """Who hears of a breach when no step says so."""
    makes_task = True
    """Whether its owner is asked by a task as soon as it starts."""
    needs_target = True
    """Whether nothing is promised where no length is set."""
    per_client = False
    """Whether it is about the client himself: it ends when `for` no longer fits him."""
    many = False
    """Whether `starts` must be asked, because it can begin several promises at once."""
    pulls_back = True
    """Whether an older cause that arrives late makes a running promise begin earlier."""
    joins_attempts = False
    """Whether a second cause while it runs is only noted."""

    def __init__(self, key: str, version: int, settings: Common, order: int = 0) -> None:
        self.key = key
        self.version = version
        self.common = settings
        self.order = order
        self.slot = settings.slot or self.default_slot()
        self.applies: Selector = compile_for(settings.for_)
        self.targets: Targets = getattr(settings, "within", None) or {}
        self.pause_while = frozenset(settings.pause_while)
        self.enforce_from = settings.enforce_from or settings.enabled_from
        groups = (settings.warn, settings.remind, settings.steps, settings.escalate)
        self.steps = compile_steps(groups, breach_to=self.breach_to)
        self.tells_responsible = any(step.to == RESPONSIBLE for step in self.steps)
        self._cancel_when: Matcher | None = compile_after(settings.cancel_when) if settings.cancel_when else None
        self.prepare()

    def prepare(self) -> None:
        """Compile what only this kind has."""

    def default_slot(self) -> str:
        """Promises of one slot exclude each other; by default a regulation has its own."""
        return self.key

    def scope(self, client: int, conversation: int | None, key: str) -> Hashable:
        """Within what its slot holds one promise at a time: the conversation, where there is one."""
        return ("conversation", conversation) if conversation is not None else ("client", client)

    def target_words(self, start: Start) -> str:
        """What is written as the target of a promise that has no length."""
        return ""

    def target(self, category: str | None) -> Duration | None:
        """How long it may take for a client of this category; None: nothing is promised, or no length is set."""
        targets = self.targets
        return targets.get(category or "other") or targets.get("other")

    def start(self, facts: Facts) -> Start | None:
        """Whether what happened starts this promise (the `for` table and the slot are judged by the engine)."""
        raise NotImplementedError

    def starts(self, facts: Facts) -> Iterable[Start]:
        """All promises that what happened starts, where it can be several."""
        found = self.start(facts)
        return () if found is None else (found,)

    def meets(self, obligation: ObligationFacts, facts: Facts) -> datetime | None:
        """When the promise was kept, if what happened keeps it."""
        raise NotImplementedError

    def ends(self, obligation: ObligationFacts, facts: Facts) -> Ended | None:
        """Whether it no longer binds."""
        if self._cancel_when is not None and happened(self.common.cancel_when, self._cancel_when, facts):
            return Ended("no_longer_needed", facts.actor)
        return ended_with_conversation(obligation, facts)

    def resets(self, obligation: ObligationFacts, facts: Facts) -> datetime | None:
        """From when it is counted anew, if what happened resets it."""
        return None

    def stands(self, obligation: ObligationFacts, facts: Facts) -> str | None:
        """Why its clock stands still now, if it does."""
        if not self.pause_while or facts.conversation is None or facts.conversation.id != obligation.conversation:
            return None
        return facts.conversation.state if facts.conversation.state in self.pause_while else None

    def reopens(self, obligation: ObligationFacts, facts: Facts) -> str | None:
        """Why a finished promise binds again, if it does (proofs that proved void are judged by the engine)."""
        before, after = facts.conversation_before, facts.conversation
        if facts.interaction is not None or before is None or after is None or after.id != obligation.conversation:
            return None
        if before.state not in CLOSED or after.state in CLOSED or obligation.state != "cancelled":
            return None
        why = "junk" if before.state == "junk" else before.closed_why or "solved"
        return "conversation_reopened" if obligation.closed_why == why and is_last(obligation, facts) else None

    def teams(self) -> tuple[str, ...]:
        """The teams it speaks of; none: of all."""
        return (*self.common.for_.team, *self.common.for_.queue) if self.common.for_ else ()

    def left(self, obligation: ObligationFacts, facts: Facts) -> bool:
        """Whether its conversation went to a team that this regulation does not speak of."""
        before, after, teams = facts.conversation_before, facts.conversation, self.teams()
        if before is None or after is None or after.id != obligation.conversation or not teams:
            return False
        return before.team != after.team and after.team not in teams

    def arrives(self, facts: Facts) -> bool:
        """Whether an open conversation came to a team that this regulation speaks of from one of another."""
        before, after, teams = facts.conversation_before, facts.conversation, self.teams()
        if facts.interaction is not None or facts.client is None or before is None or after is None:
            return False
        return before.team != after.team and after.state not in CLOSED and (not teams or after.team in teams)

    def take_over(self, facts: Facts, at: datetime | None, interaction: int | None) -> Start | None:
        """What another team promised in this slot goes on as it began; else it begins at `at`, if that is known."""
        talk = facts.conversation
        assert talk is not None and facts.client is not None
        earlier = next((o for o in facts.obligations if o.conversation == talk.id and self._follows(o, facts)), None)
        pauses: tuple[Pause, ...] = ()
        if earlier is not None:
            at, interaction = earlier.started, earlier.started_by
            pauses = tuple(each for each in earlier.pauses if each.why in self.pause_while or each.end is not None)
        if at is None:
            return None
        if talk.state in self.pause_while and not (pauses and pauses[-1].end is None):
            pauses = (*pauses, Pause(max(facts.at, at), None, talk.state, facts.actor))
        team = team_of(facts)
        key = f"t{talk.id}:{facts.at:%Y%m%dT%H%M%S%f}"
        owner = owner_of(facts, team)
        return Start(at, key, facts.client.id, interaction, talk.id, owner, team, pauses=pauses)

    def _follows(self, earlier: ObligationFacts, facts: Facts) -> bool:
        if not earlier.is_open or earlier.slot != self.slot or earlier.regulation == self.key:
            return False
        return facts.book.rule(earlier.regulation, earlier.version).left(earlier, facts)

    def task_title(self, language: str) -> str:
        """What the owner is asked to do."""
        return self.common.title_in(language)


CLOSED = frozenset({"solved", "junk"})


def is_last(obligation: ObligationFacts, facts: Facts) -> bool:
    """Whether no younger promise of its slot was made for its conversation."""
    return not any(
        other.id > obligation.id and other.slot == obligation.slot and other.conversation == obligation.conversation
        for other in facts.obligations
    )


def ended_with_conversation(obligation: ObligationFacts, facts: Facts) -> Ended | None:
    """A conversation that is solved or junk needs nothing more; who closed it and why is kept."""
    conversation = facts.conversation
    if conversation is None or conversation.id != obligation.conversation or conversation.state not in CLOSED:
        return None
    why = "junk" if conversation.state == "junk" else conversation.closed_why or "solved"
    return Ended(why, conversation.closed_by or facts.actor)


def comes_after(touch: InteractionFacts, at: datetime, obligation: ObligationFacts) -> bool:
    """Whether a contact comes after what started a promise.

    Mail and messengers tell seconds: of two at one instant the one that the log has later is later, and a stop comes
    before a start that no touch made.
    """
    return at > obligation.started or (at == obligation.started and touch.id > (obligation.started_by or 0))


def happened(table: Any, matches: Matcher, facts: Facts) -> bool:
    """Whether what happened is the event of an `after` table: a reported one, or an interaction that became it now."""
    if facts.event is not None:
        event = facts.event
        return event.event in table.event and all(holds(event.fields.get(k), v) for k, v in table.field.items())
    return became(matches, facts)


def became(matches: Callable[[InteractionFacts, Facts], bool], facts: Facts) -> bool:
    """Whether the interaction matches now and did not before: an edit starts nothing twice."""
    interaction, before = facts.interaction, facts.before
    if interaction is None or interaction.client is None or not matches(interaction, facts):
        return False
    return before is None or before.client is None or not matches(before, facts)


def owner_of(facts: Facts, team: str | None, *, doer_first: bool = False) -> str | None:
    """Whose promise it becomes: the conversation's owner, else the responsible when he is of the team, else nobody's.

    With `doer_first`, the operator of the touch (he promised it) comes before them. Who is away is stood in for.
    """
    conversation, client = facts.conversation, facts.client
    roster, at = facts.roster, facts.now
    if doer_first and facts.interaction is not None and (doer := roster.deputy(facts.interaction.operator, at)):
        return doer
    if conversation is not None and conversation.owner is not None and (found := roster.deputy(conversation.owner, at)):
        return found
    responsible = client.responsible if client else None
    if responsible is None and facts.company is not None:
        responsible = facts.company.responsible
    if responsible is None:
        return None
    found = roster.deputy(responsible, at)
    return found if found is not None and roster.in_team(found, team) else None


def team_of(facts: Facts) -> str | None:
    """Which team it falls to."""
    if facts.conversation is not None and facts.conversation.team is not None:
        return facts.conversation.team
    return facts.interaction.team if facts.interaction else None
