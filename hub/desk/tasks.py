"""Screen: tasks — mine, my teams', done ones; made, changed and closed by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web
from sqlalchemy import Connection

from hub.actions import tasks as acts
from hub.actions.tasks import NewTask
from hub.composition import HUB
from hub.desk.body import Body, read_body
from hub.desk.clients import layout, next_page
from hub.desk.doing import act, back, number_of, see
from hub.desk.pages import show
from hub.desk.reading import promises
from hub.desk.visitor import Visitor, who
from hub.errors import NotFound
from hub.setup.snapshot import SetUp


async def show_tasks(request: web.Request) -> web.StreamResponse:
    """GET /desk/tasks[?tab=mine|team|done]"""
    visitor, tab = who(request), request.query.get("tab", "mine")
    setup = request.app[HUB].setup.current

    def read(connection: Connection) -> Mapping[str, Any]:
        if tab == "team":
            found = promises.read_tasks(connection, owners=_colleagues(setup, visitor), teams=visitor.teams)
        else:
            state = "done" if tab == "done" else "open"
            found = promises.read_tasks(connection, owners=[visitor.key], state=state)
        return {"tasks": found}

    return await show(request, "tasks.html", read, parts={"list": "_tasks_list.html"}, tab=tab)


def _colleagues(setup: SetUp, visitor: Visitor) -> list[str]:
    return sorted({key for team in visitor.teams for key in setup.members(team)})


async def show_task(request: web.Request) -> web.StreamResponse:
    """GET /desk/tasks/{id} and /desk/tasks/new"""
    number = number_of(request) if "id" in request.match_info else None

    def read(connection: Connection) -> Mapping[str, Any]:
        task = promises.read_task(connection, number) if number is not None else None
        if number is not None and task is None:
            raise NotFound("There is nothing at this address.")
        return {"task": task}

    return await show(
        request,
        "task.html",
        read,
        layout=layout(request),
        next=next_page(request, "/desk/tasks"),
        client=_digits(request, "client"),
        conversation=_digits(request, "conversation"),
        due=None,
    )


_CLOSES_ITSELF: Mapping[str, Mapping[str, Any]] = {
    "call": {"any": ["call"]},
    "message": {"any": ["message", "letter", "fax"]},
    "meeting": {"any": ["meeting"]},
    "contact": {"any": ["call", "message", "letter", "fax", "meeting"]},
}
"""What a person may choose; programs may say more."""


def _digits(request: web.Request, name: str) -> int | None:
    written = request.query.get(name, "")
    return int(written) if written.isdigit() else None


async def make_task(request: web.Request) -> web.StreamResponse:
    """POST /desk/tasks/new"""
    body = await read_body(request)
    new = NewTask(
        **_read_task(body, who(request)),
        client=body.number("client"),
        conversation=body.number("conversation"),
        met_by=_CLOSES_ITSELF.get(body.text("met_by")),
    )
    await act(request, lambda unit, setup, actor: acts.make(unit, setup, actor, new))
    return see(back(body, "/desk/tasks"), "made")


async def save_task(request: web.Request) -> web.StreamResponse:
    """POST /desk/tasks/{id}"""
    number, body = number_of(request), await read_body(request)
    changes = _read_task(body, who(request))
    await act(request, lambda unit, setup, actor: acts.amend(unit, setup, number, actor, changes))
    return see(back(body, "/desk/tasks"), "saved")


def _read_task(body: Body, visitor: Visitor) -> dict[str, Any]:
    return {
        "title": body.text("title"),
        "owner": body.optional("owner"),
        "team": body.optional("team"),
        "due": body.instant("due", visitor.zone),
        "remind_at": body.instant("remind_at", visitor.zone),
        "note": body.text("note"),
    }


async def close_task(request: web.Request) -> web.StreamResponse:
    """POST /desk/tasks/{id}/done"""
    number, body = number_of(request), await read_body(request)
    await act(request, lambda unit, setup, actor: acts.close(unit, setup, number, actor))
    return see(back(body, "/desk/tasks"), "task_done")


async def reopen_task(request: web.Request) -> web.StreamResponse:
    """POST /desk/tasks/{id}/reopen"""
    number, body = number_of(request), await read_body(request)
    await act(request, lambda unit, setup, actor: acts.reopen(unit, setup, number, actor))
    return see(back(body, "/desk/tasks"), "task_open")
