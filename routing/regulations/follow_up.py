"""`follow_up`: after an event, a named action within a time.

Materials after a call, a thank-you letter after a meeting, a quality sheet after a contract, calling back who could
not get through (ten attempts are one promise), the links of the chain offer, call, meeting, delivery.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from datetime import datetime
from typing import Literal

from pydantic import AliasChoices, Field

from routing.conditions import Action, After
from routing.facts import Facts, InteractionFacts, ObligationFacts
from routing.matching import compile_action, compile_after, contact_at
from routing.rule import Ended, Rule, Start, comes_after, happened, owner_of, team_of
from routing.settings import Common, TargetTable

MISSED = "call.missed"
REACH = Action(any=("call", "message", "meeting", "letter", "fax"))


class Settings(Common):
    """Keys of `kind = "follow_up"`."""

    kind: Literal["follow_up"]
    after: After
    within: TargetTable
    action: Action | None = Field(default=None, validation_alias=AliasChoices("action", "met_by"))


class Regulation(Rule):
    """A promise that an event makes."""

    common: Settings

    def prepare(self) -> None:
        """Compile the event and the action."""
        self._after = compile_after(self.common.after)
        self._action = self.common.action or REACH
        self._answers = compile_action(self._action)
        self.joins_attempts = MISSED in self.common.after.event

    def default_slot(self) -> str:
        """Missed calls share one slot."""
        return "call_back" if MISSED in self.common.after.event else self.key

    def scope(self, client: int, conversation: int | None, key: str) -> Hashable:
        """Each event makes a promise of its own; but a person is called back once, however often he tried."""
        return ("client", client) if self.joins_attempts else ("event", key)

    def start(self, facts: Facts) -> Start | None:
        """The event itself; a field filled late starts it from the touch's end."""
        if facts.client is None or not happened(self.common.after, self._after, facts):
            return None
        client, team = facts.client.id, team_of(facts)
        if facts.event is not None:
            owner = owner_of(facts, team)
            key, details = f"e{facts.event.id}:{client}"[:200], {"event": facts.event.event}
            return Start(facts.event.at, key, client, None, None, owner, team, None, details)
        assert facts.interaction is not None
        conversation = facts.conversation.id if facts.conversation else None
        return self._from(facts, facts.interaction, client, conversation, team)

    def _from(
        self, facts: Facts, touch: InteractionFacts, client: int, conversation: int | None, team: str | None
    ) -> Start:
        owner = owner_of(facts, team, doer_first=not self.joins_attempts)
        at = touch.ended_at or touch.at
        details = {"attempts": 1} if self.joins_attempts else {"since": touch.at.isoformat()}
        return Start(at, f"i{touch.id}", client, touch.id, conversation, owner, team, None, details)

    def meets(self, obligation: ObligationFacts, facts: Facts) -> datetime | None:
        """The action, after the event (while the call still lasted is after it, too); or a reported event."""
        if facts.event is not None:
            return facts.event.at if self._reported(obligation, facts) else None
        interaction = facts.interaction
        if interaction is None or interaction.id == obligation.started_by or not self._answers(interaction, facts):
            return None
        at: datetime = contact_at(interaction)
        since = obligation.details.get("since")
        began = replace(obligation, started=datetime.fromisoformat(since)) if since else obligation
        return at if comes_after(interaction, at, began) else None

    def _reported(self, obligation: ObligationFacts, facts: Facts) -> bool:
        assert facts.event is not None
        return facts.event.event in self._action.event and facts.event.at >= obligation.started

    def ends(self, obligation: ObligationFacts, facts: Facts) -> Ended | None:
        """When its event proves not to have happened, or when what makes it needless does."""
        interaction = facts.interaction
        edited = interaction is not None and facts.before is not None and interaction.id == obligation.started_by
        if edited and interaction is not None and not self._after(interaction, facts):
            return Ended("corrected", facts.actor)
        found = super().ends(obligation, facts)
        return found if found is not None and found.why in ("no_longer_needed", "junk") else None
