"""Security headers of every page, and what is shown when something is refused or breaks."""

from __future__ import annotations

import re

import structlog
from aiohttp import web
from sqlalchemy.exc import SQLAlchemyError

from hub.desk.language import Speech
from hub.desk.pages import show_outside, speech_of
from hub.desk.visitor import WHO
from hub.errors import Refused, fill
from storage.lane import LaneClosed

log = structlog.get_logger(__name__)

_SUGGESTED = re.compile(r"(Did you mean|Known:) (.+)[?.]")
"""What `hub.setup.problem.suggest` writes."""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self'; "
    "connect-src 'self'; frame-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
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
    message, remedy = tell(speech, refused)
    if wants_json(request):
        error = {"code": refused.code, "message": message, "field": refused.field, "remedy": remedy}
        return web.json_response({"error": error}, status=refused.status)
    return _error_page(request, refused.status, message, remedy)


def tell(speech: Speech, refused: Refused) -> tuple[str, str | None]:
    """Message and remedy in the visitor's language."""
    message, remedy = refused.texts
    said = fill(speech.say(message), refused.values)
    found = _SUGGESTED.fullmatch(remedy or "")
    if found is not None:
        text = speech.say("Did you mean %(name)s?") if found[1] == "Did you mean" else speech.say("Known: %(name)s.")
        return said, text % {"name": found[2]}
    return said, fill(speech.say(remedy), refused.values) if remedy else None


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
