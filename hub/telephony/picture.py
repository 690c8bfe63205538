"""How operators' telephones and the exchanges' queues are now, for every process: read from the rows that the
listening process keeps (`keeping.py`).

Live events: `Event("phone", OPERATOR, STATE, operator=OPERATOR)` when a telephone changes (also into and out of
wrap-up, and `offline` when its line is lost), `Event("queue", LINE, "changed")` when callers come to or leave a queue.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection

from hub.setup.snapshot import SetUp
from hub.telephony.exchanges import team_of_queue
from hub.telephony.wrap_up import REASON
from storage.repositories import phones as rows

OperatorState = Literal["free", "ringing", "talking", "wrap_up", "paused", "offline"]

_RANK = {"talking": 5, "ringing": 4, "wrap_up": 3, "paused": 2, "free": 1, "offline": 0}


@dataclass(frozen=True, slots=True)
class OperatorNow:
    """One operator's telephone. `since` is when the state began (None: never seen); `reason` why he is paused.

    `paused` holds also while he talks. `until` and `interaction` are set in wrap-up: when it ends by itself, and after
    which call it is. `line` is the exchange (None: no exchange knows him).
    """

    operator: str
    extension: str
    state: OperatorState
    since: datetime | None
    reason: str = ""
    queues: tuple[str, ...] = ()
    line: str | None = None
    paused: bool = False
    until: datetime | None = None
    interaction: int | None = None


@dataclass(frozen=True, slots=True)
class QueueNow:
    """One queue: how many wait, and since when the first of them."""

    line: str
    queue: str
    team: str | None
    waiting: int
    longest_since: datetime | None


@dataclass(frozen=True, slots=True)
class Picture:
    """Every operator who has an extension, in the order of the set-up; the queues of the lines that run."""

    operators: tuple[OperatorNow, ...]
    queues: tuple[QueueNow, ...]

    def of(self, operator: str) -> OperatorNow | None:
        """One operator's telephone; None if he has none."""
        return next((one for one in self.operators if one.operator == operator), None)


def read_picture(connection: Connection, setup: SetUp, now: datetime) -> Picture:
    """The whole of it. What a line said that nobody listens to any more is not believed."""
    live = rows.live_lines(connection, now) & set(setup.lines)
    phones: dict[str, list[Any]] = {}
    for row in rows.read_phones(connection, live):
        phones.setdefault(row.extension, []).append(row)
    wrapping = {row.operator: row for row in rows.read_wrap_ups(connection) if row.until > now}
    operators = tuple(
        _operator(key, one.extension, phones.get(one.extension, []), wrapping.get(key))
        for key, one in setup.operators.items()
        if one.extension
    )
    queues = tuple(
        QueueNow(row.line, row.queue, team_of_queue(setup, row.line, row.queue), row.waiting, row.longest_since)
        for row in rows.read_queues(connection, live)
    )
    return Picture(operators, queues)


def read_some(
    connection: Connection, setup: SetUp, now: datetime, operators: Collection[str]
) -> dict[str, OperatorNow]:
    """The telephones of some operators, by their keys; those without one are left out. Of a wrap-up only that it is."""
    extensions = {key: one.extension for key in operators if (one := setup.operators.get(key)) and one.extension}
    phones: dict[str, list[Any]] = {}
    for row in rows.read_live_phones(connection, extensions.values(), now):
        if row.line in setup.lines:
            phones.setdefault(row.extension, []).append(row)
    found = {key: _operator(key, extension, phones.get(extension, []), None) for key, extension in extensions.items()}
    wrapping = {
        row.operator for several in phones.values() for row in several if row.wraps_until and row.wraps_until > now
    }
    return {
        key: replace(one, state="wrap_up") if key in wrapping and one.state == "free" else one
        for key, one in found.items()
    }


def _operator(operator: str, extension: str, phones: list[Any], wrapping: Any) -> OperatorNow:
    """Of several exchanges that know his extension, the one on which most happens."""
    if not phones:
        return OperatorNow(operator, extension, "offline", None)
    row = max(phones, key=lambda one: (_RANK.get(one.state, 0), one.since))
    found = OperatorNow(
        operator, extension, row.state, row.since, row.reason, tuple(row.queues), row.line, bool(row.paused)
    )
    if row.reason == REASON and row.state != "paused":  # told ahead; until he hangs up it is nobody's business
        found = replace(found, paused=False, reason="")
    ours = row.state == "paused" and row.reason == REASON
    if row.state not in ("free", "paused") or (wrapping is None and not ours):
        return found
    if wrapping is None:  # it begins or ends just now
        return replace(found, state="wrap_up", reason="")
    return replace(
        found,
        state="wrap_up",
        reason="",
        since=wrapping.since,
        until=wrapping.until,
        interaction=wrapping.interaction_id,
    )
