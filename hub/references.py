"""What do the touches of one batch refer to: messages of the log, of the batch itself, or such as have yet to come?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from channels.touch import Direction, Touch
from hub.places import place_of
from hub.setup.snapshot import SetUp
from storage.repositories.references import await_messages, find_awaited, find_conversations_of
from storage.unit import Unit

Row = dict[str, Any]

EVERYWHERE = "email"
"""The channel whose message ids mean the same on all lines; those of the others are known on their line only."""
_MOST_AWAITED = 10


@dataclass(frozen=True, slots=True)
class Reference:
    """A conversation, or an interaction of this batch whose conversation will be told in time.

    `answered` = what spoke of this very message, before it came, was our answer to it.
    """

    target: int | Row
    answered: bool = False

    @property
    def conversation(self) -> int | None:
        """Its number, once it is known."""
        return self.target if isinstance(self.target, int) else self.target["conversation_id"]


class References:
    """Load it once for a batch; for each touch, in order, ask `of`, then `learn` it; at the end `flush`."""

    def __init__(self, unit: Unit, setup: SetUp, touches: Sequence[Touch]) -> None:
        self._unit = unit
        self._setup = setup
        self._known: dict[tuple[str, str], Reference] = {}
        self._awaited: dict[str, Reference] = {}
        self._spoken: list[tuple[str, Row, bool]] = []
        answers = {one for touch in touches if touch.thread for one in touch.thread.answers}
        for external_id, channel, line, conversation in find_conversations_of(unit, answers):
            self._known["" if channel == EVERYWHERE else line, external_id] = Reference(conversation)
        own = {one.external_id for one in touches if one.external_id and not one.phase and self._is_mail(one)}
        for external_id, found in find_awaited(unit, answers | own).items():
            self._awaited[external_id] = Reference(found.conversation, found.answered)

    def of(self, touch: Touch) -> Reference | None:
        """What a touch belongs to by what it says itself, strongest first; else by what was said about it before."""
        thread = touch.thread
        if thread is not None and thread.conversation is not None:
            return Reference(thread.conversation)
        answers = thread.answers if thread is not None else ()
        for one in answers:
            if (found := self._known.get(self._name(touch, one))) is not None:
                return found
        if not self._awaited or not self._is_mail(touch):
            return None
        if touch.external_id and (found := self._awaited.get(touch.external_id)) is not None:
            return found
        return next((Reference(self._awaited[one].target) for one in answers if one in self._awaited), None)

    def learn(self, touch: Touch, row: Row) -> None:
        """Later touches may refer to this one, or to what it refers to. Quarantined ones tell nothing."""
        if row["quarantined_at"] is not None:
            return
        if touch.external_id:
            self._known[self._name(touch, touch.external_id)] = Reference(row)
        if touch.thread is None or not self._is_mail(touch):
            return
        answers = touch.thread.answers
        for one in dict.fromkeys((*answers[:_MOST_AWAITED], *answers[-1:])):
            if self._name(touch, one) not in self._known:
                is_answer = one == answers[0] and touch.direction is Direction.OUTBOUND and touch.automatic is None
                self._awaited.setdefault(one, Reference(row, is_answer))
                self._spoken.append((one, row, is_answer))

    def flush(self) -> None:
        """Remember what was spoken of and is not in the log."""
        rows = [
            {"external_id": one, "conversation_id": row["conversation_id"], "answered": is_answer}
            for one, row, is_answer in self._spoken
            if row["conversation_id"] is not None
        ]
        await_messages(self._unit, rows)

    def _is_mail(self, touch: Touch) -> bool:
        return place_of(self._setup, touch.line).channel == EVERYWHERE

    def _name(self, touch: Touch, external_id: str) -> tuple[str, str]:
        return "" if self._is_mail(touch) else touch.line, external_id
