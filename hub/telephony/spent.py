"""How long each operator's telephone was talked on, ready, paused or in wrap-up: told off from picture to picture, in
pieces that end with their quarter of an hour, so that every report finds its share. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeAlias

from channels.contract import OperatorPresence, OperatorState, Presence
from hub.telephony.wrap_up import REASON

Kind: TypeAlias = Literal["talk", "wrap_up", "ready", "pause"]

_QUARTER_S = 900


@dataclass(frozen=True, slots=True)
class Piece:
    """So many seconds from an instant on; a later piece of the same beginning takes its place."""

    extension: str
    operator: str
    kind: Kind
    since: datetime
    seconds: float


@dataclass(frozen=True, slots=True)
class _Lasting:
    """What goes on. `since` moves on with the quarters that are told off."""

    operator: str
    state: OperatorState
    kind: Kind
    since: datetime


@dataclass(slots=True)
class Spent:
    """The telephones of one line, from when somebody listens until nobody does."""

    _lasting: dict[str, _Lasting] = field(default_factory=dict)

    def see(self, picture: Presence) -> list[Piece]:
        """What ended between the picture before and this one."""
        found: list[Piece] = []
        shown = {one.extension: one for one in picture.operators if one.operator is not None}
        for extension, before in list(self._lasting.items()):
            one = shown.get(extension)
            if one is None or (one.operator, kind_of(one)) != (before.operator, before.kind):
                found += _pieces(extension, before, _ended(before, one, picture.at))
                del self._lasting[extension]
        for extension, one in shown.items():
            kind = kind_of(one)
            if kind is None:
                continue
            assert one.operator is not None
            known = self._lasting.get(extension)
            since = known.since if known else self._began(extension, found, picture.at)
            self._lasting[extension] = _Lasting(one.operator, one.state, kind, since)
        return found

    def tell(self, now: datetime) -> list[Piece]:
        """What has lasted until now, and goes on: if the process dies, no more is lost than what comes after."""
        found: list[Piece] = []
        for extension, one in list(self._lasting.items()):
            pieces = list(_pieces(extension, one, now))
            if pieces:
                found += pieces
                self._lasting[extension] = _Lasting(one.operator, one.state, one.kind, pieces[-1].since)
        return found

    def end(self, now: datetime) -> list[Piece]:
        """Nobody listens any more."""
        found = self.tell(now)
        self._lasting.clear()
        return found

    @staticmethod
    def _began(extension: str, ended: list[Piece], at: datetime) -> datetime:
        """Where the one before ended; of what nobody saw, now."""
        last = next((one for one in reversed(ended) if one.extension == extension), None)
        return last.since + timedelta(seconds=last.seconds) if last is not None else at


def kind_of(one: OperatorPresence) -> Kind | None:
    """None: he cannot be rung, and does nothing that counts (switched off, or free in no queue)."""
    if one.state is OperatorState.TALKING:
        return "talk"
    if one.state is OperatorState.PAUSED:
        return "wrap_up" if one.reason == REASON else "pause"
    return "ready" if one.state in (OperatorState.FREE, OperatorState.RINGING) and one.queues else None


def _ended(before: _Lasting, one: OperatorPresence | None, at: datetime) -> datetime:
    """When the telephone says that its state changed, by the clock of the exchange; else when it was shown."""
    changed = one.since if one is not None and one.state is not before.state else at
    return min(max(changed, before.since), max(at, before.since))


def _pieces(extension: str, one: _Lasting, until: datetime) -> Iterator[Piece]:
    since = one.since
    while since < until:
        border = datetime.fromtimestamp((since.timestamp() // _QUARTER_S + 1) * _QUARTER_S, UTC)
        end = min(border, until)
        yield Piece(extension, one.operator, one.kind, since, round((end - since).total_seconds(), 3))
        since = end
