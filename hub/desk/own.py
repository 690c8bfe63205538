"""Screen: own settings — language, signature, password, and where one is signed in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web
from sqlalchemy import Connection, delete

from hub import calendar_feed, presence
from hub.access import accounts, passwords, sessions
from hub.composition import HUB
from hub.desk.body import read_body
from hub.desk.doing import see
from hub.desk.door import BOLTS, password_fault
from hub.desk.gate import FOUND
from hub.desk.language import LANGUAGES
from hub.desk.pages import show, speech_of
from hub.desk.post import address_of
from hub.desk.visitor import who
from hub.journal import note
from storage.models import session
from storage.unit import Unit

_LONGEST_SIGNATURE = 5000
_BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("YaBrowser/", "Yandex"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


async def show_own(request: web.Request, fault: str | None = None) -> web.StreamResponse:
    """GET /desk/settings"""
    key, hub = who(request).key, request.app[HUB]

    def read(connection: Connection) -> Mapping[str, Any]:
        path = calendar_feed.feed_path(hub.settings.secret, key, calendar_feed.feed_number(connection, key))
        return {
            "account": accounts.read_account(connection, key),
            "sessions": sessions.list_sessions(connection, key),
            "calendar": f"{address_of(request)}{path}" if path else None,
            "presence": presence.read_presence(connection, hub.store.now()).state_of(key),
        }

    status = 422 if fault else 200
    return await show(
        request, "settings.html", read, status=status, fault=fault, shortest=passwords.SHORTEST, browser_of=browser_of
    )


def browser_of(agent: str | None) -> str | None:
    """A browser and its system, as far as they call themselves by name."""
    written = agent or ""
    browser = next((name for mark, name in _BROWSERS if mark in written), None)
    system = next((name for mark, name in _SYSTEMS if mark in written), None)
    return " · ".join(each for each in (browser, system) if each) or (written[:60] or None)


async def save_own(request: web.Request) -> web.StreamResponse:
    """POST /desk/settings {language, signature}"""
    body, key = await read_body(request), who(request).key
    language, signature = body.text("language"), body.text("signature").replace("\r\n", "\n")

    def keep(unit: Unit) -> None:
        kept = dict(accounts.read_account(unit.connection, key).preferences)
        if language in LANGUAGES:
            kept["language"] = language
        accounts.set_preferences(unit, key, kept)
        accounts.set_signature(unit, key, signature[:_LONGEST_SIGNATURE])

    await request.app[HUB].store.write(keep)
    return see("/desk/settings", "saved")


async def renew_calendar(request: web.Request) -> web.StreamResponse:
    """POST /desk/settings/calendar {act: new|off}"""
    body, visitor = await read_body(request), who(request)
    off = body.text("act") == "off"

    def keep(unit: Unit) -> None:
        calendar_feed.renew(unit, visitor.key, off=off)
        note(unit, visitor.actor, "calendar_closed" if off else "calendar_opened", "operator", visitor.key, {})

    await request.app[HUB].store.write(keep)
    return see("/desk/settings", "saved")


async def say_presence(request: web.Request) -> web.StreamResponse:
    """POST /desk/settings/presence {state: away|here}"""
    body, key = await read_body(request), who(request).key
    deed = presence.go_away if body.text("state") == "away" else presence.come_back
    await request.app[HUB].store.write(lambda unit: deed(unit, key))
    return see("/desk/settings", "saved")


async def change_password(request: web.Request) -> web.StreamResponse:
    """POST /desk/settings/password {old, password}"""
    body, visitor, hub = await read_body(request), who(request), request.app[HUB]
    request.app[BOLTS].per_name.count(visitor.key, hub.store.now())
    account = await hub.store.read(lambda connection: accounts.read_account(connection, visitor.key))
    old = body.fields.get("old", "")
    if account.password_hash is not None and not await passwords.password_fits(old, account.password_hash):
        return await show_own(request, speech_of(request).say("The password until now is another one."))
    new = body.fields.get("password", "")
    fault = password_fault(speech_of(request), new, visitor.key)
    if fault is not None:
        return await show_own(request, fault)
    kept, here = await passwords.hash_password(new), request[FOUND]

    def keep(unit: Unit) -> None:
        accounts.set_password(unit, visitor.key, kept, here=here)
        note(unit, visitor.actor, "password_set", "operator", visitor.key, {"by": "himself"})

    await hub.store.write(keep)
    request.app[BOLTS].per_name.forgive(visitor.key)
    return see("/desk/settings", "password_set")


async def end_session(request: web.Request) -> web.StreamResponse:
    """POST /desk/settings/sessions/end {session}"""
    body, key = await read_body(request), who(request).key
    mine = (session.c.operator == key) & (session.c.digest == body.text("session"))
    await request.app[HUB].store.write(lambda unit: unit.connection.execute(delete(session).where(mine)).rowcount)
    return see("/desk/settings", "session_ended")
