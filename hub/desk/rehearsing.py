"""Screen: rehearsal — a draft regulation over the real log, before it is switched on."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web
from sqlalchemy import Connection

from hub.composition import HUB, Hub
from hub.desk.body import read_body
from hub.desk.doing import see
from hub.desk.pages import show, speech_of
from hub.desk.visitor import require
from hub.errors import NotFound
from hub.rehearsing import rehearse
from hub.setup.definition import Definition
from hub.setup.problem import SetUpRefused
from hub.setup.reading import Reading, read_setup
from hub.setup.titles import say
from hub.setup.writing import write_toml
from routing.rehearse import Report, Tally


def _(message: str) -> str:
    """Marks a message for the catalogs."""
    return message


_SPANS = (7, 30, 90)
_USUAL = 30
_MOST_KEPT = 20
_LONGEST_DRAFT = 100_000
_LOOK_AGAIN_S = "1"
"""The page comes again by itself while the rehearsal runs, without any script."""


@dataclass(slots=True)
class Run:
    """One rehearsal on its way; it lives as long as the process, or until twenty others came after it."""

    who: str
    draft: str
    days: int
    done: int = 0
    total: int = 0
    report: Report | None = None
    fault: str | None = None
    titles: Mapping[str, Any] = field(default_factory=dict)
    task: asyncio.Task[None] | None = None

    def told(self, done: int, total: int) -> None:
        """How far it is."""
        self.done, self.total = done, total


@dataclass(slots=True)
class Runs:
    """The latest rehearsals of this process, by a name that nobody guesses."""

    by_name: dict[str, Run] = field(default_factory=dict)

    def add(self, run: Run) -> str:
        """Keep it; the oldest goes."""
        name = secrets.token_urlsafe(9)
        self.by_name[name] = run
        while len(self.by_name) > _MOST_KEPT:
            oldest = self.by_name.pop(next(iter(self.by_name)))
            if oldest.task is not None:
                oldest.task.cancel()
        return name


RUNS: web.AppKey[Runs] = web.AppKey("desk_rehearsals")


@dataclass(frozen=True, slots=True)
class Bar:
    """One row of a chart: its parts in hundredths of the longest row."""

    name: str
    tally: Tally
    met: float
    breached: float
    rest: float


async def show_rehearsal(request: web.Request) -> web.StreamResponse:
    """GET /desk/rehearsal, GET /desk/rehearsal?run=NAME; for supervisors"""
    visitor = require(request, "supervisor")
    hub, name = request.app[HUB], request.query.get("run")
    if name is None:
        key = request.query.get("regulation", "")
        draft = _written(hub, key)
        return await show(request, "rehearsal.html", **_context(hub, Run(visitor.key, draft, _USUAL)), key=key)
    run = request.app[RUNS].by_name.get(name)
    if run is None or run.who != visitor.key:
        raise NotFound("There is nothing at this address.")
    language = speech_of(request).code
    titles = {regulation: say(title, language, regulation) for regulation, title in run.titles.items()}
    context = {**_context(hub, run), "titles": titles}
    response = await show(request, "rehearsal.html", **context, key="")
    if context["running"]:  # as the page says it, not as it is by now: it may have ended while the page was made
        response.headers["Refresh"] = _LOOK_AGAIN_S
    return response


def _written(hub: Hub, key: str) -> str:
    found = [each for each in hub.setup.current.versions if (each.kind, each.key) == ("regulation", key)]
    if not found or found[-1].retired:
        return ""
    text = write_toml([Definition("regulation", key, found[-1].body)])
    return text[text.index("[regulation") :]


def _context(hub: Hub, run: Run) -> Mapping[str, Any]:
    report = run.report
    running = run.report is None and run.fault is None and run.task is not None
    return {
        "run": run,
        "running": running,
        "spans": _SPANS,
        "keys": sorted(hub.setup.current.regulations),
        "total": report.total if report else None,
        "share": _share(report.total) if report else None,
        "by_operator": _bars(report.by_operator) if report else [],
        "by_hour": _bars(_whole_day(report.by_hour)) if report else [],
        "by_regulation": _bars(report.by_regulation) if report else [],
        "worst": report.worst[:30] if report else [],
        "titles": {},
    }


def _share(tally: Tally) -> int | None:
    judged = tally.met + tally.breached
    return round(100 * tally.met / judged) if judged else None


def _whole_day(hours: Mapping[int, Tally]) -> dict[str, Tally]:
    """From the first hour that has anything to the last."""
    known = sorted(hours)
    return {f"{hour:02}": hours.get(hour, Tally()) for hour in range(known[0], known[-1] + 1)} if known else {}


def _bars(tallies: Mapping[str, Tally]) -> list[Bar]:
    longest = max((each.started for each in tallies.values()), default=0) or 1
    return [
        Bar(
            name,
            each,
            round(100 * each.met / longest, 2),
            round(100 * each.breached / longest, 2),
            round(100 * (each.running + each.cancelled) / longest, 2),
        )
        for name, each in sorted(tallies.items())
    ]


async def start_rehearsal(request: web.Request) -> web.StreamResponse:
    """POST /desk/rehearsal {draft, days}"""
    visitor, hub = require(request, "supervisor"), request.app[HUB]
    body = await read_body(request)
    draft = body.text("draft").replace("\r\n", "\n")[:_LONGEST_DRAFT]
    days = int(body.text("days")) if body.text("days") in {str(each) for each in _SPANS} else _USUAL
    run = Run(visitor.key, draft, days)
    try:
        reading = read_setup([("", draft)])
        if not any(each.kind == "regulation" for each in reading.definitions):
            run.fault = "[regulation.…]?"
    except SetUpRefused as refused:
        place = speech_of(request).say(_("line %(num)d"))
        said = ((place % {"num": each.line} if each.line else "", str(each)) for each in refused.problems)
        run.fault = "\n".join(": ".join(filter(None, both)) for both in said)
    if run.fault is not None:
        return await show(request, "rehearsal.html", status=422, **_context(hub, run), key="")
    run.titles = {each.key: each.body.get("title") for each in reading.definitions if each.kind == "regulation"}
    run.task = asyncio.create_task(_run(hub, run, reading))
    name = request.app[RUNS].add(run)
    return see(f"/desk/rehearsal?run={name}")


async def _run(hub: Hub, run: Run, reading: Reading) -> None:
    now = hub.store.now()
    since = now - timedelta(days=run.days)

    def work(connection: Connection) -> Report:
        return rehearse(connection, reading.definitions, since, _to_the_minute(now), run.told)

    try:
        run.report = await hub.store.read(work)
    except Exception as error:  # whatever it is, the person who waits for it is told
        run.fault = str(error) or repr(error)


def _to_the_minute(now: datetime) -> datetime:
    return now.replace(second=0, microsecond=0)
