"""How a talk looks from the visitor's side: pieces of JSON, and what of it is new to one stream. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

import orjson

from channels.chat.session import Sessions
from channels.talk import Attendance, Said, Talk
from channels.touch import Direction

Piece = Mapping[str, Any]


def show(said: Said, session: str, sessions: Sessions) -> dict[str, Any]:
    """One message. `ref` is the id under which the widget sent it, for what he wrote himself."""
    mine = said.direction is Direction.INBOUND
    prefix = f"{session}:"
    own = said.external_id.removeprefix(prefix) if mine and said.external_id else None
    return {
        "id": said.id,
        "ref": own,
        "mine": mine,
        "at": _instant(said.at),
        "text": said.text,
        "name": None if mine else said.name,
        "state": said.state,
        "files": [
            {
                "name": one.name,
                "type": one.media_type,
                "size": one.size,
                "path": f"file/{one.id}?of={session}&key={quote(sessions.key(session, one.id))}",
            }
            for one in said.files
        ],
    }


def talk_piece(messages: Iterable[Said], writing: bool, session: str, sessions: Sessions) -> Piece:
    """Messages and whether somebody is writing."""
    return {"type": "talk", "messages": [show(one, session, sessions) for one in messages], "writing": writing}


def attendance_piece(attendance: Attendance) -> Piece:
    """Whether somebody is there."""
    opens = _instant(attendance.opens_at) if attendance.opens_at else None
    return {"type": "attendance", "present": attendance.present, "opens_at": opens}


def written(piece: Piece) -> bytes:
    """As an event of a stream (WHATWG HTML, server-sent events)."""
    return b"data: " + orjson.dumps(piece) + b"\n\n"


def _instant(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


class Told:
    """What one stream has told already."""

    def __init__(self, session: str, sessions: Sessions) -> None:
        self._session, self._sessions = session, sessions
        self._states: dict[int, str] = {}
        self._writing: bool | None = None

    def news(self, talk: Talk) -> Piece | None:
        """What of a talk is new or has changed; None when nothing has."""
        fresh = [one for one in talk.messages if self._states.get(one.id) != one.state]
        if not fresh and talk.writing == self._writing:
            return None
        self._states.update({one.id: one.state for one in fresh})
        self._writing = talk.writing
        return talk_piece(fresh, talk.writing, self._session, self._sessions)


def reads(talk: Talk, delivered: Any, read: Any) -> list[tuple[str, str]]:
    """External ids of ours that came further than the log knows, with how far: what a browser may report."""
    rank = {"sent": 1, "delivered": 2, "read": 3}
    wanted = [("read", set(_numbers(read))), ("delivered", set(_numbers(delivered)))]
    found = []
    for said in talk.messages:
        state = next((name for name, numbers in wanted if said.id in numbers), None)
        if said.external_id and state and 0 < rank.get(said.state, 0) < rank[state]:
            found.append((said.external_id, state))
    return found


def _numbers(given: Any) -> list[int]:
    return [one for one in given[:500] if isinstance(one, int)] if isinstance(given, list) else []
