"""Screen: the live board, for a wall and for a pocket. Supervisors see everybody, operators their teams."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web
from sqlalchemy import Connection

from hub.composition import HUB, Hub
from hub.desk.pages import show, speech_of
from hub.desk.tiles import Tiles, clock, figures_by_name
from hub.desk.visitor import Visitor, who
from hub.metrics.live import SOON, STATES, Board, read_board
from hub.metrics.reading import Report, midnight, read_report
from hub.setup.snapshot import SetUp
from storage.repositories.figures import Span

PARTS = {"now": "_board_now.html", "today": "_board_today.html"}
NOW, TODAY = "now", "today"


async def show_board(request: web.Request) -> web.StreamResponse:
    """GET /desk/board?team=K&wall=on; the parts `now` and `today` are fetched again by themselves"""
    hub, visitor = request.app[HUB], who(request)
    teams = _teams(hub.setup.current, visitor, request.query.get("team", ""))
    part = request.query.get("part")

    def read(connection: Connection) -> Mapping[str, Any]:
        found: dict[str, Any] = {}
        if part != TODAY:
            found |= _now(hub.setup.current, read_board(connection, hub.setup.current, hub.store.now(), teams))
        if part != NOW:
            found |= _today(hub, connection, teams)
        return found

    return await show(
        request,
        "board.html",
        read,
        parts=PARTS,
        chosen=request.query.get("team", ""),
        everybody=visitor.actor.may("supervisor"),
        wall=request.query.get("wall") == "on",
        tiles=Tiles(speech_of(request)),
        clock=clock,
        soon_minutes=int(SOON.total_seconds() // 60),
    )


def _teams(setup: SetUp, visitor: Visitor, wanted: str) -> tuple[str, ...] | None:
    """Whose board: None = everybody's, for supervisors only."""
    if visitor.actor.may("supervisor"):
        return (wanted,) if wanted in setup.teams else None
    return (wanted,) if wanted in visitor.teams else visitor.teams


def _now(setup: SetUp, board: Board) -> Mapping[str, Any]:
    order = {state: number for number, state in enumerate(("ringing", "talking", "wrap_up", "free", "paused"))}
    operators = sorted(board.operators, key=lambda one: (order.get(one.state, 9), setup.operators[one.operator].name))
    return {"board": board, "operators": operators, "states": [one for one in STATES if one != "offline"]}


def _today(hub: Hub, connection: Connection, teams: tuple[str, ...] | None) -> Mapping[str, Any]:
    setup, now = hub.setup.current, hub.store.now()
    team = teams[0] if teams is not None and len(teams) == 1 else None
    since = midnight(now, setup.zone_of(team=team))
    span = Span(since, now, team=team, teams=None if team else teams)
    report: Report = read_report(connection, setup, span, None, now)
    return {"today": figures_by_name(report), "report": report, "since": since}
