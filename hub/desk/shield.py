"""Security headers of every page, and what is shown when something is refused or breaks."""

from __future__ import annotations

import structlog
from aiohttp import web
from sqlalchemy.exc import SQLAlchemyError

from hub.desk.pages import show_outside, speech_of
from hub.desk.visitor import WHO
from hub.errors import Refused
from storage.lane import LaneClosed

log = structlog.get_logger(__name__)

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "frame-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "Cache-Control": "no-store",
}


def shield(response: web.StreamResponse) -> None:
    """Add the headers that a handler has not set itself."""
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)


def wants_json(request: web.Request) -> bool:
    """Whether a script asks, and not a person."""
    return request.headers.get("Accept", "").startswith("application/json")


def refuse(request: web.Request, refused: Refused) -> web.Response:
    """A refusal as a page, or as JSON for scripts."""
    speech = speech_of(request)
    message = speech.say(refused.message)
    if wants_json(request):
        error = {"code": refused.code, "message": message, "field": refused.field, "remedy": refused.remedy}
        return web.json_response({"error": error}, status=refused.status)
    remedy = speech.say(refused.remedy) if refused.remedy else None
    return _error_page(request, refused.status, message, remedy)


def missing(request: web.Request) -> web.Response:
    """There is nothing at this address."""
    return _error_page(request, 404, speech_of(request).say("There is nothing at this address."), None)


def broken(request: web.Request, error: Exception) -> web.Response:
    """Something of ours went wrong: the log knows what."""
    say = speech_of(request).say
    if isinstance(error, LaneClosed):
        return _error_page(request, 503, say("The hub is stopping just now. Try again in a moment."), None)
    log.error("desk_failed", path=request.path, exc_info=error)
    if isinstance(error, SQLAlchemyError):
        return _error_page(request, 503, say("The database does not answer just now. Try again in a moment."), None)
    return _error_page(request, 500, say("Something went wrong here. It is in the log; please try again."), None)


def _error_page(request: web.Request, status: int, message: str, remedy: str | None) -> web.Response:
    if wants_json(request):
        return web.json_response({"error": {"code": str(status), "message": message}}, status=status)
    inside = request.get(WHO) is not None
    return show_outside(request, "error.html", status=status, message=message, remedy=remedy, inside=inside)
