"""May this client be written to, on this channel, for this purpose? Asked before every message that goes out.

What holds is the last word. Purposes are kept apart: a refusal of marketing never stops an answer; a refusal of
everything ("STOP") stops everything on its channel. Where the channel holds its senders to it (SMS: `STOP_HOLDS`)
that lasts until START, or until a supervisor lifts it with a reason; elsewhere who writes to us afterwards is answered.
Marketing needs the client's consent beforehand unless `company.marketing` says otherwise: the laws of Russia, Ukraine
and Poland want it so, per channel.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select, update

from hub.errors import NotWanted
from hub.setup.lines import trait_of
from hub.setup.snapshot import SetUp
from storage.models import client as client_table
from storage.models import interaction
from storage.repositories import consents as rows
from storage.repositories.consents import Consent
from storage.unit import Unit

ALL = "all"
SERVICE, MARKETING = "service", "marketing"
PURPOSES = (SERVICE, MARKETING)
STATES = ("given", "refused")
GIVEN, REFUSED = STATES


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be sent: by which channel, to whom, what for."""

    channel: str
    client: int | None
    identity: str | None = None
    purpose: str = SERVICE


@dataclass(frozen=True, slots=True)
class Objection:
    """Why it must not go out, for people: both texts are in the desk's catalogs. `by` is the client's last word."""

    reason: str
    remedy: str
    by: Consent | None = None


def last_word(said: Iterable[Consent], purpose: str, channel: str) -> Consent | None:
    """What a client said last about exactly this purpose, on this channel or on all; `said` is oldest first."""
    fits = [one for one in said if one.purpose == purpose and one.channel in (channel, ALL)]
    return fits[-1] if fits else None


def standing(said: Sequence[Consent]) -> list[Consent]:
    """The last row of each channel and purpose: how things stand now, in the order of channels and purposes."""
    found = {(one.channel, one.purpose): one for one in said}
    return [found[key] for key in sorted(found)]


def object_to(connection: Connection, setup: SetUp, asked: Asked) -> Objection | None:
    """What speaks against sending this; None when nothing does."""
    said = rows.find_all(connection, asked.client, [asked.identity] if asked.identity else ())
    stop = last_word(said, ALL, asked.channel)
    if stop is not None and stop.refused and not _asked_since(connection, asked, stop):
        return _stopped(asked, stop)
    word = last_word(said, asked.purpose, asked.channel)
    if word is not None and word.refused:
        return _refused(asked, word)
    if asked.purpose == MARKETING and word is None and setup.company.marketing == "consent":
        return Objection(NOT_AGREED, _("Ask for his consent first and note it on his card, or leave him out."))
    return None


def _(message: str) -> str:
    """Marks a message for the catalogs."""
    return message


STOPPED = _("The client has asked not to be written to on this channel.")
NO_MAILINGS = _("The client does not want mailings on this channel.")
NOT_AGREED = _("The client has not agreed to mailings on this channel.")


def _stopped(asked: Asked, word: Consent) -> Objection:
    if trait_of(asked.channel, "STOP_HOLDS", False):
        remedy = _("Answer on another channel. He can write START, or a supervisor may lift it, with a reason.")
    else:
        remedy = _("Answer on another channel, or wait until he writes again. A supervisor may lift it on his card.")
    return Objection(STOPPED, remedy, word)


def _refused(asked: Asked, word: Consent) -> Objection:
    if asked.purpose == MARKETING:
        return Objection(NO_MAILINGS, _("Leave him out; answers to his own questions still reach him."), word)
    return Objection(
        STOPPED, _("Answer on another channel. A supervisor may lift it on his card, with a reason."), word
    )


def check(connection: Connection, setup: SetUp, asked: Asked) -> None:
    """Raises `NotWanted` with what a person can do about it."""
    found = object_to(connection, setup, asked)
    if found is not None:
        raise NotWanted(found.reason, field="line", remedy=found.remedy)


def _asked_since(connection: Connection, asked: Asked, stop: Consent) -> bool:
    """Has he written to us on this channel since he said stop? Then an answer is what he wants."""
    if asked.purpose != SERVICE or asked.client is None or trait_of(asked.channel, "STOP_HOLDS", False):
        return False
    table = interaction.c
    query = select(table.id).where(
        table.client_id == asked.client,
        table.channel == asked.channel,
        table.direction == "inbound",
        table.kind == "message",
        table.automatic.is_(None),
        table.at > stop.at,
    )
    return connection.execute(query.limit(1)).first() is not None


def reckon(said: Sequence[Consent]) -> dict[str, list[str]]:
    """What it all comes to for mailings, as the regulations read it: channels, "mailing" or "marketing" for all."""
    channels = sorted({one.channel for one in said} - {ALL})
    refused = [channel for channel in channels if _no_mailing(said, channel)]
    agreed = [channel for channel in channels if channel not in refused and _agreed(said, channel)]
    if _no_mailing(said, ALL):
        refused.append("mailing")
    elif _agreed(said, ALL) or agreed:
        agreed.append(MARKETING)
    return {name: found for name, found in (("refused", refused), ("agreed", agreed)) if found}


def _no_mailing(said: Sequence[Consent], channel: str) -> bool:
    words = [last_word(said, purpose, channel) for purpose in (ALL, MARKETING)]
    return any(word is not None and word.refused for word in words)


def _agreed(said: Sequence[Consent], channel: str) -> bool:
    word = last_word(said, MARKETING, channel)
    return word is not None and not word.refused


def write(unit: Unit, values: Sequence[Mapping[str, Any]]) -> None:
    """Add rows, and keep what they come to with their clients. The caller lets the regulations look."""
    for one in values:
        rows.add(unit, one)
    for client in sorted({one["client_id"] for one in values}):
        keep(unit, client)


def keep(unit: Unit, client: int) -> None:
    """Keep with a client what all his rows come to."""
    wishes = reckon(rows.find_all(unit.connection, client)) or None
    unit.connection.execute(update(client_table).where(client_table.c.id == client).values(wishes=wishes))
