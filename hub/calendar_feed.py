"""What an operator has to do, as a calendar that his telephone or mail program subscribes to (iCalendar, RFC 5545).

The address is the secret: it holds a signature over the operator and a number that counts up whenever he takes a new
address, so that an old one is worth nothing. Nobody is asked to sign in, because calendar programs cannot.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web
from icalendar import Alarm, Calendar, Event, Todo
from sqlalchemy import Connection, Row, select

from hub.access import accounts
from hub.access.keys import agrees, sign
from hub.composition import HUB, Hub
from storage.models import client, task
from storage.unit import Unit

_PURPOSE = "calendar"
_PREFERENCE = "calendar"
_MOST = 1000
_LENGTH = timedelta(minutes=15)
_WARNING = timedelta(minutes=15)
_AGAIN = timedelta(minutes=15)


def routes() -> list[web.RouteDef]:
    """The feed."""
    return [web.get("/calendar/{operator}/{secret}.ics", get_feed)]


def feed_path(key: bytes, operator: str, number: int | None) -> str | None:
    """Where the operator's calendar is; None when he has none."""
    if not number:
        return None
    return f"/calendar/{operator}/{sign(key, _PURPOSE, f'{operator}:{number}')}.ics"


def feed_number(connection: Connection, operator: str) -> int:
    """Which address is his now; 0 for none."""
    found = accounts.read_account(connection, operator).preferences.get(_PREFERENCE, 0)
    return found if isinstance(found, int) and found > 0 else 0


def renew(unit: Unit, operator: str, *, off: bool = False) -> None:
    """A new address, or none; the one until now leads nowhere any more."""
    kept = dict(accounts.read_account(unit.connection, operator).preferences)
    last = max(abs(int(kept.get(_PREFERENCE, 0))), 0)
    kept[_PREFERENCE] = -last if off else last + 1
    accounts.set_preferences(unit, operator, kept)


async def get_feed(request: web.Request) -> web.Response:
    """GET /calendar/{operator}/{secret}.ics; `?as=todo` for programs that know to-dos."""
    hub = request.app[HUB]
    operator, secret = request.match_info["operator"], request.match_info["secret"]
    found = await hub.store.read(lambda connection: _read(connection, hub, operator, secret))
    if found is None:
        raise web.HTTPNotFound(text="There is no such calendar.")
    as_todo = request.query.get("as") == "todo"
    text = write_calendar(found, hub.setup.current.company.name, _base(hub), hub.store.now(), as_todo=as_todo)
    headers = {"Cache-Control": "private, max-age=300", "X-Robots-Tag": "noindex"}
    return web.Response(body=text, content_type="text/calendar", charset="utf-8", headers=headers)


def _base(hub: Hub) -> str:
    return (hub.setup.current.company.public_url or hub.settings.public_url or hub.settings.address).rstrip("/")


def _read(connection: Connection, hub: Hub, operator: str, secret: str) -> Sequence[Row[Any]] | None:
    if operator not in hub.setup.current.operators:
        return None
    number = feed_number(connection, operator)
    if not number or not agrees(hub.settings.secret, _PURPOSE, f"{operator}:{number}", secret):
        return None
    if accounts.read_account(connection, operator).disabled_at is not None:
        return None
    return read_tasks(connection, operator)


def read_tasks(connection: Connection, operator: str) -> Sequence[Row[Any]]:
    """His open tasks that have a due, the most urgent first."""
    query = (
        select(
            task.c.id,
            task.c.title,
            task.c.due,
            task.c.made_at,
            task.c.conversation_id,
            task.c.note,
            client.c.name.label("client"),
        )
        .join_from(task, client, client.c.id == task.c.client_id, isouter=True)
        .where(task.c.owner == operator, task.c.state == "open", task.c.due.is_not(None))
        .order_by(task.c.due)
        .limit(_MOST)
    )
    found: Sequence[Row[Any]] = connection.execute(query).fetchall()  # type: ignore[assignment]
    return found


def write_calendar(tasks: Sequence[Row[Any]], title: str, base: str, now: datetime, *, as_todo: bool = False) -> bytes:
    """The feed's text: each task ends when it is due, and rings a quarter of an hour before."""
    calendar = Calendar()
    calendar.add("prodid", "-//Touchline//tasks//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", title)
    calendar.add("refresh-interval", _AGAIN)
    calendar["refresh-interval"].params["VALUE"] = "DURATION"
    calendar.add("x-published-ttl", "PT15M")
    for row in tasks:
        calendar.add_component(_todo(row, base, now) if as_todo else _event(row, base, now))
    return bytes(calendar.to_ical())


def _event(row: Row[Any], base: str, now: datetime) -> Event:
    found = Event()
    found.add("dtstart", row.due - _LENGTH)
    found.add("dtend", row.due)
    found.add("transp", "TRANSPARENT")
    _describe(found, row, base, now)
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", row.title)
    alarm.add("trigger", -_WARNING)
    found.add_component(alarm)
    return found


def _todo(row: Row[Any], base: str, now: datetime) -> Todo:
    found = Todo()
    found.add("due", row.due)
    found.add("status", "NEEDS-ACTION")
    _describe(found, row, base, now)
    return found


def _describe(found: Event | Todo, row: Row[Any], base: str, now: datetime) -> None:
    found.add("uid", f"task-{row.id}@touchline")
    found.add("dtstamp", now)
    found.add("created", row.made_at)
    found.add("summary", f"{row.title} · {row.client}" if row.client else row.title)
    if row.note:
        found.add("description", row.note)
    where = f"/desk/conversations/{row.conversation_id}" if row.conversation_id else f"/desk/tasks/{row.id}"
    found.add("url", f"{base}{where}")
