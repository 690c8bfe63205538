"""Screen: what waits for me, nearest due first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web
from sqlalchemy import Connection

from hub.composition import HUB
from hub.desk.doing import see
from hub.desk.pages import show, speech_of
from hub.desk.reading import waiting as rows
from hub.desk.reading.log import icon_of
from hub.desk.reading.waiting import Wanted
from hub.desk.visitor import Visitor, who
from hub.desk.vocabulary import CATEGORIES, Vocabulary

PARTS = {"list": "_waiting_list.html", "tabs": "_waiting_tabs.html"}
_STEP, _MOST = 50, 1000


async def go_home(request: web.Request) -> web.StreamResponse:
    """GET /"""
    return see("/desk")


async def show_waiting(request: web.Request) -> web.StreamResponse:
    """GET /desk"""
    visitor = who(request)
    wanted = _read_wanted(request, visitor)
    shown = _shown(request)
    vocabulary = Vocabulary(speech_of(request))
    channels = sorted({line.channel for line in request.app[HUB].setup.current.lines.values()} | {"webform"})

    def read(connection: Connection) -> Mapping[str, Any]:
        found = rows.read_waiting(connection, wanted, shown + 1) if request.query.get("part") != "tabs" else []
        more = shown + _STEP if len(found) > shown and shown < _MOST else None
        counts = (
            {} if request.query.get("part") == "list" else rows.count_waiting(connection, visitor.key, visitor.teams)
        )
        return {"rows": found[:shown], "more": more, "counts": counts}

    return await show(
        request,
        "waiting.html",
        read,
        parts=PARTS,
        wanted=wanted,
        icon_of=icon_of,
        channels=[(key, vocabulary("channel", key)) for key in channels],
        categories=[(key, key) for key in CATEGORIES],
    )


def _shown(request: web.Request) -> int:
    written = request.query.get("show", "")
    return min(int(written), _MOST) if written.isdigit() and len(written) < 6 else _STEP


def _read_wanted(request: web.Request, visitor: Visitor) -> Wanted:
    """What the address asks for. "All" is for supervisors."""
    query = request.query
    tab = query.get("tab", "")
    tabs = ("mine", "team", "unassigned", "all") if visitor.actor.may("supervisor") else ("mine", "team", "unassigned")
    state = query.get("state", "open")
    return Wanted(
        tab=tab if tab in tabs else _usual_tab(visitor),
        operator=visitor.key,
        teams=visitor.teams,
        state=state if state in rows.STATES else "open",
        channel=query.get("channel") or None,
        category=query.get("category") or None,
        owner=query.get("owner") or None,
        team=query.get("team") or None,
    )


def _usual_tab(visitor: Visitor) -> str:
    """Operators see what their teams have to do, supervisors everything."""
    if visitor.actor.may("supervisor"):
        return "all"
    return "team" if visitor.teams else "mine"
