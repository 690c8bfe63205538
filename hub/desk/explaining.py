"""Why a deadline is what it is: its history and the table of days, in a dialog; and setting it by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web
from babel import dates
from sqlalchemy import Connection

from hub.actions import obligations
from hub.composition import HUB
from hub.desk.body import read_body
from hub.desk.clients import layout, next_page
from hub.desk.doing import act, back, number_of, see
from hub.desk.history import Historian
from hub.desk.language import Speech
from hub.desk.names import Names
from hub.desk.pages import show, speech_of
from hub.desk.reading import promises
from hub.desk.reading.promises import Promise
from hub.desk.visitor import who
from hub.errors import BadInput, NotFound
from hub.explaining import explain_obligation
from hub.setup.snapshot import SetUp
from routing.calendar import Interval
from routing.calendar.interval import FOREVER
from routing.calendar.zones import TZDATA_VERSION
from routing.duration import BadDuration, Duration
from routing.explain import Explanation, explain
from routing.sentence import sentence, steps_in_words

_MOST_DAYS = 60


@dataclass(frozen=True, slots=True)
class Day:
    """One row of the table, in words."""

    day: str
    open: str
    counted: str
    left: str


async def show_why(request: web.Request) -> web.StreamResponse:
    """GET /desk/obligations/{id}/why"""
    number, hub, speech = number_of(request), request.app[HUB], speech_of(request)
    setup, zone = hub.setup.current, who(request).zone

    def read(connection: Connection) -> Mapping[str, Any]:
        one = promises.read_promise(connection, number)
        if one is None:
            raise NotFound("There is nothing at this address.")
        explained = explain_obligation(connection, setup, number)
        historian = Historian(speech, Names(setup, speech.code), zone, hub.store.now(), _steps(setup, speech, one))
        return {
            "one": one,
            "history": historian.tell(promises.read_ticks(connection, number)),
            "closed_why": historian.why(one.closed_why),
            "days": _days(setup, speech, one),
            "target": target_in_words(speech, one.target),
            "sentence": _sentence(setup, speech, one),
            "excuse": explained.excuse or "",
            "broadcast": explained.broadcast,
            "left": _left(speech, explained.computed),
            "zone_note": _zone_note(setup, one),
        }

    otherwise = "/desk"
    return await show(request, "why.html", read, layout=layout(request), next=next_page(request, otherwise))


def _sentence(setup: SetUp, speech: Speech, one: Promise) -> str | None:
    """The regulation as it was when the promise was judged by it, in the reader's language."""
    try:
        return sentence(setup.book.rule(one.regulation, one.version), speech.code)
    except (KeyError, ValueError):
        return None


def _steps(setup: SetUp, speech: Speech, one: Promise) -> Mapping[str, str]:
    try:
        return steps_in_words(setup.book.rule(one.regulation, one.version), speech.code)
    except (KeyError, ValueError):
        return {}


def _left(speech: Speech, computed: Explanation | None) -> str:
    """What is left of a promise whose clock stands still."""
    stands = computed is not None and computed.due is None
    return speech.duration(computed.left) if stands and computed is not None else ""


def _zone_note(setup: SetUp, one: Promise) -> str:
    """By which clock it was counted, and by which edition of the world's time zones."""
    return f"{setup.book.calendar(one.calendar, one.calendar_version).zone.key} · tzdata {TZDATA_VERSION}"


def _days(setup: SetUp, speech: Speech, one: Promise) -> list[Day]:
    """The walk from the start to the due; nothing for a due that was set by hand or a target that is no length."""
    if one.pinned:
        return []
    try:
        target = Duration.target(one.target)
        rule = setup.book.rule(one.regulation, one.version)
        calendar = setup.book.calendar(one.calendar, one.calendar_version)
        found = explain(target, one.started, calendar, _pauses(one), rule.common.roll)
    except (BadDuration, KeyError, ValueError):
        return []
    return days_of(speech, found)


def days_of(speech: Speech, found: Explanation) -> list[Day]:
    """The table of days in words; of a long way its beginning."""
    return [_row(speech, found, row) for row in found.days[:_MOST_DAYS]]


def target_in_words(speech: Speech, written: str) -> str:
    """A target as people say it; what is no length stays as it is written."""
    try:
        number, unit = Duration.target(written).spoken()
    except BadDuration:
        return written
    count = speech.count
    return {
        "s": lambda: count("%(num)d second", "%(num)d seconds", number),
        "min": lambda: count("%(num)d minute", "%(num)d minutes", number),
        "hours": lambda: count("%(num)d hour", "%(num)d hours", number),
        "days": lambda: count("%(num)d day", "%(num)d days", number),
        "months": lambda: count("%(num)d month", "%(num)d months", number),
        "working s": lambda: count("%(num)d working second", "%(num)d working seconds", number),
        "working min": lambda: count("%(num)d working minute", "%(num)d working minutes", number),
        "working hours": lambda: count("%(num)d working hour", "%(num)d working hours", number),
        "working days": lambda: count("%(num)d working day", "%(num)d working days", number),
    }[unit]()


def _pauses(one: Promise) -> list[Interval]:
    return [
        Interval(_instant(pause[0]), _instant(pause[1]) if pause[1] else FOREVER)
        for pause in (_as_list(each) for each in one.pauses)
    ]


def _as_list(pause: Any) -> list[Any]:
    return [pause.get("start"), pause.get("end")] if isinstance(pause, dict) else list(pause)


def _instant(written: str) -> datetime:
    return datetime.fromisoformat(written)


def _row(speech: Speech, found: Explanation, row: Any) -> Day:
    return Day(
        day=dates.format_date(row.date, "EEE d MMM", locale=speech.locale),
        open=", ".join(row.hours),
        counted=_amount(speech, found, row.counted),
        left=_amount(speech, found, row.left),
    )


def _amount(speech: Speech, found: Explanation, value: float) -> str:
    if found.counts_in == "seconds":
        return speech.duration(timedelta(seconds=value))
    return speech.count("%(num)d day", "%(num)d days", int(value))


async def pin(request: web.Request) -> web.StreamResponse:
    """POST /desk/obligations/{id}/pin {due}"""
    number, body = number_of(request), await read_body(request)
    due = body.instant("due", who(request).zone)
    if due is None:
        raise BadInput("Until when?", field="due")
    await act(request, lambda unit, setup, actor: obligations.pin(unit, setup, number, actor, due))
    return see(back(body, "/desk"), "saved")


async def excuse(request: web.Request) -> web.StreamResponse:
    """POST /desk/obligations/{id}/excuse {reason}"""
    number, body = number_of(request), await read_body(request)
    reason = body.text("reason")
    await act(request, lambda unit, setup, actor: obligations.excuse(unit, setup, number, actor, reason))
    return see(back(body, "/desk"), "excused")
