"""Who listened to what, and when: one line of the journal per listening, however many parts the browser fetches."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from hub.actor import Actor
from hub.journal import note
from storage.repositories import journal
from storage.unit import Unit

if TYPE_CHECKING:
    from hub.recordings.finding import Wanted
    from storage.store import Store

LISTENED = "listened"
_PAUSE = timedelta(minutes=10)
"""Who asks for nothing for so long has stopped listening: the next time is another one."""
_MOST = 5_000


@dataclass(frozen=True, slots=True)
class Listening:
    """Somebody listened. `who` is `operator:KEY` or `token:NAME`."""

    who: str
    at: datetime
    what: str
    part: int


@dataclass(slots=True)
class Listenings:
    """What this process is playing to whom."""

    _last: OrderedDict[tuple[str, Wanted], datetime] = field(default_factory=OrderedDict)

    async def note(self, store: Store, actor: Actor, wanted: Wanted) -> None:
        """Committed when this returns; only then may the sound go out."""
        now, key = store.now(), (str(actor), wanted)
        last = self._last.get(key)
        if last is None or now - last > _PAUSE:
            await store.write(lambda unit: _write(unit, actor, wanted))
        self._last[key] = now
        self._last.move_to_end(key)
        while len(self._last) > _MOST:
            self._last.popitem(last=False)


def _write(unit: Unit, actor: Actor, wanted: Wanted) -> None:
    """Unless another process plays the same to him."""
    data = {"what": wanted.what, "part": wanted.part}
    since = unit.now - _PAUSE
    known = journal.find(unit.connection, "interaction", [wanted.interaction], LISTENED)
    if not any(one.who == str(actor) and one.at > since and dict(one.data) == data for one in known):
        note(unit, actor, LISTENED, "interaction", wanted.interaction, data)


def read_listenings(connection: Connection, interactions: Iterable[int]) -> dict[int, list[Listening]]:
    """By interaction, oldest first."""
    found: dict[int, list[Listening]] = {}
    for one in journal.find(connection, "interaction", interactions, LISTENED):
        heard = Listening(one.who, one.at, str(one.data.get("what", "")), int(one.data.get("part", 1)))
        found.setdefault(int(one.subject_id), []).append(heard)
    return found
