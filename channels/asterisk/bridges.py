"""Who can hear whom: bridges, and the Local channels that join them. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from channels.asterisk.endpoints import local_pair


@dataclass(slots=True)
class Bridges:
    """The bridges of one PBX. Channels are named by Uniqueid; a Local channel is a wire between two bridges."""

    _inside: dict[str, dict[str, None]] = field(default_factory=dict)
    _where: dict[str, str] = field(default_factory=dict)
    _pairs: dict[str, dict[str, str]] = field(default_factory=dict)
    _halves: dict[str, tuple[str, str]] = field(default_factory=dict)

    def note(self, uid: str, channel: str) -> None:
        """A channel exists; the two halves of a Local channel find each other by name."""
        pair = local_pair(channel)
        if pair is not None:
            self._pairs.setdefault(pair[0], {})[pair[1]] = uid
            self._halves[uid] = pair

    def enter(self, uid: str, bridge: str) -> None:
        """A channel is in a bridge, and in no other."""
        if self._where.get(uid) != bridge:
            self.leave(uid)
            self._inside.setdefault(bridge, {})[uid] = None
            self._where[uid] = bridge

    def leave(self, uid: str, bridge: str | None = None) -> None:
        """A channel is out of its bridge; news of a bridge it is no longer in are old news."""
        here = self._where.get(uid)
        if here is None or (bridge is not None and here != bridge):
            return
        del self._where[uid]
        inside = self._inside[here]
        inside.pop(uid, None)
        if not inside:
            del self._inside[here]

    def forget(self, uid: str) -> None:
        """A channel is gone."""
        self.leave(uid)
        pair = self._halves.pop(uid, None)
        if pair is not None and (halves := self._pairs.get(pair[0])) is not None:
            halves.pop(pair[1], None)
            if not halves:
                del self._pairs[pair[0]]

    def other_half(self, uid: str) -> str | None:
        """The other end of a Local channel, while it lives."""
        pair = self._halves.get(uid)
        if pair is None:
            return None
        return self._pairs.get(pair[0], {}).get("2" if pair[1] == "1" else "1")

    def is_in(self, uid: str) -> bool:
        """Whether a channel is in any bridge."""
        return uid in self._where

    def heard_by(self, uid: str) -> list[str]:
        """Everybody whom a channel hears, itself included, in the order of entering; Local wires are followed.

        Nobody when it is in no bridge.
        """
        first = self._where.get(uid)
        if first is None:
            return []
        bridges, found = [first], []
        for bridge in bridges:  # grows while it is walked
            for member in self._inside[bridge]:
                found.append(member)
                half = self.other_half(member)
                further = self._where.get(half) if half else None
                if further is not None and further not in bridges:
                    bridges.append(further)
        return found
