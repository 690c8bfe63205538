"""`broadcast`: after an event every client is told within a time.

Who does not want it (or has not consented, where `consent` names a field, or "marketing", which his card keeps) is
exempt; so is who refuses mailings on every channel of `action.send`. What came back does not count. A message counts
that is a mailing, or says in its field `event` which event it is about, or matches `action`. When `reach` of the
clients were told by the due, the rest is let go; else each of them is a breach.
"""

from __future__ import annotations

from collections.abc import Hashable
from datetime import datetime
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import BeforeValidator, PlainSerializer

from routing.conditions import Action, After, fault
from routing.facts import ClientFacts, EventFacts, Facts, ObligationFacts
from routing.matching import compile_action, compile_after, contact_at, holds
from routing.rule import Ended, Rule, Start, comes_after, happened
from routing.settings import Common, TargetTable


def _share(value: object) -> object:
    if isinstance(value, Fraction):
        return value
    text = str(value).strip()
    try:
        found = Fraction(text.removesuffix("%").strip()) / (100 if text.endswith("%") else 1)
    except ValueError:
        raise fault(f'"{value}" is not a share', 'write it as "95%"') from None
    if not 0 < found <= 1:
        raise fault(f'"{value}" is not a share', 'write it as "95%"')
    return found


Share = Annotated[Fraction, BeforeValidator(_share), PlainSerializer(lambda share: f"{float(share * 100):g}%")]


class Settings(Common):
    """Keys of `kind = "broadcast"`."""

    kind: Literal["broadcast"]
    after: After
    within: TargetTable
    reach: Share = Fraction(1)
    action: Action | None = None
    consent: str | None = None


class Regulation(Rule):
    """One promise per client, judged together by its coverage."""

    common: Settings
    makes_task = False
    per_client = True
    pulls_back = False

    def prepare(self) -> None:
        """Compile the event and what counts as telling."""
        self._after = compile_after(self.common.after)
        self._channels = frozenset(self.common.action.send if self.common.action else ())
        action = self.common.action or Action(by="any", any=("message", "letter", "call", "meeting"))
        self._tells = compile_action(action.model_copy(update={"by": "any"}) if action.by == "human" else action)

    def scope(self, client: int, conversation: int | None, key: str) -> Hashable:
        """Every event for itself."""
        return ("event", key)

    def enough(self, told: int, clients: int) -> bool:
        """Whether the share that `reach` wants was told; the rest then is no breach."""
        return told >= self.common.reach * clients

    def exempt(self, client: ClientFacts) -> bool:
        """Whether he must not be told."""
        if client.opted_out & {"all", "mailing", "broadcast"}:
            return True
        if self._channels and self._channels <= client.opted_out:
            return True
        wanted = self.common.consent
        return wanted is not None and wanted not in client.agreed and not holds(client.fields.get(wanted), True)

    def start(self, facts: Facts) -> Start | None:
        """The event, for a client who wants to hear of it."""
        event, client = facts.event, facts.client
        if event is None or client is None or self.exempt(client):
            return None
        if not happened(self.common.after, self._after, facts):
            return None
        owner = facts.roster.deputy(client.responsible, facts.now)
        details = {"event": event.event, "event_id": event.id}
        return Start(event.at, self.key_of(event, client.id), client.id, None, None, owner, None, None, details)

    def key_of(self, event: EventFacts, client: int) -> str:
        """The start key of a client's promise; the part before the colon is the event's."""
        return f"e{event.id}:{client}"[-200:]

    def meets(self, obligation: ObligationFacts, facts: Facts) -> datetime | None:
        """He was told of it."""
        interaction = facts.interaction
        if interaction is None or not self._tells(interaction, facts):
            return None
        about = interaction.fields.get("event")
        if about is not None and str(about) != str(obligation.details.get("event_id")):
            return None
        if about is None and self.common.action is None and interaction.automatic != "bulk":
            return None
        at: datetime = contact_at(interaction)
        return at if comes_after(interaction, at, obligation) else None

    def ends(self, obligation: ObligationFacts, facts: Facts) -> Ended | None:
        """He does not want it any more."""
        if facts.client is not None and facts.client.id == obligation.client and self.exempt(facts.client):
            return Ended("exempt", facts.actor)
        table, matches = self.common.cancel_when, self._cancel_when
        if table is not None and matches is not None and happened(table, matches, facts):
            return Ended("no_longer_needed", facts.actor)
        return None
