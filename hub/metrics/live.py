"""The live board: who waits, who is free, what is about to be late, now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import get_args

from sqlalchemy import Connection

from hub.setup.snapshot import SetUp
from hub.telephony.picture import OperatorNow, OperatorState, QueueNow, read_picture
from storage.repositories.due import Pressing, Unanswered, Whose, read_pressing, read_unanswered

STATES: tuple[OperatorState, ...] = get_args(OperatorState)
SOON = timedelta(minutes=30)
MOST_SHOWN = 7

ABOUT: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "waiting": ("callers in the queues of the exchanges", ("callers who ring at one operator without a queue",)),
    "longest_wait_s": ("now - the moment at which the first caller who still waits came to his queue", ()),
    "states": (
        "operators by what their telephone does; wrap_up = still working on the call before",
        ("operators without an extension",),
    ),
    "promises.soon": (f"running promises due within {SOON.seconds // 60} minutes", ("paused promises",)),
    "promises.late": ("promises whose due has passed and which nobody has kept", ("paused promises",)),
    "conversations.waiting": ("open conversations whose last word is the client's", ("postponed, closed and junk",)),
}
"""Each figure: how it is made, and what is left out. All of them are of this instant."""


@dataclass(frozen=True, slots=True)
class Board:
    """Everything on it, at one instant."""

    at: datetime
    queues: tuple[QueueNow, ...]
    operators: tuple[OperatorNow, ...]
    pressing: Pressing
    unanswered: Unanswered

    @property
    def waiting(self) -> int:
        """Callers who wait."""
        return sum(one.waiting for one in self.queues)

    @property
    def longest_since(self) -> datetime | None:
        """Since when the first of them waits."""
        return min((one.longest_since for one in self.queues if one.longest_since), default=None)

    @property
    def longest_wait_s(self) -> float | None:
        """How long that is."""
        since = self.longest_since
        return round(max((self.at - since).total_seconds(), 0.0), 3) if since is not None else None

    @property
    def states(self) -> dict[OperatorState, int]:
        """How many operators are in each state; none is left out."""
        counted = Counter(one.state for one in self.operators)
        return {state: counted[state] for state in STATES}


def read_board(connection: Connection, setup: SetUp, now: datetime, teams: tuple[str, ...] | None = None) -> Board:
    """The board of some teams; None = everybody's. Queues that belong to no team are everybody's."""
    picture = read_picture(connection, setup, now)
    if teams is None:
        whose, queues, operators = Whose(), picture.queues, picture.operators
    else:
        members = tuple(dict.fromkeys(key for team in teams for key in setup.members(team)))
        whose = Whose(teams, members)
        queues = tuple(one for one in picture.queues if one.team is None or one.team in teams)
        operators = tuple(one for one in picture.operators if one.operator in members)
    return Board(
        now,
        queues,
        operators,
        read_pressing(connection, whose, now, SOON, MOST_SHOWN),
        read_unanswered(connection, whose),
    )
