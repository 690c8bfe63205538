"""Where operators are: an open desk, a telephone, their own word. Each is a row that runs out by itself."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, or_, select, update

from storage.models import presence
from storage.unit import Unit


def say(unit: Unit, operator: str, place: str, state: str, until: datetime | None) -> bool:
    """Write where he is; True when that is another state than before."""
    mine = (presence.c.operator == operator) & (presence.c.place == place)
    query = select(presence).where(mine)
    before = unit.connection.execute(query.with_for_update() if unit.dialect == "postgresql" else query).one_or_none()
    if before is None:
        row = {"operator": operator, "place": place, "state": state, "at": unit.now, "until": until}
        unit.connection.execute(insert(presence).values(**row))
        return True
    ended = before.until is not None and before.until < unit.now
    same = before.state == state and not ended
    unit.connection.execute(
        update(presence).where(mine).values(state=state, until=until, at=before.at if same else unit.now)
    )
    return not same


def forget(unit: Unit, operator: str, place: str) -> bool:
    """He takes his word back; True when there was any."""
    mine = (presence.c.operator == operator) & (presence.c.place == place)
    return unit.connection.execute(delete(presence).where(mine)).rowcount > 0


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
