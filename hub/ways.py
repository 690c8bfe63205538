"""The ways in which a client can be written to: which line, to which of his addresses, and what stands in the way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select

from channels import registry
from channels.touch import Identity
from hub.consents import SERVICE, Asked, object_to
from hub.errors import BadInput, Conflict
from hub.setup.lines import trait_of
from hub.setup.problem import suggest
from hub.setup.snapshot import SetUp
from storage import models


@dataclass(frozen=True, slots=True)
class Way:
    """One line for one client. `to` is the address it would go to; None: he has none that can be written to.

    `why` says what stands in the way (a text of the desk's catalogs), None when nothing does. `template_only`: free
    text cannot be sent any more, an approved template can; `free_until`: when that will be so. `usual`: he wrote that
    way last.
    """

    line: str
    channel: str
    to: Identity | None
    why: str | None = None
    remedy: str | None = None
    template_only: bool = False
    usual: bool = False
    free_until: datetime | None = None

    @property
    def open(self) -> bool:
        """May something be sent this way?"""
        return self.why is None


def schemes_of(channel: str) -> tuple[str, ...]:
    """The schemes of identities that a channel can write to."""
    found: tuple[str, ...] = trait_of(channel, "SCHEMES", (channel,))
    return found


def writing_channels() -> tuple[str, ...]:
    """Channels on which clients can be written to: what wishes may be about."""
    return tuple(name for name in registry.names() if trait_of(name, "WRITES", True))


def _(message: str) -> str:
    """Marks a message for the catalogs."""
    return message


_BARRED = {
    "off": (_("line %(line)s does not send: it is switched off"), _("This line is switched off.")),
    "receive_only": (_("line %(line)s does not send: it only receives"), _("This line only receives.")),
    "allowed": (_("line %(line)s does not send"), _("Nothing can be written on this line.")),
}
NOBODY_THERE = _("This sender cannot be answered.")
WINDOW_CLOSED = _("Free text is no longer possible here: the client's last message is too long ago.")
USE_TEMPLATE = _("Choose an approved template, or answer on another channel.")


def check_line(setup: SetUp, key: str) -> None:
    """Raises `BadInput` for a line that is not there, or through which its policy lets nothing go out."""
    line = setup.lines.get(key)
    if line is None:
        raise BadInput("there is no line %(line)s", field="line", remedy=suggest(key, setup.lines), line=key)
    if not line.sends:
        raise BadInput(_BARRED[line.policy][0], field="line", remedy="choose another line", line=key)


def free_until(connection: Connection, setup: SetUp, key: str, client: int) -> datetime | bool | None:
    """Until when free text may be sent on a line; True where there is no such limit, None if he never wrote there."""
    window: timedelta | None = trait_of(setup.lines[key].channel, "FREE_TEXT", None)
    if window is None:
        return True
    table = models.interaction.c
    last = select(func.max(table.at)).where(
        table.client_id == client, table.line == key, table.direction == "inbound", table.automatic.is_(None)
    )
    at = connection.execute(last).scalar_one()
    return at + window if at is not None else None


def is_free(connection: Connection, setup: SetUp, key: str, client: int, now: datetime) -> bool:
    """May free text be sent on this line now?"""
    until = free_until(connection, setup, key, client)
    return until is True or (isinstance(until, datetime) and now < until)


def check_window(connection: Connection, setup: SetUp, key: str, client: int, now: datetime) -> None:
    """Raises `Conflict` where the channel takes free text no more."""
    if not is_free(connection, setup, key, client, now):
        raise Conflict(WINDOW_CLOSED, field="line", remedy=USE_TEMPLATE)


def list_ways(
    connection: Connection, setup: SetUp, client: int, now: datetime, last: Mapping[str, Any] | None = None
) -> list[Way]:
    """Every line that could reach him if nothing stood in the way: the usual one first, then the preferred channel's.

    `last` is his last message: `line` and `party`.
    """
    known = identities_of(connection, client)
    written = read_party(last["party"]) if last else []
    usual = last["line"] if last else None
    found = []
    for key, line in setup.lines.items():
        if not trait_of(line.channel, "WRITES", line.known):
            continue
        fits = [one for one in (*written, *known) if one.scheme in schemes_of(line.channel)]
        if fits:
            found.append(_look(connection, setup, key, client, now, fits, usual))
    preferred = connection.execute(
        select(models.client.c.preferred_channel).where(models.client.c.id == client)
    ).scalar()
    return sorted(found, key=lambda way: (not way.open, not way.usual, way.channel != preferred))


def rank(
    connection: Connection,
    setup: SetUp,
    schemes: Iterable[str],
    team: str | None,
    client: int | None = None,
    purpose: str = SERVICE,
) -> str | None:
    """The line to write by when nobody names one; None when none reaches any of these schemes, best first.

    One that he has not refused, that works, by the channel he prefers, of the team: in this order.
    """
    table = models.client.c
    preferred = connection.execute(select(table.preferred_channel).where(table.id == client)).scalar()
    health = models.line_health.c
    sick = set(connection.scalars(select(health.line).where(health.state == "needs_person")))
    found = []
    for order, scheme in enumerate(schemes):
        for key, line in sorted(setup.lines.items()):
            if line.sends and scheme in schemes_of(line.channel):
                barred = client is not None and object_to(connection, setup, Asked(line.channel, client, None, purpose))
                place = (bool(barred), key in sick, line.channel != preferred, line.team != team, order, key)
                found.append(place)
    return min(found)[-1] if found else None


def _look(
    connection: Connection,
    setup: SetUp,
    key: str,
    client: int,
    now: datetime,
    fits: Sequence[Identity],
    usual: str | None,
) -> Way:
    channel = setup.lines[key].channel
    to = next((one for one in fits if not one.odd), None)
    about = Way(key, channel, to, usual=key == usual)
    if not setup.lines[key].sends:
        return _barred(about, _BARRED[setup.lines[key].policy][1], None)
    if to is None:
        return _barred(about, NOBODY_THERE, None)
    objection = object_to(connection, setup, Asked(channel, client, str(to), SERVICE))
    if objection is not None:
        return _barred(about, objection.reason, objection.remedy)
    until = free_until(connection, setup, key, client)
    if until is True:
        return about
    ends = until if isinstance(until, datetime) and now < until else None
    return replace(about, template_only=ends is None, free_until=ends)


def _barred(way: Way, why: str, remedy: str | None) -> Way:
    return Way(way.line, way.channel, way.to, why, remedy, usual=way.usual)


def read_party(party: Iterable[Mapping[str, Any]]) -> list[Identity]:
    """Identities as interactions keep them."""
    parted = ((one["identity"].partition(":"), one) for one in party)
    return [Identity(scheme, value, one.get("name"), bool(one.get("odd"))) for (scheme, _, value), one in parted]


def identities_of(connection: Connection, client: int) -> tuple[Identity, ...]:
    """Where a client can be written to, what he used last first; bounced addresses are the last resort, odd none."""
    table = models.identity
    query = (
        select(table)
        .where(table.c.client_id == client)
        .order_by(table.c.odd, table.c.bounced_at.is_not(None), table.c.id.desc())
    )
    return tuple(Identity(row.scheme, row.value, row.name, bool(row.odd)) for row in connection.execute(query))
