"""Wrap-up: after an answered call its operator gets no other for a while; the line's key `wrap_up` says how long.

The exchange is told already when he answers, by a pause with the hub's own reason: told when he hangs up, the queue
would sometimes be quicker. The seconds are told to the log as a phase of the call (`call.wrap_s`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import update

from channels.touch import Direction, Kind, Touch
from hub.setup.snapshot import SetUp
from hub.telephony.exchanges import is_exchange, rules_of
from storage import models
from storage.events import Event
from storage.repositories import phones as rows
from storage.unit import Unit

Row = Mapping[str, Any]

REASON = "wrap-up"
"""The reason of the pause; one that has another reason is somebody's own, and is left alone."""
PHASE = "wrapped_up"
AHEAD, BEGUN, FINISHED = "ahead", "begun", "finished"


def follow(unit: Unit, setup: SetUp, row: Row, before: Row | None) -> None:
    """A call has grown: does somebody talk, or has he hung up and works on?"""
    call = row["call"] or {}
    seconds = _length(setup, row)
    if not seconds or call.get("outcome") != "answered" or row["operator"] is None:
        return
    was = before or {}
    answered_before = (was.get("call") or {}).get("outcome") == "answered"
    if answered_before and was.get("operator") not in (None, row["operator"]):
        _begin(unit, setup, was["operator"], row, unit.now, seconds)
    if row["ended_at"] is None:
        if not answered_before or was.get("operator") != row["operator"]:
            _prepare(unit, row)
    elif was.get("ended_at") is None:
        _begin(unit, setup, row["operator"], row, row["ended_at"], seconds)


def _length(setup: SetUp, row: Row) -> float:
    line = setup.lines.get(row["line"])
    if line is None or row["direction"] == Direction.INTERNAL.value or not is_exchange(line):
        return 0.0
    return rules_of(line).wrap_up


def _prepare(unit: Unit, row: Row) -> None:
    """He talks: the exchange is to give him nothing when he hangs up. What he still worked on is over."""
    table = models.wrap_up
    unit.connection.execute(
        update(table).where(table.c.operator == row["operator"], table.c.until > unit.now).values(until=unit.now)
    )
    unit.emit(Event("wrap_up", row["operator"], AHEAD, operator=row["operator"]))


def _begin(unit: Unit, setup: SetUp, operator: str, row: Row, since: datetime, seconds: float) -> None:
    until = since + timedelta(seconds=seconds)
    known = setup.operators.get(operator)
    if until <= unit.now or known is None or not known.extension:
        unit.emit(Event("wrap_up", operator, FINISHED, operator=operator))
        return
    rows.begin_wrap_up(
        unit,
        {
            "operator": operator,
            "line": row["line"],
            "extension": known.extension,
            "interaction_id": row["id"],
            "since": since,
            "until": until,
        },
    )
    unit.emit(Event("wrap_up", operator, BEGUN, operator=operator))
    unit.emit(Event("phone", operator, "wrap_up", operator=operator))


def make_touch(call: Row, wrapping: Any, seconds: float) -> Touch:
    """The phase that tells the log how long he worked after the call. Told twice, it is known by its key."""
    so_far = (call["call"] or {}).get("wrap_s") or 0.0
    return Touch(
        line=call["line"],
        event_key=f"{call['external_id']}:{PHASE}:{wrapping.operator}:{wrapping.since.isoformat()}"[:300],
        kind=Kind.CALL,
        direction=Direction(call["direction"]),
        at=wrapping.since + timedelta(seconds=seconds),
        external_id=call["external_id"],
        phase=PHASE,
        call={"wrap_s": round(so_far + seconds, 3)},
    )


def end(unit: Unit, wrapping: Any) -> bool:
    """It is over; True to one of those who end it at once."""
    if rows.take_wrap_up(unit, wrapping.operator, wrapping.interaction_id) is None:
        return False
    unit.emit(Event("wrap_up", wrapping.operator, FINISHED, operator=wrapping.operator))
    unit.emit(Event("phone", wrapping.operator, "free", operator=wrapping.operator))
    unit.emit(Event("operator", wrapping.operator, "here", operator=wrapping.operator))
    return True
