"""`update`: while a case is open the client hears from us again within a time of our last words.

`pause_while` makes it stand still, for instance while we wait for him.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from routing.conditions import Action
from routing.facts import Facts, InteractionFacts, ObligationFacts
from routing.matching import compile_action, contact_at
from routing.rule import CLOSED, Ended, Rule, Start, became, comes_after, owner_of, team_of
from routing.settings import Common, TargetTable

TITLES = {
    "ru": "Сообщить клиенту, как дела",
    "uk": "Повідомити клієнту, як справи",
    "pl": "Poinformować klienta o postępach",
    "en": "Tell the client how things stand",
}


class Settings(Common):
    """Keys of `kind = "update"`."""

    kind: Literal["update"]
    within: TargetTable
    met_by: Action = Action()


class Regulation(Rule):
    """From one word of ours to the next."""

    common: Settings
    pulls_back = False

    def prepare(self) -> None:
        """Compile what counts as a word of ours."""
        self._tells = compile_action(self.common.met_by)

    def default_slot(self) -> str:
        """One promise of progress per conversation."""
        return "update"

    def start(self, facts: Facts) -> Start | None:
        """Our words in an open case; one that came from another team brings its last ones along."""
        conversation, interaction = facts.conversation, facts.interaction
        if conversation is not None and self.arrives(facts):
            return self.take_over(facts, conversation.answered_at, None)
        if conversation is None or interaction is None or facts.client is None or conversation.state in CLOSED:
            return None
        if not became(self._tells, facts):
            return None
        team = team_of(facts)
        at = contact_at(interaction)
        owner = owner_of(facts, team)
        return Start(at, f"i{interaction.id}", facts.client.id, interaction.id, conversation.id, owner, team)

    def meets(self, obligation: ObligationFacts, facts: Facts) -> datetime | None:
        """Our next words in the same case."""
        interaction = facts.interaction
        if interaction is None or not self._mine(obligation, interaction) or not self._tells(interaction, facts):
            return None
        at: datetime = contact_at(interaction)
        return at if comes_after(interaction, at, obligation) else None

    def _mine(self, obligation: ObligationFacts, interaction: InteractionFacts) -> bool:
        return interaction.id != obligation.started_by and (
            obligation.conversation is None or interaction.conversation == obligation.conversation
        )

    def ends(self, obligation: ObligationFacts, facts: Facts) -> Ended | None:
        """The case is closed, or the words it began with came back."""
        touch = facts.interaction
        edited = touch is not None and facts.before is not None and touch.id == obligation.started_by
        if edited and touch is not None and not self._tells(touch, facts):
            return Ended("bounced" if touch.delivery == "failed" else "corrected", facts.actor)
        if self.left(obligation, facts):
            return Ended("other_team", facts.actor)
        return super().ends(obligation, facts)

    def task_title(self, language: str) -> str:
        """`Tell the client how things stand: TITLE`."""
        return f"{TITLES.get(language, TITLES['en'])}: {self.common.title_in(language)}"
