"""Which conversation does a touch belong to, and how does it change that conversation? Pure but for one look-up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from channels.touch import Direction, Kind, Touch
from storage import models
from storage.repositories import intake as rows
from storage.unit import Unit

WINDOW = timedelta(minutes=30)
"""Touches of one client within this time are one conversation, unless they are mails, which say themselves."""

Row = dict[str, Any]


@dataclass(slots=True)
class Threads:
    """The conversations of one batch of touches, as they change in memory until `flush`."""

    unit: Unit
    by_id: dict[int, Row] = field(default_factory=dict)
    recent: dict[int, int] = field(default_factory=dict)
    _fresh: dict[int, Row] = field(default_factory=dict)
    _before: dict[int, Row] = field(default_factory=dict)

    def load(self, ids: Iterable[int]) -> None:
        """Read conversations that touches refer to."""
        missing = [number for number in ids if number not in self.by_id]
        self.by_id.update(rows.find_conversations(self.unit, missing))

    def load_recent(self, clients: Iterable[int], since: datetime) -> None:
        """Read what these clients talked about lately."""
        for client, row in rows.find_open_conversations(self.unit, clients, since).items():
            self.by_id.setdefault(row["id"], row)
            self.recent[client] = row["id"]

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
            recent = self.by_id.get(self.recent.get(client, 0))
            if recent is not None and _is_lively(recent, touch):
                found = recent
        if found is not None:
            return found, False
        return self._open(touch, client, team, channel), True

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
        self.by_id[number] = row
        self.recent[client] = number
        return row

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


def _is_lively(row: Mapping[str, Any], touch: Touch) -> bool:
    return row["last_at"] >= touch.at - WINDOW and row["state"] not in {"solved", "junk"}


def _speaks_for_itself(touch: Touch, channel: str) -> bool:
    return channel == "email" or touch.automatic is not None


def affect(row: Mapping[str, Any], touch: Touch, interaction: int, channel: str, *, again: bool) -> dict[str, Any]:
    """What a touch changes in its conversation: who waits for whom, and since when."""
    changes: dict[str, Any] = {}
    if touch.at > row["last_at"]:
        changes["last_at"] = touch.at
    if channel not in row["channels"]:
        changes["channels"] = [*row["channels"], channel]
    if touch.automatic is not None:
        return {**changes, **_affect_automatically(row, touch)}
    if touch.direction is Direction.INBOUND:
        changes |= _affect_inbound(row, touch, interaction, again=again)
    elif touch.direction is Direction.OUTBOUND and touch.kind is not Kind.NOTE:
        changes |= _affect_outbound(row, touch)
    return changes


def _affect_automatically(row: Mapping[str, Any], touch: Touch) -> dict[str, Any]:
    """Nobody waits for an answer to a machine; a conversation that one opened is closed at once."""
    untouched = row["last_inbound_at"] is None and row["answered_at"] is None and row["opened_at"] == touch.at
    if untouched and row["state"] == "open":
        return {"state": "solved", "closed_at": touch.at, "closed_by": "system", "closed_why": "automatic"}
    return {}


def _affect_inbound(row: Mapping[str, Any], touch: Touch, interaction: int, *, again: bool) -> dict[str, Any]:
    changes: dict[str, Any] = {"last_inbound_at": touch.at, "last_inbound_id": interaction}
    if row["state"] != "open":
        changes |= {"state": "open", "closed_at": None, "closed_by": None, "closed_why": None, "postponed_until": None}
    if touch.kind is Kind.CALL:
        return changes | _affect_by_call(touch)
    if row["waiting_since"] is None and not again:
        changes |= {"waiting_since": touch.at, "waiting_id": interaction}
    return changes


def _affect_by_call(touch: Touch) -> dict[str, Any]:
    """A talk answers what was open."""
    if (touch.call or {}).get("outcome") == "answered":
        return {"waiting_since": None, "waiting_id": None, "answered_at": touch.at}
    return {}


def _affect_outbound(row: Mapping[str, Any], touch: Touch) -> dict[str, Any]:
    if touch.kind is Kind.CALL:
        return _affect_by_call(touch)
    changes: dict[str, Any] = {"answered_at": max(touch.at, row["answered_at"] or touch.at)}
    if row["waiting_since"] is not None and touch.at >= row["waiting_since"]:
        changes |= {"waiting_since": None, "waiting_id": None}
    if row["state"] == "open" and (row["last_inbound_at"] is None or touch.at >= row["last_inbound_at"]):
        changes["state"] = "waiting_client"
    return changes
