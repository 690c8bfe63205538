"""From a row of the log to the sound of it, for somebody who may hear it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, select

from channels.contract import Keeping, OpenCall, Sound, Telephone
from channels.errors import ChannelError
from hub.actor import Actor
from hub.composition import Hub
from hub.errors import Conflict, Forbidden, Gone, NotFound
from hub.recordings.access import may_hear
from hub.recordings.names import names_of
from storage.models import interaction

What = Literal["recording", "voicemail"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which sound of which interaction; `part` counts from 1, a transfer begins a new one."""

    interaction: int
    what: What
    part: int = 1


@dataclass(frozen=True, slots=True)
class Heard:
    """A call that somebody wants to hear."""

    id: int
    line: str
    external_id: str
    at: datetime
    ended_at: datetime | None
    direction: str
    operator: str | None
    team: str | None
    call: Mapping[str, Any]

    def as_told(self) -> OpenCall:
        """As its channel knows it."""
        return OpenCall(self.external_id, self.at, self.direction, self.call)


def telephone_of(hub: Hub, line: str) -> Telephone | None:
    """The line's channel, if the line is still there and is a telephone exchange."""
    try:
        channel = hub.listeners.channel_of(line)
    except ChannelError:
        return None
    return channel if isinstance(channel, Telephone) else None


def keeping_of(hub: Hub, line: str) -> Keeping:
    """How the line's recordings are kept; of a line that is gone, as usual."""
    telephone = telephone_of(hub, line)
    return telephone.keeping if telephone is not None else Keeping()


def read_call(connection: Connection, number: int) -> Heard | None:
    """A call of the log."""
    columns = interaction.c
    query = select(
        columns.id,
        columns.line,
        columns.external_id,
        columns.at,
        columns.ended_at,
        columns.direction,
        columns.operator,
        columns.team,
        columns.call,
    ).where(columns.id == number, columns.kind == "call", columns.quarantined_at.is_(None))
    row = connection.execute(query).one_or_none()
    if row is None or row.call is None:
        return None
    return Heard(**{**row._mapping, "external_id": row.external_id or ""})


async def find_sound(hub: Hub, actor: Actor, wanted: Wanted) -> Sound:
    """The sound. Raises `NotFound`, `Forbidden`, `Conflict` while the call lasts, `Gone` when its time is over."""
    found = await hub.store.read(lambda connection: read_call(connection, wanted.interaction))
    if found is None or not _mentions(found, wanted):
        raise NotFound("there is no such recording")
    telephone = telephone_of(hub, found.line)
    if telephone is None:
        raise NotFound("the line of this call is no longer set up", remedy="set it up again, with its recordings")
    if not may_hear(actor, telephone.keeping.heard_by, found.operator, found.team, found.call):
        raise Forbidden("this recording is not yours to hear", remedy="ask a supervisor")
    if found.call.get("recordings_expired"):
        raise Gone("this recording is no longer kept")
    if found.ended_at is None:
        raise Conflict("the call is still going on", remedy="listen when it has ended")
    sound = await asyncio.to_thread(_sound, telephone, found, wanted)
    if sound is None:
        raise NotFound("the recording is not there yet", remedy="try again in a few minutes")
    return sound


def _mentions(found: Heard, wanted: Wanted) -> bool:
    if wanted.what == "voicemail":
        return bool(found.call.get("voicemail"))
    return 1 <= wanted.part <= len(names_of(found.call))


def _sound(telephone: Telephone, found: Heard, wanted: Wanted) -> Sound | None:
    told = found.as_told()
    if wanted.what == "voicemail":
        return telephone.voicemail(told)
    return telephone.recordings(told)[wanted.part - 1]
