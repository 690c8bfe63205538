"""`gate`: something must be known before a touch is done with: the source at the first call, the reason of a refusal.

A person cannot close before the fields are filled (`routing.blocking`); when a machine closed (the call ended), the
missing fields become a promise, with a due if `within` is set.
"""

from __future__ import annotations

from collections.abc import Hashable
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from routing.conditions import Many, fault
from routing.facts import ClientFacts, Facts, InteractionFacts, ObligationFacts
from routing.matching import human
from routing.rule import Ended, Rule, Start, became, owner_of, team_of
from routing.settings import Common, TargetTable

OF_CLIENT = frozenset({"source", "category", "lifecycle", "responsible", "region", "language", "name"})
TITLES = {"ru": "Заполнить", "uk": "Заповнити", "pl": "Uzupełnić", "en": "Fill in"}


def _something(names: tuple[str, ...]) -> tuple[str, ...]:
    if not names:
        raise fault("a gate that asks for nothing is none", 'write require = ["source"]')
    return names


class Settings(Common):
    """Keys of `kind = "gate"`."""

    kind: Literal["gate"]
    require: Annotated[Many, AfterValidator(_something)]
    within: TargetTable = Field(default_factory=dict)


class Regulation(Rule):
    """Fields that must be filled."""

    common: Settings
    needs_target = False
    pulls_back = False

    def prepare(self) -> None:
        """What the touch itself must be like."""
        chosen = self.common.for_
        self._dispositions = frozenset(chosen.disposition) if chosen else frozenset()

    def scope(self, client: int, conversation: int | None, key: str) -> Hashable:
        """Every touch for itself; but who is asked for what only the client can have is asked once."""
        return ("client", client) if OF_CLIENT.issuperset(self.common.require) else ("touch", key)

    def done_with(self, interaction: InteractionFacts, facts: Facts) -> bool:
        """Whether the touch is over, and one of those this gate stands behind."""
        if interaction.kind == "note" or not human(interaction) or interaction.again:
            return False
        if interaction.kind == "call" and (interaction.ended_at is None or not _talked(interaction)):
            return False
        return not self._dispositions or interaction.disposition in self._dispositions

    def missing(self, facts: Facts, interaction: InteractionFacts | None) -> tuple[str, ...]:
        """Which of the fields are not filled."""
        people = [each for each in (facts.client, facts.company) if each is not None]
        return tuple(name for name in self.common.require if not _filled(name, interaction, people))

    def start(self, facts: Facts) -> Start | None:
        """The touch is over and fields are missing."""
        interaction = facts.interaction
        if interaction is None or facts.client is None or not became(self.done_with, facts):
            return None
        missing = self.missing(facts, interaction)
        if not missing:
            return None
        team = team_of(facts)
        owner = owner_of(facts, team, doer_first=True)
        at = interaction.ended_at or interaction.at
        conversation = facts.conversation.id if facts.conversation else None
        details = {"missing": list(missing)}
        key = f"i{interaction.id}"
        return Start(at, key, facts.client.id, interaction.id, conversation, owner, team, None, details)

    def meets(self, obligation: ObligationFacts, facts: Facts) -> datetime | None:
        """Everything is filled now."""
        touch = facts.interaction
        mine = touch if touch is not None and touch.id == obligation.started_by else None
        if mine is None and facts.client is None:
            return None
        return None if self.missing(facts, mine) else max(facts.now, obligation.started)

    def ends(self, obligation: ObligationFacts, facts: Facts) -> Ended | None:
        """The touch proves not to be one of those."""
        touch = facts.interaction
        edited = touch is not None and facts.before is not None and touch.id == obligation.started_by
        if edited and touch is not None and not self.done_with(touch, facts):
            return Ended("corrected", facts.actor)
        found = super().ends(obligation, facts)
        return found if found is not None and found.why in ("junk", "no_longer_needed") else None

    def task_title(self, language: str) -> str:
        """`Fill in: TITLE`."""
        return f"{TITLES.get(language, TITLES['en'])}: {self.common.title_in(language)}"


def _talked(interaction: InteractionFacts) -> bool:
    return interaction.call is not None and interaction.call.outcome == "answered"


def _filled(name: str, interaction: InteractionFacts | None, people: list[ClientFacts]) -> bool:
    values: list[Any] = [interaction.fields.get(name)] if interaction is not None else []
    for each in people:
        values += [getattr(each, name, None) if name in OF_CLIENT else None, each.fields.get(name)]
    return any(value not in (None, "", [], ()) for value in values)
