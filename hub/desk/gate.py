"""The gate before every handler of the desk: who is it, does the request come from our own page, is it allowed."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Awaitable, Callable
from urllib.parse import quote

from aiohttp import web
from sqlalchemy import Connection

from channels.origins import is_own
from hub.access.accounts import read_account
from hub.access.sessions import LIFE, Session, find_session, note_seen
from hub.composition import HUB
from hub.desk.body import read_body
from hub.desk.doing import see
from hub.desk.language import LANGUAGES
from hub.desk.shield import broken, missing, refuse, shield, wants_json
from hub.desk.visitor import WHO, describe
from hub.errors import Forbidden, Refused

COOKIE = "touchline"
DOOR_COOKIE = "touchline-door"
CSRF_FIELD = "csrf"
CSRF_HEADER = "X-CSRF-Token"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

FOUND: web.RequestKey[Session] = web.RequestKey("session")
DOOR: web.RequestKey[str] = web.RequestKey("door")


def inside(handler: Handler) -> Handler:
    """For signed-in operators only; others are sent to the door."""

    async def guarded(request: web.Request) -> web.StreamResponse:
        if not await let_in(request):
            return _to_the_door(request)
        if request.method == "POST":
            check_origin(request)
            await _check_token(request, request[WHO].csrf)
        return await handler(request)

    return _shielded(guarded)


def outside(handler: Handler) -> Handler:
    """For everybody; a form must still come from our own page, which a cookie of its own proves."""

    async def guarded(request: web.Request) -> web.StreamResponse:
        known = request.cookies.get(DOOR_COOKIE)
        request[DOOR] = known or secrets.token_urlsafe(24)
        if request.method == "POST":
            check_origin(request)
            await _check_token(request, door_token(request))
        response = await handler(request)
        if known is None:
            keep_cookie(request, response, DOOR_COOKIE, request[DOOR])
        return response

    return _shielded(guarded)


def for_anyone(handler: Handler) -> Handler:
    """For programs, too: the address itself is the proof, so nothing is asked of who calls."""
    return _shielded(handler)


def _shielded(handler: Handler) -> Handler:
    async def shielded(request: web.Request) -> web.StreamResponse:
        response: web.StreamResponse
        try:
            response = await handler(request)
        except Refused as refused:
            response = refuse(request, refused)
        except web.HTTPNotFound:
            response = missing(request)
        except web.HTTPException as answer:
            shield(answer)
            raise
        except ConnectionResetError:
            raise
        except Exception as error:
            response = broken(request, error)
        if not response.prepared:
            shield(response)
        return response

    return shielded


async def let_in(request: web.Request) -> bool:
    """Find the visitor behind the cookie; False when there is none, or none any more."""
    hub = request.app[HUB]
    cookie = request.cookies.get(COOKIE)
    if not cookie:
        return False
    found = await hub.store.read(lambda connection: _look_up(connection, cookie, request))
    if found is None:
        return False
    session, language = found
    visitor = describe(hub.setup.current, session.operator, session.csrf, session.digest, language)
    if visitor is None:
        return False
    request[WHO], request[FOUND] = visitor, session
    if session.seen_is_stale(hub.store.now()):
        await hub.store.write(lambda unit: note_seen(unit, session))
    return True


def _look_up(connection: Connection, cookie: str, request: web.Request) -> tuple[Session, str | None] | None:
    session = find_session(connection, cookie, request.app[HUB].store.now())
    if session is None:
        return None
    language = read_account(connection, session.operator).preferences.get("language")
    return session, language if language in LANGUAGES else None


def door_token(request: web.Request) -> str:
    """What a form outside must bring along: only who can read our cookie or our page knows it."""
    return hashlib.sha256(f"door {request[DOOR]}".encode()).hexdigest()


def check_origin(request: web.Request) -> None:
    """Refuse what another site's page sends in the visitor's name. Raises `Forbidden`."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site not in {"same-origin", "none"}:
        raise Forbidden("This request came from another site.")
    origin = request.headers.get("Origin")
    public = request.app[HUB].setup.current.company.public_url or request.app[HUB].settings.public_url
    if origin is not None and origin != "null" and not is_own(origin, request.host, public or ""):
        raise Forbidden("This request came from another site.")
    if origin == "null" and site != "same-origin":
        raise Forbidden("This request came from another site.")


async def _check_token(request: web.Request, wanted: str) -> None:
    brought = request.headers.get(CSRF_HEADER) or (await read_body(request)).text(CSRF_FIELD)
    if not secrets.compare_digest(brought.encode(), wanted.encode()):
        raise Forbidden("This page was open for too long.", remedy="Load it again, then repeat what you did.")


def keep_cookie(request: web.Request, response: web.StreamResponse, name: str, value: str) -> None:
    """A cookie that scripts cannot read and other sites cannot send along."""
    secure = request.secure or request.app[HUB].settings.address.startswith("https:")
    life = int(LIFE.total_seconds()) if name == COOKIE else None
    response.set_cookie(name, value, max_age=life, httponly=True, samesite="Lax", secure=secure, path="/")


def _to_the_door(request: web.Request) -> web.StreamResponse:
    if wants_json(request) or request.path == "/desk/events" or "part" in request.query:
        return web.json_response({"error": {"code": "unauthorized", "message": "sign in"}}, status=401)
    back = f"?next={quote(request.path_qs, safe='')}" if request.method == "GET" and request.path != "/desk" else ""
    return see(f"/sign-in{back}")
