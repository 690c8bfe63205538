"""Obligations: what we have promised, why a deadline is what it is, and what people may do to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field
from sqlalchemy import Connection
from typing_extensions import TypedDict

from hub.actions import obligations as acts
from hub.actor import Actor
from hub.api.call import Call, operation
from hub.api.parameters import Number, Paging
from hub.api.values import Asked, In, Instant, Key, Long, Shown, show
from hub.errors import NotFound
from hub.explaining import explain_obligation
from hub.setup.snapshot import SetUp
from storage.repositories import obligations as rows
from storage.unit import Unit

State = Literal["running", "paused", "breached", "met", "cancelled"]


class PauseOut(TypedDict):
    """A stretch in which the clock stood still; `to` is null while it lasts."""

    since: Shown
    until: Shown | None
    why: str
    who: str | None


class ExcuseOut(TypedDict, total=False):
    """Who forgave the breach, and why."""

    reason: str
    by: str
    at: Shown


class ObligationOut(TypedDict):
    """One promise. `due` is null while its clock stands still."""

    id: int
    regulation: str
    version: int
    client: int
    conversation: int | None
    owner: str | None
    team: str | None
    state: State
    started: Shown
    due: Shown | None
    target: str
    calendar: str
    pinned: bool
    breached_at: Shown | None
    met_at: Shown | None
    started_by: int | None
    met_by: int | None
    closed_why: str | None
    pauses: list[PauseOut]
    excuse: ExcuseOut | None


class ObligationPage(TypedDict):
    """Some obligations, newest first."""

    items: list[ObligationOut]
    next: str | None


class ClockEventOut(TypedDict):
    """One entry of an obligation's history."""

    at: Shown
    noted_at: Shown
    event: str
    data: dict[str, Any]


class DayOut(TypedDict):
    """One local day: its open hours, what of them counted, what was left (seconds, or days as `counts_in` says)."""

    date: str
    weekday: str
    open: list[str]
    note: dict[str, Any] | None
    counted: float
    left: float


class CoverageOut(TypedDict):
    """How far a broadcast came; shares of 1."""

    clients: int
    told: int
    coverage: float
    wanted: float
    state: Literal["running", "reached", "missed"]


class ExplanationOut(TypedDict):
    """Why the deadline is what it is. `computed` holds calendar, zone, tzdata, pauses; null for a promise of a date."""

    obligation: int
    regulation: str
    version: int
    title: str
    sentence: str
    calendar: str
    calendar_version: int
    zone: str
    tzdata: str
    state: State
    owner: str | None
    started: Shown
    started_by: int | None
    due: Shown | None
    due_local: str | None
    pinned: bool
    met_at: Shown | None
    met_by: int | None
    suggested_excuse: str | None
    coverage: CoverageOut | None
    days: list[DayOut]
    computed: dict[str, Any] | None
    history: list[ClockEventOut]


class ObligationQuery(Paging):
    """`state=open` means running, paused or breached."""

    state: State | Literal["open"] | None = None
    client: Number | None = None
    conversation: Number | None = None
    owner: Key | None = None
    team: Key | None = None
    regulation: Key | None = None


def show_obligation(one: rows.Obligation) -> ObligationOut:
    """As the API writes it."""
    return {
        "id": one.id,
        "regulation": one.regulation,
        "version": one.version,
        "client": one.client_id,
        "conversation": one.conversation_id,
        "owner": one.owner,
        "team": one.team,
        "state": one.state,  # type: ignore[typeddict-item]
        "started": show(one.started) or "",
        "due": show(one.due),
        "target": one.target,
        "calendar": one.calendar,
        "pinned": one.pinned,
        "breached_at": show(one.breached_at),
        "met_at": show(one.met_at),
        "started_by": one.started_by,
        "met_by": one.met_by,
        "closed_why": one.closed_why,
        "pauses": [_pause(each) for each in one.pauses],
        "excuse": _excuse(one.excuse) if one.excuse else None,
    }


def _pause(each: Any) -> PauseOut:
    since, until, why, who = (*each, None, None, None)[:4]
    return {"since": _utc(since) or "", "until": _utc(until), "why": why or "", "who": who}


