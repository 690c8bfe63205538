"""One touch on its way in, and how things stood when it came: later touches of its batch change them further."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from channels.touch import Touch
from hub import fold
from hub.judgement import conversation_facts, interaction_facts
from hub.setup.snapshot import SetUp
from routing.facts import ConversationFacts, InteractionFacts
from storage.unit import Unit

REPEAT_WINDOW = timedelta(minutes=10)
Row = dict[str, Any]


@dataclass(slots=True)
class Arrival:
    """One touch on its way in. What lies outside the database (files, large raw bytes) is kept before it queues up.

    `given` is what a person says about the interaction himself, beyond what a touch can say.
    """

    touch: Touch
    raw: Row | None = None
    files: list[Row] = field(default_factory=list)
    given: Row = field(default_factory=dict)
    row: Row = field(default_factory=dict)
    before: Row | None = None
    view: Row | None = None
    conversation_before: Row | None = None
    conversation: Row | None = None
    fresh_client: bool = False
    fresh_conversation: bool = False
    again: bool = False
    answered: bool = False
    seen: int | None = None
    grows: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """What makes the touch the same when it comes again."""
        return self.touch.line, self.touch.event_key


def repeat_of(alike: list[Row], arrival: Arrival) -> Row | None:
    """What a touch repeats, if that was just now; else it is the first itself."""
    at = arrival.touch.at
    earlier = next((row for row in alike if abs(row["at"] - at) <= REPEAT_WINDOW), None)
    if earlier is None:
        alike.append(arrival.row)
        return None
    arrival.again = True
    arrival.row["again_of"] = earlier["id"]
    return earlier


_PLACED = ("client_id", "conversation_id", "candidates", "team")


def seen_as(view: Row | None, row: Row) -> Row:
    """The interaction as it was after a touch, where later ones of the batch have made it grow."""
    return row if view is None else {**view, **{column: row[column] for column in _PLACED}}


def facts_before(arrival: Arrival, setup: SetUp) -> InteractionFacts | None:
    """The interaction as it was before a touch that made it grow."""
    if arrival.before is None:
        return None
    return interaction_facts(seen_as(arrival.before, arrival.row), setup, phase=arrival.touch.phase)


def talk_facts(arrival: Arrival, talk: Row) -> ConversationFacts:
    """The conversation as it was after a touch, but for whose it is: that follows from the touches judged before."""
    then = arrival.conversation
    known = talk if then is None else {**then, "owner": talk["owner"], "team": talk["team"]}
    return conversation_facts(known, new=arrival.fresh_conversation)


def touch_row(arrival: Arrival, number: int, raw_id: int | None, unit: Unit) -> Row:
    """The append-only row of a touch."""
    touch = arrival.touch
    return {
        "id": number,
        "line": touch.line,
        "event_key": touch.event_key,
        "interaction_id": arrival.row["id"],
        "at": touch.at,
        "received_at": unit.now,
        "phase": touch.phase,
        "body": {**fold.describe(touch), "given": arrival.given} if arrival.given else fold.describe(touch),
        "text": touch.text,
        "full_text": touch.full_text,
        "html": touch.html,
        "raw_id": raw_id,
    }
