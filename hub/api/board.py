"""The live board: who waits, who is free, what is about to be late."""

from __future__ import annotations

from typing import Any, Literal

from typing_extensions import TypedDict

from hub.api.call import Call, operation
from hub.api.values import Asked, Id, Key, Shown, show
from hub.metrics.live import ABOUT, SOON, Board, read_board
from hub.setup.snapshot import SetUp

PhoneState = Literal["free", "ringing", "talking", "wrap_up", "paused", "offline"]


class QueueOut(TypedDict):
    """One queue of an exchange."""

    queue: str
    line: str
    team: str | None
    waiting: int
    longest_since: Shown | None


class PhoneOut(TypedDict):
    """One operator's telephone. `since` is null when it was never seen; `reason` says why he is paused."""

    operator: str
    name: str
    extension: str
    teams: list[str]
    state: PhoneState
    since: Shown | None
    reason: str
    queues: list[str]
    line: str | None


class StatesOut(TypedDict):
    """How many operators are in each state."""

    free: int
    ringing: int
    talking: int
    wrap_up: int
    paused: int
    offline: int


class PressingOut(TypedDict):
    """One promise that is about to be late, or is."""

    id: Id
    regulation: str
    client: int
    conversation: int | None
    owner: str | None
    team: str | None
    due: Shown


class PromisesOut(TypedDict):
    """`nearest`: what can still be kept first, then what was due last."""

    soon: int
    soon_within_s: int
    late: int
    nearest: list[PressingOut]


class UnansweredOut(TypedDict):
    """Open conversations in which the client waits for us."""

    waiting: int
    oldest_since: Shown | None


class AboutOut(TypedDict):
    """How a figure is made. `interval` is "now": all of them are of the instant `at`."""

    figure: str
    formula: str
    interval: Literal["now"]
    exclusions: list[str]


class BoardOut(TypedDict):
    """The board at one instant."""

    at: Shown
    waiting: int
    longest_wait_s: float | None
    longest_since: Shown | None
    queues: list[QueueOut]
    states: StatesOut
    operators: list[PhoneOut]
    promises: PromisesOut
    conversations: UnansweredOut
    about: list[AboutOut]


class BoardQuery(Asked):
    """Without a team it is everybody's."""

    team: Key | None = None


@operation("GET", "/board", tag="figures", summary="The live board", query=BoardQuery, answer=BoardOut)
async def get_board(call: Call[BoardQuery, Any]) -> BoardOut:
    """Calls waiting and the longest wait, operators by state, promises about to be late, conversations that wait."""
    setup, now = call.setup, call.hub.store.now()
    teams = (call.query.team,) if call.query.team is not None else None
    found = await call.read(lambda connection: read_board(connection, setup, now, teams))
    return _shown(found, setup)


def _shown(board: Board, setup: SetUp) -> BoardOut:
    return {
        "at": show(board.at) or "",
        "waiting": board.waiting,
        "longest_wait_s": board.longest_wait_s,
        "longest_since": show(board.longest_since),
        "queues": [
            {
                "queue": one.queue,
                "line": one.line,
                "team": one.team,
                "waiting": one.waiting,
                "longest_since": show(one.longest_since),
            }
            for one in board.queues
        ],
        "states": board.states,  # type: ignore[typeddict-item]
        "operators": [
            {
                "operator": one.operator,
                "name": setup.operators[one.operator].name,
                "extension": one.extension,
                "teams": list(setup.operators[one.operator].teams),
                "state": one.state,
                "since": show(one.since),
                "reason": one.reason,
                "queues": list(one.queues),
                "line": one.line,
            }
            for one in board.operators
        ],
        "promises": _promises(board),
        "conversations": {
            "waiting": board.unanswered.conversations,
            "oldest_since": show(board.unanswered.oldest_since),
        },
        "about": [
            {"figure": figure, "formula": formula, "interval": "now", "exclusions": list(exclusions)}
            for figure, (formula, exclusions) in ABOUT.items()
        ],
    }


def _promises(board: Board) -> PromisesOut:
    return {
        "soon": board.pressing.soon,
        "soon_within_s": int(SOON.total_seconds()),
        "late": board.pressing.late,
        "nearest": [
            {
                "id": one.id,
                "regulation": one.regulation,
                "client": one.client_id,
                "conversation": one.conversation_id,
                "owner": one.owner,
                "team": one.team,
                "due": show(one.due) or "",
            }
            for one in board.pressing.nearest
        ],
    }
