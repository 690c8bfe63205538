"""Live presence: who is at an open desk, on the telephone, or away by his own word.

A desk that is open says so again and again; one that falls silent stops counting by itself. As long as nobody has
ever opened a desk, nobody keeps track, and everybody who is not on leave counts as present.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from hub.setup.snapshot import SetUp
from storage.events import Event
from storage.repositories import phones
from storage.repositories import presence as rows
from storage.unit import Unit

LASTS = timedelta(seconds=70)
"""How long an open desk counts that was not heard of again."""
GRACE = timedelta(seconds=10)
"""Going from page to page closes one stream and opens another."""
SHIFT = timedelta(hours=12)
"""How long somebody is at work of whom a program said so."""
CALL_LASTS = timedelta(hours=4)
"""A call whose end nobody reported keeps nobody busy for longer."""
HERE, ON_CALL, AWAY, GONE = "here", "on_call", "away", "gone"
STATES = (HERE, ON_CALL, AWAY, GONE)
_OWN = "own"


@dataclass(frozen=True, slots=True)
class Presence:
    """Everybody as he is now. `tracked` is False while nobody has ever been at a desk."""

    states: dict[str, str]
    since: dict[str, datetime]
    tracked: bool

    def state_of(self, operator: str) -> str:
        """`here`, `on_call`, `away` or `gone`."""
        return self.states.get(operator, GONE)

    @property
    def present(self) -> frozenset[str] | None:
        """Those who can be given work; None: nobody keeps track."""
        if not self.tracked:
            return None
        return frozenset(key for key, state in self.states.items() if state in (HERE, ON_CALL))

    @property
    def on_call(self) -> frozenset[str]:
        """Those who are talking."""
        return frozenset(key for key, state in self.states.items() if state == ON_CALL)

    @property
    def away(self) -> frozenset[str]:
        """Those who said so; they get nothing even while nobody keeps track of the others."""
        return frozenset(key for key, state in self.states.items() if state == AWAY)


def read_presence(connection: Connection, now: datetime) -> Presence:
    """His own word beats the telephone, the telephone the desk. Who works after a call is still on it."""
    states: dict[str, str] = {}
    since: dict[str, datetime] = {}
    tracked = rows.known(connection)
    rank = {GONE: 0, HERE: 1, ON_CALL: 2, AWAY: 3}
    for row in rows.read(connection, now):
        if row.place != rows.SEEN and rank.get(row.state, 0) > rank[states.get(row.operator, GONE)]:
            states[row.operator], since[row.operator] = row.state, row.at
    for operator, at in phones.find_talking(connection, now).items():
        if states.get(operator) != AWAY:
            states[operator], since[operator] = ON_CALL, at
    return Presence(states, since, tracked)


def come(unit: Unit, operator: str, desk: str) -> None:
    """A desk of his is open (still)."""
    rows.say(unit, operator, rows.SEEN, GONE, unit.now)
    if rows.say(unit, operator, f"desk:{desk}", HERE, unit.now + LASTS):
        _tell(unit, operator, HERE)


def leave(unit: Unit, operator: str, desk: str) -> None:
    """A desk of his was closed."""
    rows.say(unit, operator, f"desk:{desk}", HERE, unit.now + GRACE)


def take_call(unit: Unit, operator: str, telephone: str) -> None:
    """He is talking; he gets nothing new until he hangs up."""
    if rows.say(unit, operator, f"phone:{telephone}"[:80], ON_CALL, unit.now + CALL_LASTS):
        _tell(unit, operator, ON_CALL)


def end_call(unit: Unit, operator: str, telephone: str) -> None:
    """He has hung up."""
    if rows.forget(unit, operator, f"phone:{telephone}"[:80]):
        _tell(unit, operator, HERE)


def be_here(unit: Unit, operator: str, until: datetime | None = None) -> None:
    """A program says that he is at work, without a desk of ours: a shift long, unless it says until when."""
    rows.say(unit, operator, rows.SEEN, GONE, unit.now)
    if rows.say(unit, operator, _OWN, HERE, until or unit.now + SHIFT):
        _tell(unit, operator, HERE)


def go_away(unit: Unit, operator: str, until: datetime | None = None) -> None:
    """He says himself that he is away; open desks do not count until he is back. Of the others this says nothing."""
    if rows.say(unit, operator, _OWN, AWAY, until):
        _tell(unit, operator, AWAY)


def come_back(unit: Unit, operator: str) -> None:
    """He says that he is back."""
    if rows.forget(unit, operator, _OWN):
        _tell(unit, operator, HERE)


def tidy(unit: Unit) -> None:
    """Forget desks that closed yesterday."""
    rows.tidy(unit, unit.now - timedelta(days=1))


def list_presence(connection: Connection, setup: SetUp, now: datetime) -> list[dict[str, object]]:
    """For screens and programs: every operator, in the order of the set-up."""
    found = read_presence(connection, now)
    return [
        {
            "operator": key,
            "state": found.state_of(key),
            "since": found.since.get(key),
            "on_leave": setup.is_away(key, now),
        }
        for key in setup.operators
    ]


def _tell(unit: Unit, operator: str, state: str) -> None:
    unit.emit(Event("operator", operator, state, operator=operator))
