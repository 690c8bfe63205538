"""`respond`: who writes to us is answered. `first` promises it for the opening of a conversation, `each` every time.

Calls never start it; automatic mail, suspicious touches and repeats neither. A human's message or an answered call
keeps it, on any channel unless `channel` says "same" or names some.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Literal

from routing.conditions import Action, Many
from routing.facts import Facts, InteractionFacts, ObligationFacts
from routing.matching import REQUESTS, compile_action, contact_at, human
from routing.rule import Ended, Rule, Start, became, comes_after, ended_with_conversation, owner_of, team_of
from routing.settings import Common, TargetTable

TITLES = {
    "ru": "Ответить клиенту",
    "uk": "Відповісти клієнту",
    "pl": "Odpowiedzieć klientowi",
    "en": "Answer the client",
}


class Settings(Common):
    """Keys of `kind = "respond"`."""

    kind: Literal["respond"]
    within: TargetTable
    answers: Literal["first", "each"] = "each"
    met_by: Action = Action()
    channel: Many = ("any",)


class Regulation(Rule):
    """A promise to answer; one runs per conversation, from the oldest touch that nobody answered."""

    common: Settings

    def prepare(self) -> None:
        """Compile what counts as an answer."""
        self._answers = compile_action(self.common.met_by)
        self._first = self.common.answers == "first"
        channels = set(self.common.channel)
        self._same = "same" in channels
        self._channels = frozenset() if "any" in channels or self._same else frozenset(channels)

    def default_slot(self) -> str:
        """Reaction regulations exclude each other: the first that fits wins."""
        return "reaction"

    def asks(self, interaction: InteractionFacts, facts: Facts) -> bool:
        """Whether it is somebody asking for an answer."""
        return (
            interaction.direction == "inbound"
            and interaction.kind in REQUESTS
            and not interaction.again
            and human(interaction)
        )

    def start(self, facts: Facts) -> Start | None:
        """The oldest touch that nobody answered."""
        interaction, conversation = facts.interaction, facts.conversation
        if interaction is None:
            return self._taken_over(facts)
        if interaction.client is None:
            return None
        if became(self.asks, facts):
            if not self._wanted(interaction.at, facts):
                return None
            return self._from(facts, interaction.at, interaction.id, interaction.channel)
        if conversation is None or conversation.waiting_since is None or self._first:
            return None
        waits = conversation.waiting_since
        if self._answers(interaction, facts) and waits > contact_at(interaction):
            return self._from(facts, waits, conversation.waiting_id, interaction.channel)
        return None

    def _taken_over(self, facts: Facts) -> Start | None:
        """A conversation that came from another team brings what waits in it, since it waits."""
        talk = facts.conversation
        if talk is None or talk.waiting_since is None or not self.arrives(facts):
            return None
        if self._first and talk.answered_at is not None:
            return None
        found = self.take_over(facts, talk.waiting_since, talk.waiting_id)
        return replace(found, details={"channel": ""}) if found is not None else None

    def _wanted(self, at: datetime, facts: Facts) -> bool:
        conversation = facts.conversation
        if conversation is None:
            return True
        if conversation.answered_at is not None and conversation.answered_at > at:
            return False
        if not self._first:
            return True
        earlier = (o for o in facts.obligations if o.regulation == self.key and o.conversation == conversation.id)
        return next(earlier, None) is None and (conversation.new or conversation.answered_at is None)

    def _from(self, facts: Facts, at: datetime, interaction: int | None, channel: str) -> Start:
        assert facts.client is not None
        team = team_of(facts)
        conversation = facts.conversation.id if facts.conversation else None
        owner = owner_of(facts, team)
        details = {"channel": channel}
        return Start(at, f"i{interaction}", facts.client.id, interaction, conversation, owner, team, None, details)

    def meets(self, obligation: ObligationFacts, facts: Facts) -> datetime | None:
        """A human's words to the client, in the conversation or (a call, another channel) instead of it."""
        interaction = facts.interaction
        if interaction is None or not self._answers(interaction, facts):
            return None
        at: datetime = contact_at(interaction)
        if not comes_after(interaction, at, obligation) or not self._allowed(interaction, obligation):
            return None
        return at if self._belongs(interaction, obligation, facts) else None

    def _allowed(self, interaction: InteractionFacts, obligation: ObligationFacts) -> bool:
        if self._same:
            return interaction.channel == obligation.details.get("channel")
        return not self._channels or interaction.channel in self._channels

    def _belongs(self, interaction: InteractionFacts, obligation: ObligationFacts, facts: Facts) -> bool:
        if obligation.conversation is None or interaction.conversation == obligation.conversation:
            return True
        if interaction.kind in ("call", "meeting") or interaction.conversation in obligation.details.get("also", ()):
            return True
        if interaction.channel == obligation.details.get("channel"):
            return False
        own = interaction.conversation
        return not any(o.conversation == own and o.slot == obligation.slot and o.is_open for o in facts.obligations)

    def ends(self, obligation: ObligationFacts, facts: Facts) -> Ended | None:
        """Junk, "no answer needed", or a touch that proves to be no question."""
        interaction = facts.interaction
        edited = interaction is not None and facts.before is not None and interaction.id == obligation.started_by
        if edited and interaction is not None and not self.asks(interaction, facts):
            return Ended("quarantined" if interaction.quarantined else "corrected", facts.actor)
        if self.left(obligation, facts):
            return Ended("other_team", facts.actor)
        return super().ends(obligation, facts) or ended_with_conversation(obligation, facts)

    def task_title(self, language: str) -> str:
        """`Answer the client: TITLE`."""
        return f"{TITLES.get(language, TITLES['en'])}: {self.common.title_in(language)}"
