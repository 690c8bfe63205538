"""For administrators and monitoring: the journal, the lines, the set-up as it is in force."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field
from typing_extensions import TypedDict

from hub.api.call import Call, operation
from hub.api.parameters import Paging
from hub.api.values import Instant, Key, Short, Shown, show
from hub.setup.titles import say
from storage.repositories import journal, lines

LineState = Literal["running", "will_retry", "needs_person", "unknown", "off"]


class EntryOut(TypedDict):
    """Who did what to which thing."""

    id: int
    at: Shown
    who: str
    action: str
    subject: str
    subject_id: str
    data: dict[str, Any]


class JournalPage(TypedDict):
    """Some entries, newest first."""

    items: list[EntryOut]
    next: str | None


class JournalQuery(Paging):
    """Filters may be combined."""

    subject: Key | None = None
    id: Annotated[Short, Field(min_length=1, description="with subject: everything about one thing")] | None = None
    who: Key | None = None
    action: Key | None = None
    since: Instant | None = None


@operation(
    "GET",
    "/journal",
    tag="administration",
    summary="Who did what",
    query=JournalQuery,
    answer=JournalPage,
    role="admin",
    refusals=(422,),
)
async def list_journal(call: Call[JournalQuery, Any]) -> JournalPage:
    """Newest first."""
    asked = call.query
    wanted = journal.Filter(asked.subject, asked.id, asked.who, asked.action, asked.since)
    page = await call.read(
        lambda connection: journal.list_page(connection, wanted, limit=asked.limit, cursor=asked.cursor)
    )
    items: list[EntryOut] = [
        {
            "id": one.id,
            "at": show(one.at) or "",
            "who": one.who,
            "action": one.action,
            "subject": one.subject,
            "subject_id": one.subject_id,
            "data": dict(one.data),
        }
        for one in page.items
    ]
    return {"items": items, "next": page.next}


class LineOut(TypedDict):
    """How a line is, why, and what to do about it. `set_aside` touches could not be taken in and wait for a person."""

    line: str
    channel: str
    title: str
    team: str | None
    state: LineState
    reason: str
    remedy: str
    since: Shown | None
    set_aside: int


class LinePage(TypedDict):
    """All lines."""

    items: list[LineOut]
    next: None


@operation("GET", "/lines", tag="administration", summary="How the lines are", answer=LinePage)
async def list_lines(call: Call[Any, Any]) -> LinePage:
    """Every line that is set up, as its listener last reported it."""
    setup = call.setup
    health = await call.read(lines.read_health)
    waiting = await call.read(lines.count_set_aside)
    items: list[LineOut] = []
    for key, line in sorted(setup.lines.items()):
        known = health.get(key)
        state = "off" if not line.listens else known.state if known else "unknown"
        items.append(
            {
                "line": key,
                "channel": line.channel,
                "title": say(line.title, None, key),
                "team": line.team,
                "state": state,  # type: ignore[typeddict-item]
                "reason": known.reason if known else "",
                "remedy": known.remedy if known else "",
                "since": show(known.since) if known else None,
                "set_aside": waiting.get(key, 0),
            }
        )
    return {"items": items, "next": None}


class SetUpOperatorOut(TypedDict):
    """One person at the desk."""

    key: str
    name: str
    role: str
    teams: list[str]


class NamedOut(TypedDict):
    """A thing of the set-up by its key."""

    key: str
    title: str


class SetUpOut(TypedDict):
    """What is in force, without any secret. `problems` could not be read and are not obeyed."""

    revision: int
    company: str
    operators: list[SetUpOperatorOut]
    teams: list[NamedOut]
    lines: list[NamedOut]
    forms: list[NamedOut]
    regulations: list[NamedOut]
    calendars: list[NamedOut]
    problems: list[str]


@operation("GET", "/setup", tag="administration", summary="The set-up in force", answer=SetUpOut)
async def get_setup(call: Call[Any, Any]) -> SetUpOut:
    """Operators, teams, lines, forms, regulations and calendars by the keys under which they are named everywhere."""
    setup = call.setup
    return {
        "revision": setup.revision,
        "company": setup.company.name,
        "operators": [
            {"key": key, "name": one.name, "role": one.role, "teams": list(one.teams)}
            for key, one in sorted(setup.operators.items())
        ],
        "teams": _named(setup.teams),
        "lines": _named(setup.lines),
        "forms": _named(setup.forms),
        "regulations": _named(setup.regulations),
        "calendars": _named(setup.calendars),
        "problems": [str(one) for one in setup.problems],
    }


def _named(things: Mapping[str, Any]) -> list[NamedOut]:
    return [{"key": key, "title": _title(one, key)} for key, one in sorted(things.items())]


def _title(one: Any, key: str) -> str:
    title = one.get("title") if isinstance(one, Mapping) else getattr(one, "title", None)
    return say(title, None, key) if isinstance(title, str | Mapping) else key  # type: ignore[arg-type]