def _excuse(given: Mapping[str, Any]) -> ExcuseOut:
    return {"reason": given["reason"], "by": given["by"], "at": _utc(given.get("at")) or ""}


def _utc(value: str | None) -> str | None:
    return value.replace("+00:00", "Z") if value else None


@operation(
    "GET",
    "/obligations",
    tag="obligations",
    summary="List obligations",
    query=ObligationQuery,
    answer=ObligationPage,
    refusals=(422,),
)
async def list_obligations(call: Call[ObligationQuery, Any]) -> ObligationPage:
    """Newest first."""
    asked = call.query
    states = rows.OPEN if asked.state == "open" else (asked.state,) if asked.state else ()
    wanted = rows.Filter(
        states=states, **asked.model_dump(include={"client", "conversation", "owner", "team", "regulation"})
    )
    page = await call.read(
        lambda connection: rows.list_page(connection, wanted, limit=asked.limit, cursor=asked.cursor)
    )
    return {"items": [show_obligation(one) for one in page.items], "next": page.next}


@operation(
    "GET", "/obligations/{id}", tag="obligations", summary="One obligation", answer=ObligationOut, refusals=(404,)
)
async def get_obligation(call: Call[Any, Any]) -> ObligationOut:
    """As it stands now."""
    number = call.path["id"]
    return await call.read(lambda connection: show_obligation(_find(connection, number)))


def _find(connection: Connection, number: int) -> rows.Obligation:
    found = rows.find(connection, number)
    if found is None:
        raise NotFound(f"there is no obligation {number}")
    return found


class ExplainQuery(Asked):
    """In which language the rule is said."""

    language: Literal["ru", "uk", "pl", "en"] = "en"


@operation(
    "GET",
    "/obligations/{id}/explain",
    tag="obligations",
    summary="Explain a deadline",
    query=ExplainQuery,
    answer=ExplanationOut,
    refusals=(404, 422),
)
async def get_explanation(call: Call[ExplainQuery, Any]) -> ExplanationOut:
    """Start event, rule, calendar, zone, tzdata version, every day, every pause, the due in local time and in UTC."""
    number, setup, language = call.path["id"], call.setup, call.query.language
    found = await call.read(lambda connection: explain_obligation(connection, setup, number, language))
    shown = found.as_json()
    days = found.computed.as_json()["days"] if found.computed else []
    return {**shown, "days": days}  # type: ignore[typeddict-item]


class ObligationPatch(In):
    """The new due."""

    due: Annotated[
        Instant | None, Field(description="pinned: nothing moves it any more; null lets the regulation speak again")
    ]


@operation(
    "PATCH",
    "/obligations/{id}",
    tag="obligations",
    summary="Pin a due",
    body=ObligationPatch,
    answer=ObligationOut,
    role="supervisor",
    refusals=(400, 404, 409, 413, 415, 422),
)
async def patch_obligation(call: Call[Any, ObligationPatch]) -> ObligationOut:
    """From then on no change of client, calendar or regulation moves it."""
    number, due = call.path["id"], call.body.due

    def work(unit: Unit, setup: SetUp, actor: Actor) -> ObligationOut:
        acts.pin(unit, setup, number, actor, due)
        return show_obligation(_find(unit.connection, number))

    return await call.act(work)


class ExcuseIn(In):
    """Why it is forgiven."""

    reason: Annotated[Long, Field(min_length=1, max_length=2000)]


@operation(
    "POST",
    "/obligations/{id}/excuse",
    tag="obligations",
    summary="Excuse a breach",
    body=ExcuseIn,
    answer=ObligationOut,
    role="supervisor",
    refusals=(400, 404, 409, 413, 415, 422),
)
async def excuse_obligation(call: Call[Any, ExcuseIn]) -> ObligationOut:
    """Reports show both: that it was breached, and why it is forgiven."""
    number, reason = call.path["id"], call.body.reason

    def work(unit: Unit, setup: SetUp, actor: Actor) -> ObligationOut:
        acts.excuse(unit, setup, number, actor, reason)
        return show_obligation(_find(unit.connection, number))

    return await call.act(work)
