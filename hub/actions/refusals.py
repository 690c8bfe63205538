"""What two clients refused, when they become one: a refusal beats a consent, whichever came later."""

from __future__ import annotations

from hub.actor import Actor
from hub.consents import REFUSED, standing
from storage.repositories import consents as rows
from storage.repositories.consents import Consent
from storage.unit import Unit


def join(unit: Unit, survivor: int, other: int, actor: Actor) -> list[int]:
    """Write down for the survivor what only one of them refused; answers the new rows. Their own rows still stand."""
    said = {one: standing(rows.find_all(unit.connection, one)) for one in (survivor, other)}
    words = {key: {(one.channel, one.purpose): one for one in found} for key, found in said.items()}
    made = []
    for key in sorted({*words[survivor], *words[other]}):
        both = [words[one][key] for one in (survivor, other) if key in words[one]]
        refused = [one for one in both if one.refused]
        if refused and len(refused) < len(both):
            made.append(rows.add(unit, _again(refused[0], survivor, actor, unit)))
    return made


def _again(refused: Consent, survivor: int, actor: Actor, unit: Unit) -> dict[str, object]:
    return {
        "client_id": survivor,
        "identity": refused.identity,
        "channel": refused.channel,
        "purpose": refused.purpose,
        "state": REFUSED,
        "source": "merge",
        "by": str(actor),
        "reason": f"refused by client {refused.client_id}, {refused.at:%Y-%m-%d}",
        "interaction_id": refused.interaction_id,
        "at": unit.now,
    }
