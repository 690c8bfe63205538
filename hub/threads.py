"""Which conversation does a touch belong to, and how does it change that conversation? Pure but for one look-up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from channels.touch import Direction, Kind, Touch
from storage import models
from storage.repositories import intake as rows
from storage.repositories.references import find_asked
from storage.unit import Unit

CLOSED = frozenset({"solved", "junk"})
QUESTIONS = frozenset({Kind.MESSAGE, Kind.FORM, Kind.LETTER, Kind.FAX})
_OPENED: Mapping[str, Any] = {"closed_at": None, "closed_by": None, "closed_why": None, "postponed_until": None}

Row = dict[str, Any]


@dataclass(slots=True)
class Threads:
    """The conversations of one batch of touches, as they change in memory until `flush`.

    Touches of one client within `window` (`company.conversation_window`) are one conversation, whatever the channel,
    unless they are mails, which say themselves.
    """

    unit: Unit
    window: timedelta
    by_id: dict[int, Row] = field(default_factory=dict)
    _of_client: dict[int, set[int]] = field(default_factory=dict)
    _asked: dict[int, list[tuple[datetime, int]]] = field(default_factory=dict)
    _fresh: dict[int, Row] = field(default_factory=dict)
    _before: dict[int, Row] = field(default_factory=dict)

    def load(self, ids: Iterable[int]) -> None:
        """Read conversations that touches refer to."""
        missing = [number for number in ids if number not in self.by_id]
        for row in rows.find_conversations(self.unit, missing).values():
            self._know(row)

    def load_recent(self, clients: Iterable[int], since: datetime) -> None:
        """Read what these clients talked about lately."""
        for row in rows.find_open_conversations(self.unit, clients, since).values():
            if row["id"] not in self.by_id:
                self._know(row)

    def _know(self, row: Row) -> None:
        self.by_id[row["id"]] = row
        self._of_client.setdefault(row["client_id"], set()).add(row["id"])

    def place(
        self, touch: Touch, client: int, referred: int | None, team: str | None, channel: str
    ) -> tuple[Row, bool]:
        """The conversation of a touch, and whether it is new. `referred` is what the touch itself refers to, proved."""
        found = self.by_id.get(referred) if referred is not None else None
        tag = touch.thread.tag if touch.thread else None
        if found is None and tag is not None:
            tagged = self.by_id.get(tag)
            found = tagged if tagged is not None and tagged["client_id"] == client else None
        if found is None and not _speaks_for_itself(touch, channel):
            found = self._recent(client, touch)
        if found is not None:
            return found, False
        return self._open(touch, client, team, channel), True

    def _recent(self, client: int, touch: Touch) -> Row | None:
        """What the client talked about last, if that was just now."""
        talks = (self.by_id[number] for number in self._of_client.get(client, ()))
        lively = [row for row in talks if _is_lively(row, touch, self.window)]
        return max(lively, key=lambda row: (row["last_at"], row["id"]), default=None)

    def _open(self, touch: Touch, client: int, team: str | None, channel: str) -> Row:
        number = self.unit.take_ids(models.conversation, 1)[0]
        row: Row = {
            "id": number,
            "client_id": client,
            "state": "open",
            "subject": touch.subject,
            "owner": None,
            "team": team,
            "channels": [channel],
            "opened_at": touch.at,
            "last_at": touch.at,
            "last_inbound_at": None,
            "last_inbound_id": None,
            "waiting_since": None,
            "waiting_id": None,
            "answered_at": None,
            "closed_at": None,
            "closed_by": None,
            "closed_why": None,
            "postponed_until": None,
            "version": 1,
        }
        self._fresh[number] = row
        self._know(row)
        return row

    def follow(
        self, row: Row, touch: Touch, interaction: Mapping[str, Any], *, grown: bool = False, answered: bool = False
    ) -> None:
        """Change a conversation by a touch of it. `answered`: an answer to this very touch came before it."""
        again = interaction["again_of"] is not None
        if not grown and not again and is_question(touch):
            self._asked.setdefault(row["id"], []).append((touch.at, interaction["id"]))
        effect = Effect(row, touch, interaction["id"], again, grown, answered, partial(self._asked_since, row))
        self.change(row, {**touched(row, touch, interaction["channel"]), **effect.changes()})

    def _asked_since(self, row: Row, since: datetime) -> tuple[datetime, int] | None:
        """The oldest question of a conversation after an instant, in the log or in this batch."""
        mine = [asked for asked in self._asked.get(row["id"], ()) if asked[0] > since]
        logged = find_asked(self.unit, row["id"], since) if row["id"] not in self._fresh else None
        return min([*mine, *([logged] if logged else [])], default=None)

    def change(self, row: Row, changes: Mapping[str, Any]) -> None:
        """Change a conversation; how it was read is remembered, so that only differences are written."""
        number = row["id"]
        if number not in self._fresh:
            self._before.setdefault(number, dict(row))
        row.update(changes)

    def flush(self) -> None:
        """Write new and changed conversations."""
        rows.write_rows(self.unit, models.conversation, list(self._fresh.values()))
        changed: dict[int, Row] = {}
        for number, before in self._before.items():
            row = self.by_id[number]
            difference = {column: value for column, value in row.items() if before[column] != value}
            if difference:
                changed[number] = {**difference, "version": before["version"] + 1}
        rows.update_rows(self.unit, models.conversation, changed)


def is_question(touch: Touch) -> bool:
    """Does somebody wait for an answer to it? Calls are not answered but called back."""
    return touch.direction is Direction.INBOUND and touch.automatic is None and touch.kind in QUESTIONS


def _is_lively(row: Mapping[str, Any], touch: Touch, window: timedelta) -> bool:
    began, last = row["opened_at"] - window, row["last_at"] + window
    return began <= touch.at <= last and row["state"] not in CLOSED


def _speaks_for_itself(touch: Touch, channel: str) -> bool:
    return channel == "email" or touch.automatic is not None


def touched(row: Mapping[str, Any], touch: Touch, channel: str) -> Row:
    """What any touch changes: when the conversation was last heard of, and over what."""
    changes: Row = {}
    if touch.at > row["last_at"]:
        changes["last_at"] = touch.at
    if channel not in row["channels"]:
        changes["channels"] = [*row["channels"], channel]
    return changes


AskedSince = Callable[[datetime], tuple[datetime, int] | None]


@dataclass(frozen=True, slots=True)
class Effect:
    """What a touch changes about who waits for whom, and since when. Touches may come late, in any order.

    `asked_since` finds the oldest question after an instant.
    """

    row: Mapping[str, Any]
    touch: Touch
    interaction: int
    again: bool
    grown: bool
    answered: bool
    asked_since: AskedSince

    def changes(self) -> Row:
        """The columns that change."""
        touch = self.touch
        if touch.automatic is not None:
            return self._automatic()
        if touch.kind is Kind.CALL:
            return self._call()
        if self.grown or touch.kind is Kind.NOTE:
            return {}  # an edit asks and answers nothing anew, a note (a pressed button, a rating) nothing at all
        if touch.kind is Kind.MEETING:
            return {**self._heard(), **answer(self.row, touch.at, self.asked_since)}
        if touch.direction is Direction.INBOUND:
            return self._inbound()
        if touch.direction is Direction.OUTBOUND:
            return self._outbound()
        return {}

    def _automatic(self) -> Row:
        """Nobody waits for an answer to a machine; a conversation that one opened is closed at once."""
        row, at = self.row, self.touch.at
        untouched = row["last_inbound_at"] is None and row["answered_at"] is None and row["opened_at"] == at
        if untouched and row["state"] == "open" and not self.grown:
            return {"state": "solved", "closed_at": at, "closed_by": "system", "closed_why": "automatic"}
        return {}

    def _call(self) -> Row:
        """A talk answers what was open; a call that nobody took is called back, which is another promise."""
        call = self.touch.call or {}
        changes = self._heard()
        if call.get("outcome") == "answered" and call.get("talk_s") != 0:
            began = call.get("answered_at") or self.touch.at
            changes |= answer(
                self.row, datetime.fromisoformat(began) if isinstance(began, str) else began, self.asked_since
            )
        return changes

    def _heard(self) -> Row:
        """The client was heard of; whatever was closed is open again (once: not by every phase of a call)."""
        row, at = self.row, self.touch.at
        if self.touch.direction is not Direction.INBOUND:
            return {}
        changes: Row = {}
        if row["last_inbound_at"] is None or at >= row["last_inbound_at"]:
            changes |= {"last_inbound_at": at, "last_inbound_id": self.interaction}
        if row["state"] != "open" and not self.grown and not self.answered:
            changes |= {"state": "open", **_OPENED}
        return changes

    def _inbound(self) -> Row:
        """He waits since his oldest question that came after our last answer."""
        row, at = self.row, self.touch.at
        changes = self._heard()
        late = row["answered_at"] is not None and row["answered_at"] > at
        first = row["waiting_since"] is None or at < row["waiting_since"]
        if first and not late and not self.again and not self.answered:
            changes |= {"waiting_since": at, "waiting_id": self.interaction}
        return changes

    def _outbound(self) -> Row:
        row, at = self.row, self.touch.at
        changes = answer(row, at, self.asked_since)
        if row["state"] == "open" and (row["last_inbound_at"] is None or at >= row["last_inbound_at"]):
            changes["state"] = "waiting_client"
        return changes


def answer(row: Mapping[str, Any], at: datetime, asked_since: AskedSince) -> Row:
    """What a human's answer of an instant changes: whoever asked after it still waits (the log has it after him)."""
    changes: Row = {"answered_at": max(at, row["answered_at"] or at)}
    waits = row["waiting_since"]
    if waits is not None and waits <= at:
        newer = asked_since(at) if row["last_inbound_at"] is not None and row["last_inbound_at"] >= at else None
        changes |= {"waiting_since": newer[0] if newer else None, "waiting_id": newer[1] if newer else None}
    return changes
