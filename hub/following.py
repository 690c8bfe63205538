"""What follows in the same transaction when touches have become rows of the log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from channels.touch import Direction
from hub import presence
from hub.arrival import Arrival
from hub.call_parts import phones_of
from hub.setup.snapshot import SetUp
from hub.telephony import wrap_up
from storage.events import Event
from storage.repositories import jobs
from storage.unit import Unit


def keep_telephones(unit: Unit, setup: SetUp, arrivals: Sequence[Arrival]) -> None:
    """Who talks is given nothing else until he hangs up."""
    for arrival in arrivals:
        row, call = arrival.row, arrival.row["call"]
        if call is None or row["operator"] is None or arrival.touch.phase is None:
            continue
        wrap_up.follow(unit, setup, row, arrival.before)
        telephone, was = row["external_id"] or row["line"], (arrival.before or row)["operator"]
        if was is not None and was != row["operator"]:
            presence.end_call(unit, was, telephone)
        if row["ended_at"] is not None:
            presence.end_call(unit, row["operator"], telephone)
        elif call.get("outcome") == "answered":
            presence.take_call(unit, row["operator"], telephone)


def acknowledge(unit: Unit, setup: SetUp, arrivals: Sequence[Arrival]) -> None:
    """Whoever opens a conversation on a line with an automatic acknowledgement gets one, if he is a human."""
    for arrival in arrivals:
        touch = arrival.touch
        line = setup.lines.get(touch.line)
        opens = arrival.fresh_conversation and touch.automatic is None and touch.direction is Direction.INBOUND
        if opens and line is not None and line.acknowledge:
            jobs.add(unit, "acknowledge", {"interaction": arrival.row["id"]})


def tell(unit: Unit, setup: SetUp, arrivals: Sequence[Arrival], talks: Mapping[int, Mapping[str, Any]]) -> None:
    """Open desks hear of each touch after the commit; `talks` are the conversations by number."""
    for arrival in arrivals:
        row = arrival.row
        talk = talks.get(row["conversation_id"] or 0)
        unit.emit(
            Event(
                "interaction",
                row["id"],
                arrival.touch.phase or "new",
                client=row["client_id"],
                conversation=row["conversation_id"],
                operator=talk["owner"] if talk else row["operator"],
                team=row["team"],
                phones=phones_of(row, setup),
                row=row if row["call"] is not None else None,
            )
        )
