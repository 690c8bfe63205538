"""Turns what a screen has read into HTML: templates, one environment per language, and the frame around every page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from aiohttp import web
from jinja2 import Environment
from sqlalchemy import Connection

from hub.composition import HUB, Hub
from hub.desk.doing import here_with, span
from hub.desk.environment import make_environment
from hub.desk.language import NAMES, Speech, choose_language, load_speeches
from hub.desk.messages import said
from hub.desk.names import Names
from hub.desk.reading import promises, waiting
from hub.desk.recordings import hearing
from hub.desk.static_files import STATIC
from hub.desk.visitor import WHO, Visitor
from hub.desk.vocabulary import Vocabulary
from hub.telephony.picture import OperatorNow, read_picture

Read = Callable[[Connection], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Pages:
    """One environment per language, made at start."""

    speeches: Mapping[str, Speech]
    environments: Mapping[str, Environment]

    @classmethod
    def load(cls) -> Pages:
        """Read catalogs and templates. Raises what they raise."""
        speeches = load_speeches()
        return cls(speeches, {code: make_environment(speech) for code, speech in speeches.items()})


PAGES: web.AppKey[Pages] = web.AppKey("desk_pages")


async def show(
    request: web.Request,
    template: str,
    read: Read | None = None,
    *,
    parts: Mapping[str, str] | None = None,
    status: int = 200,
    **context: Any,
) -> web.Response:
    """A page for the signed-in visitor. `read` runs in a thread and adds to the context.

    With `?part=NAME` only the template `parts[NAME]` is rendered: what a page that is open already asks for when
    something has changed.
    """
    hub, visitor = request.app[HUB], request[WHO]
    part = (parts or {}).get(request.query.get("part", ""))
    found = await hub.store.read(lambda connection: _gather(connection, hub, visitor, read, framed=part is None))
    page = part or template
    values = {**_frame(request, visitor.language, visitor), **context, **found}
    return web.Response(text=_render(request, visitor.language, page, values), content_type="text/html", status=status)


def render(request: web.Request, template: str, **context: Any) -> str:
    """A piece of a page for the signed-in visitor, to be put into one that is open."""
    visitor = request[WHO]
    return _render(request, visitor.language, template, {**_frame(request, visitor.language, visitor), **context})


def show_outside(request: web.Request, template: str, *, status: int = 200, **context: Any) -> web.Response:
    """A page for somebody who is not signed in."""
    language = language_of(request)
    values = {**_frame(request, language, None), **context}
    return web.Response(text=_render(request, language, template, values), content_type="text/html", status=status)


def speech_of(request: web.Request) -> Speech:
    """The language that this request is answered in."""
    return request.app[PAGES].speeches[language_of(request)]


def language_of(request: web.Request) -> str:
    """The visitor's language, or what his browser asks for."""
    visitor = request.get(WHO)
    return visitor.language if visitor else choose_language(request.headers.get("Accept-Language", ""))


def _render(request: web.Request, language: str, template: str, values: Mapping[str, Any]) -> str:
    return request.app[PAGES].environments[language].get_template(template).render(values)


def _gather(connection: Connection, hub: Hub, visitor: Visitor, read: Read | None, *, framed: bool) -> dict[str, Any]:
    found = dict(read(connection)) if read else {}
    if framed:
        found["tallies"] = read_tallies(connection, hub, visitor)
        found.setdefault("phone", read_phone(connection, hub, visitor))
    return found


def read_phone(connection: Connection, hub: Hub, visitor: Visitor) -> OperatorNow | None:
    """The visitor's own telephone; None if he has none."""
    setup = hub.setup.current
    if not has_phone(hub, visitor.key):
        return None
    return read_picture(connection, setup, hub.store.now()).of(visitor.key)


def read_tallies(connection: Connection, hub: Hub, visitor: Visitor) -> dict[str, int]:
    """The counts beside the places of the frame."""
    open_tasks, late_tasks = promises.count_tasks(connection, visitor.key, hub.store.now())
    return {
        "waiting": waiting.count_mine(connection, visitor.key),
        "tasks": open_tasks,
        "late_tasks": late_tasks,
        "alerts": promises.count_alerts(connection, visitor.key),
    }


def has_phone(hub: Hub, operator: str) -> bool:
    """Whether the set-up gives him an extension."""
    known = hub.setup.current.operators.get(operator)
    return known is not None and bool(known.extension)


def _frame(request: web.Request, language: str, visitor: Visitor | None) -> dict[str, Any]:
    hub = request.app[HUB]
    speech = request.app[PAGES].speeches[language]
    return {
        "visitor": visitor,
        "me": visitor.key if visitor else "",
        "csrf": visitor.csrf if visitor else "",
        "company": hub.setup.current.company.name,
        "language": language,
        "languages": NAMES,
        "zone": visitor.zone if visitor else UTC,
        "now": hub.store.now(),
        "names": Names(hub.setup.current, language),
        "vocabulary": Vocabulary(speech),
        "static": request.app[STATIC].root,
        "path": request.path,
        "here_with": here_with(request),
        "span": span,
        "hearing": hearing(hub, visitor),
        "dials": visitor is not None and has_phone(hub, visitor.key),
        "said": said(speech, request.query.get("said", "")),
    }
