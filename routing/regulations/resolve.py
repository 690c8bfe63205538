"""`resolve`: a case is solved within a time of its opening.

`counts_in` names the states in which time counts (the rest stands still); `reopen` says whether a case that comes back
goes on with the time it had left ("continue") or is promised anew ("new").
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import model_validator

from routing.facts import Facts, InteractionFacts, ObligationFacts
from routing.matching import REQUESTS, human
from routing.rule import CLOSED, Ended, Rule, Start, became, is_last, owner_of, team_of
from routing.settings import CONVERSATION_STATES, Common, States, TargetTable

TITLES = {
    "ru": "Решить вопрос клиента",
    "uk": "Вирішити питання клієнта",
    "pl": "Rozwiązać sprawę klienta",
    "en": "Solve the client's case",
}


class Settings(Common):
    """Keys of `kind = "resolve"`."""

    kind: Literal["resolve"]
    within: TargetTable
    counts_in: States = ()
    reopen: Literal["continue", "new"] = "continue"

    @model_validator(mode="after")
    def _say_it_once(self) -> Settings:
        if self.counts_in and self.pause_while:
            raise ValueError("counts_in and pause_while say the same thing twice; keep one of them")
        return self


class Regulation(Rule):
    """From the first touch of a case to its solution."""

    common: Settings
    pulls_back = False

    def prepare(self) -> None:
        """The states in which it stands still."""
        if self.common.counts_in:
            self.pause_while = frozenset(CONVERSATION_STATES) - frozenset(self.common.counts_in) - CLOSED

    def default_slot(self) -> str:
        """One promise of a solution per conversation."""
        return "resolution"

    def asks(self, interaction: InteractionFacts, facts: Facts) -> bool:
        """Whether it can open a case: a client's touch, by voice too."""
        known = interaction.kind in REQUESTS or interaction.kind in ("call", "meeting")
        return interaction.direction == "inbound" and known and not interaction.again and human(interaction)

    def start(self, facts: Facts) -> Start | None:
        """A touch in an open case that was not promised yet; a case that came from another team, or was reopened."""
        conversation, interaction = facts.conversation, facts.interaction
        if conversation is None or facts.client is None or conversation.state in CLOSED:
            return None
        if interaction is None:
            return self._start_without_touch(facts)
        if not became(self.asks, facts) or self._goes_on(conversation.id, facts):
            return None
        team = team_of(facts)
        owner, at = owner_of(facts, team), interaction.at
        return Start(at, f"i{interaction.id}", facts.client.id, interaction.id, conversation.id, owner, team)

    def _start_without_touch(self, facts: Facts) -> Start | None:
        talk, before = facts.conversation, facts.conversation_before
        assert talk is not None
        if self.arrives(facts) and not self._goes_on(talk.id, facts):
            return self.take_over(facts, talk.opened_at, None)
        if before is not None and before.state == "solved" and self.common.reopen == "new":
            return self.take_over(facts, facts.at, None)
        return None

    def _goes_on(self, conversation: int, facts: Facts) -> bool:
        if self.common.reopen == "new":
            return False
        mine = (o for o in facts.obligations if o.regulation == self.key and o.conversation == conversation)
        return any(o.closed_why != "other_team" for o in mine)

    def meets(self, obligation: ObligationFacts, facts: Facts) -> datetime | None:
        """Its conversation is solved."""
        conversation = facts.conversation
        if conversation is None or conversation.id != obligation.conversation or conversation.state != "solved":
            return None
        return max(facts.at, obligation.started)

    def ends(self, obligation: ObligationFacts, facts: Facts) -> Ended | None:
        """Junk is no case, and another team has its own promise; a solution is judged by `meets`."""
        if self.left(obligation, facts):
            return Ended("other_team", facts.actor)
        found = super().ends(obligation, facts)
        return found if found is not None and found.why in ("junk", "no_longer_needed") else None

    def reopens(self, obligation: ObligationFacts, facts: Facts) -> str | None:
        """The case came back."""
        before, after = facts.conversation_before, facts.conversation
        if before is None or after is None or after.id != obligation.conversation:
            return None
        if before.state not in CLOSED or after.state in CLOSED or not is_last(obligation, facts):
            return None
        junk = obligation.closed_why == "junk"  # it was none: the case goes on, whatever `reopen` says
        kept = junk or (obligation.state == "met" and self.common.reopen == "continue")
        return "conversation_reopened" if kept else None

    def task_title(self, language: str) -> str:
        """`Solve the client's case: TITLE`."""
        return f"{TITLES.get(language, TITLES['en'])}: {self.common.title_in(language)}"
