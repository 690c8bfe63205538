"""What if: a deadline by a calendar in force, day by day, without promising anything."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field
from typing_extensions import TypedDict

from hub.api.call import Call, operation
from hub.api.obligations import DayOut
from hub.api.values import Asked, Instant, Key, Short, Shown
from hub.reckoning import Question, reckon
from routing.deadline import Roll


class DeadlineQuery(Asked):
    """As `touchline deadline` asks."""

    calendar: Key
    target: Annotated[Short, Field(examples=["4 working hours"])]
    from_: Annotated[Instant, Field(alias="from")]
    pause: Annotated[Short, Field(description="START/END during which the clock stands still; several with commas")] = (
        ""
    )
    roll: Literal["none", "back", "forward"] = "none"


class CalendarOut(TypedDict):
    """Which version of which calendar."""

    key: str
    version: int


class StoppedOut(TypedDict):
    """One pause, and by how much it moved the deadline."""

    start: Shown
    end: Shown | None
    moved_s: float


class DeadlineOut(TypedDict):
    """`due` is null while a pause without an end stops the clock; `left_s` then is what remains."""

    target: str
    start: Shown
    start_local: str
    due: Shown | None
    due_local: str | None
    due_zone: str | None
    left_s: float | None
    calendar: CalendarOut
    zone: str
    tzdata: str
    roll: Literal["none", "back", "forward"]
    rolled_from: Shown | None
    counts_in: Literal["seconds", "open days", "days"]
    days: list[DayOut]
    pauses: list[StoppedOut]
    warnings: list[dict[str, Any]]


@operation(
    "GET",
    "/deadline",
    tag="obligations",
    summary="What a deadline would be",
    query=DeadlineQuery,
    answer=DeadlineOut,
    refusals=(422,),
)
async def get_deadline(call: Call[DeadlineQuery, Any]) -> DeadlineOut:
    """Nothing is promised or stored. The table of days is that of an explanation."""
    asked = call.query
    pauses = tuple(each for each in asked.pause.split(",") if each.strip())
    found = reckon(call.setup, Question(asked.calendar, asked.target, asked.from_, pauses, Roll(asked.roll)))
    shown: DeadlineOut = found.as_json()  # type: ignore[assignment]
    return shown
