"""Recordings at the desk: what a call's row shows of them, and the sound itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from hub.composition import HUB, Hub
from hub.desk.doing import number_of
from hub.desk.reading.log import Entry
from hub.desk.visitor import Visitor, who
from hub.recordings.access import may_hear
from hub.recordings.audit import Listening
from hub.recordings.finding import Wanted, find_sound, keeping_of
from hub.recordings.names import names_of
from hub.recordings.playing import play


@dataclass(frozen=True, slots=True)
class Recorded:
    """A call, as far as it must be known to tell what can be heard of it and by whom."""

    id: int
    line: str
    operator: str | None
    team: str | None
    ended_at: datetime | None
    call: Mapping[str, Any] | None
    listenings: tuple[Listening, ...] = ()


@dataclass(frozen=True, slots=True)
class Hearing:
    """What can be heard of a call by this visitor: addresses, or why there are none.

    `pauses` are when the recording was silenced (until None = to the end); `kept` is how long it was, once it is no
    longer there; `listenings` are for supervisors.
    """

    parts: tuple[str, ...]
    voicemail: str | None
    allowed: bool
    lasts: bool
    pauses: tuple[tuple[datetime, datetime | None], ...]
    kept: timedelta | None
    deleted: bool
    listenings: tuple[Listening, ...]


def hearing(hub: Hub, visitor: Visitor | None) -> Callable[[Entry | Recorded], Hearing | None]:
    """Tells it for each row; None for a call of which nothing was recorded."""

    def of(entry: Entry | Recorded) -> Hearing | None:
        call = entry.call or {}
        names, expired = names_of(call), call.get("recordings_expired") or {}
        if visitor is None or not (names or call.get("voicemail")):
            return None
        allowed = may_hear(visitor.actor, keeping_of(hub, entry.line).heard_by, entry.operator, entry.team, call)
        here, playable = f"/desk/interactions/{entry.id}", allowed and not expired and entry.ended_at is not None
        parts = tuple(f"{here}/recordings/{number}" for number in range(1, len(names) + 1)) if playable else ()
        return Hearing(
            parts=parts,
            voicemail=f"{here}/voicemail" if playable and call.get("voicemail") else None,
            allowed=allowed,
            lasts=entry.ended_at is None,
            pauses=tuple(_pause(one) for one in call.get("recording_pauses") or ()),
            kept=timedelta(days=expired["after_days"]) if expired else None,
            deleted=expired.get("how") == "deleted",
            listenings=entry.listenings if visitor.actor.may("supervisor") else (),
        )

    return of


def _pause(one: dict[str, str | None]) -> tuple[datetime, datetime | None]:
    begin, end = one.get("from"), one.get("to")
    return datetime.fromisoformat(str(begin)), datetime.fromisoformat(end) if end else None


async def play_recording(request: web.Request) -> web.StreamResponse:
    """GET /desk/interactions/{id}/recordings/{part}"""
    return await _play(request, Wanted(number_of(request), "recording", int(request.match_info["part"])))


async def play_voicemail(request: web.Request) -> web.StreamResponse:
    """GET /desk/interactions/{id}/voicemail"""
    return await _play(request, Wanted(number_of(request), "voicemail"))


async def _play(request: web.Request, wanted: Wanted) -> web.StreamResponse:
    hub, actor = request.app[HUB], who(request).actor
    sound = await find_sound(hub, actor, wanted)
    return await play(request, sound, lambda: hub.listenings.note(hub.store, actor, wanted))
