"""The door: signing in and out, one-time links, invitations and forgotten passwords."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_network

from aiohttp import web
from sqlalchemy import Connection

from hub.access import accounts, passwords, sessions, tickets
from hub.access.tickets import Purpose
from hub.actor import SYSTEM
from hub.composition import HUB
from hub.desk.body import read_body
from hub.desk.doing import local_path, see
from hub.desk.gate import COOKIE, door_token, keep_cookie, let_in
from hub.desk.language import Speech
from hub.desk.pages import show_outside, speech_of
from hub.desk.post import send_link
from hub.desk.throttle import Throttle
from hub.journal import note
from hub.setup.snapshot import SetUp
from storage.unit import Unit
from webforms.sender import client_address


@dataclass(slots=True)
class Bolts:
    """How often the door may be tried."""

    per_name: Throttle = field(default_factory=lambda: Throttle(10, timedelta(minutes=10)))
    per_address: Throttle = field(default_factory=lambda: Throttle(60, timedelta(minutes=10)))
    letters: Throttle = field(default_factory=lambda: Throttle(3, timedelta(minutes=30)))


BOLTS: web.AppKey[Bolts] = web.AppKey("desk_bolts")


async def show_sign_in(request: web.Request) -> web.StreamResponse:
    """GET /sign-in"""
    if await let_in(request):
        return see(local_path(request.query.get("next", "")))
    return _sign_in_page(request)


def _sign_in_page(
    request: web.Request, fault: str | None = None, login: str = "", wanted: str | None = None, status: int = 200
) -> web.Response:
    wanted = request.query.get("next", "") if wanted is None else wanted
    context = {"fault": fault, "login": login, "next": wanted, "token": door_token(request)}
    return show_outside(request, "sign_in.html", status=status, **context)


async def sign_in(request: web.Request) -> web.StreamResponse:
    """POST /sign-in: the same answer, and as slow, whether the operator or only the password is wrong."""
    body, hub = await read_body(request), request.app[HUB]
    login = body.text("login")
    _count(request, login)
    operator = _who_is(hub.setup.current, login)
    account = await hub.store.read(lambda connection: accounts.read_account(connection, operator or ""))
    fits = await passwords.password_fits(body.fields.get("password", ""), account.password_hash)
    if operator is None or not fits or account.disabled_at is not None:
        fault = speech_of(request).say("That is not the right name or password.")
        return _sign_in_page(request, fault, login, body.text("next"), 401)
    request.app[BOLTS].per_name.forgive(login.lower())
    return await _enter(request, operator, local_path(body.text("next")))


def _count(request: web.Request, login: str) -> None:
    bolts, now = request.app[BOLTS], request.app[HUB].store.now()
    bolts.per_address.count(_address(request), now)
    bolts.per_name.count(login.lower(), now)


def _address(request: web.Request) -> str:
    proxies = [ip_network(one, strict=False) for one in request.app[HUB].settings.trusted_proxies]
    return client_address(request, proxies)


def _who_is(setup: SetUp, login: str) -> str | None:
    if "@" in login:
        return setup.operator_by_email(login)
    key = login.lower()
    return key if key in setup.operators else login if login in setup.operators else None


async def _enter(request: web.Request, operator: str, wanted: str) -> web.Response:
    address, agent = _address(request), request.headers.get("User-Agent", "")

    def open_session(unit: Unit) -> str:
        cookie, _ = sessions.start_session(unit, operator, address, agent)
        accounts.note_sign_in(unit, operator)
        return cookie

    cookie = await request.app[HUB].store.write(open_session)
    response = see(wanted)
    keep_cookie(request, response, COOKIE, cookie)
    return response


async def sign_out(request: web.Request) -> web.StreamResponse:
    """POST /sign-out"""
    cookie = request.cookies.get(COOKIE, "")
    await request.app[HUB].store.write(lambda unit: sessions.end_session(unit, cookie))
    response = see("/sign-in", "signed_out")
    response.del_cookie(COOKIE, path="/")
    return response


async def sign_in_once(request: web.Request) -> web.StreamResponse:
    """GET /sign-in/once/{secret}: opens the desk at once; the link was printed for whoever runs the hub.

    Whoever only looks ahead (HEAD, a browser's prefetch) uses nothing up.
    """
    secret, hub = request.match_info["secret"], request.app[HUB]
    if request.method == "HEAD" or "prefetch" in request.headers.get("Sec-Purpose", ""):
        return web.Response(status=204)
    operator = await hub.store.write(lambda unit: tickets.use_ticket(unit, "sign_in", secret))
    if operator is None or not await _may_enter(request, operator):
        return show_outside(request, "link_dead.html", status=410)
    return await _enter(request, operator, "/desk")


async def show_new_password(request: web.Request) -> web.StreamResponse:
    """GET /invitation/{secret} and /password/{secret}"""
    operator = await _look(request, _purpose(request))
    if operator is None:
        return show_outside(request, "link_dead.html", status=410)
    return _password_page(request, operator)


def _password_page(request: web.Request, operator: str, fault: str | None = None) -> web.Response:
    name = request.app[HUB].setup.current.operators[operator].name
    return show_outside(
        request,
        "password_new.html",
        status=422 if fault else 200,
        welcome=_purpose(request) == "invitation",
        name=name,
        operator=operator,
        shortest=passwords.SHORTEST,
        fault=fault,
        token=door_token(request),
    )


async def set_new_password(request: web.Request) -> web.StreamResponse:
    """POST /invitation/{secret} and /password/{secret}"""
    operator = await _look(request, _purpose(request))
    if operator is None:
        return show_outside(request, "link_dead.html", status=410)
    body, hub = await read_body(request), request.app[HUB]
    password = body.fields.get("password", "")
    fault = password_fault(speech_of(request), password, operator)
    if fault is None and password != body.fields.get("again", ""):
        fault = speech_of(request).say("The two are not the same.")
    if fault is not None:
        return _password_page(request, operator, fault)
    kept = await passwords.hash_password(password)
    secret, purpose = request.match_info["secret"], _purpose(request)

    def keep(unit: Unit) -> bool:
        if tickets.use_ticket(unit, purpose, secret) != operator:
            return False
        accounts.set_password(unit, operator, kept)
        note(unit, SYSTEM, "password_set", "operator", operator, {"by": purpose})
        return True

    if not await hub.store.write(keep):
        return show_outside(request, "link_dead.html", status=410)
    return await _enter(request, operator, "/desk?said=password_set")


def password_fault(speech: Speech, password: str, operator: str) -> str | None:
    """What is wrong with a new password, in the visitor's language; None = nothing."""
    if passwords.judge_password(password, operator) is None:
        return None
    if len(password) < passwords.SHORTEST:
        return speech.count("At least %(num)d character.", "At least %(num)d characters.", passwords.SHORTEST)
    return speech.say("This password is too easy to guess, or far too long.")


async def show_forgotten(request: web.Request) -> web.StreamResponse:
    """GET /password/forgotten"""
    return show_outside(request, "password_forgotten.html", token=door_token(request))


async def send_reset(request: web.Request) -> web.StreamResponse:
    """POST /password/forgotten: the same answer whether we know the address or not."""
    login = (await read_body(request)).text("login")
    _count(request, login)
    operator = _who_is(request.app[HUB].setup.current, login)
    if operator is not None and await _may_enter(request, operator):
        request.app[BOLTS].letters.count(operator, request.app[HUB].store.now())
        await send_link(request, operator, "password_reset")
    return see("/sign-in", "reset_sent")


def _purpose(request: web.Request) -> Purpose:
    return "invitation" if request.path.startswith("/invitation/") else "password_reset"


async def _look(request: web.Request, purpose: Purpose) -> str | None:
    """Whose ticket it is, if he may come in by it."""
    secret, hub = request.match_info["secret"], request.app[HUB]

    def look(connection: Connection) -> str | None:
        return tickets.look_at_ticket(connection, purpose, secret, hub.store.now())

    operator = await hub.store.read(look)
    return operator if operator is not None and await _may_enter(request, operator) else None


async def _may_enter(request: web.Request, operator: str) -> bool:
    hub = request.app[HUB]
    if operator not in hub.setup.current.operators:
        return False
    account = await hub.store.read(lambda connection: accounts.read_account(connection, operator))
    return account.disabled_at is None
