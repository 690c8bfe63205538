"""Where operators are: an open desk, a telephone, their own word. Each is a row that runs out by itself."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, or_, select, update

from storage.bulk import insert_rows
from storage.models import presence
from storage.prepared import Prepared, PreparedChange
from storage.unit import Unit

_IS_MINE = (presence.c.operator == bindparam("operator_")) & (presence.c.place == bindparam("place_"))
_MINE = Prepared(select(presence).where(_IS_MINE), locking=True)
_CHANGE = PreparedChange(
    update(presence).where(_IS_MINE).values({name: bindparam(name) for name in ("state", "until", "at")})
)
_TAKE_BACK = delete(presence).where(_IS_MINE)


def say(unit: Unit, operator: str, place: str, state: str, until: datetime | None) -> bool:
    """Write where he is; True when that is another state than before."""
    found = _MINE.mappings(unit.connection, operator_=operator, place_=place)
    if not found:
        row = {"operator": operator, "place": place, "state": state, "at": unit.now, "until": until}
        insert_rows(unit.connection, presence, [row])
        return True
    before = found[0]
    ended = before["until"] is not None and before["until"] < unit.now
    same = before["state"] == state and not ended
    change = {"state": state, "until": until, "at": before["at"] if same else unit.now}
    _CHANGE.make(unit.connection, [{"operator_": operator, "place_": place, **change}])
    return not same


def forget(unit: Unit, operator: str, place: str) -> bool:
    """He takes his word back; True when there was any."""
    return unit.connection.execute(_TAKE_BACK, {"operator_": operator, "place_": place}).rowcount > 0


def read(connection: Connection, now: datetime) -> list[Row[Any]]:
    """What counts now."""
    query = select(presence).where(or_(presence.c.until.is_(None), presence.c.until >= now))
    return list(connection.execute(query.order_by(presence.c.operator, presence.c.place)))


def known(connection: Connection) -> bool:
    """Whether anybody has ever been at a desk: before that nobody keeps track of who is here."""
    return connection.execute(select(presence.c.operator).where(presence.c.place == SEEN).limit(1)).first() is not None


def tidy(unit: Unit, before: datetime) -> int:
    """Drop desks that were closed long ago; the newest row of each operator stays, so that he is known."""
    old = presence.c.until.is_not(None) & (presence.c.until < before) & presence.c.place.like("desk:%")
    stays = select(presence.c.operator).where(presence.c.place == SEEN)
    return unit.connection.execute(delete(presence).where(old, presence.c.operator.in_(stays))).rowcount


SEEN = "seen"
"""The place of a row that never counts as being here, and says that he is somebody whose presence is kept."""
