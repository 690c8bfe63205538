"""Turns what a screen has read into HTML: templates, one environment per language, and the frame around every page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from sqlalchemy import Connection

from hub.composition import HUB, Hub
from hub.desk.doing import here_with, span
from hub.desk.language import NAMES, Speech, choose_language, load_speeches
from hub.desk.messages import said
from hub.desk.names import Names
from hub.desk.reading import promises, waiting
from hub.desk.recordings import hearing
from hub.desk.static_files import STATIC
from hub.desk.visitor import WHO, Visitor
from hub.desk.vocabulary import Vocabulary
from hub.telephony.picture import OperatorNow, read_picture

_TEMPLATES = Path(__file__).parent / "templates"

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
        return cls(speeches, {code: _environment(speech) for code, speech in speeches.items()})


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


class _Environment(Environment):
    """Jinja copies the globals for each template that it renders; of a plain dictionary that is quick."""

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        return {**self.globals, **(d or {})}


def _environment(speech: Speech) -> Environment:
    made = _Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        extensions=["jinja2.ext.i18n"],
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.install_gettext_translations(speech.texts, newstyle=True)  # type: ignore[attr-defined]
    made.filters.update(
        moment=_with_zone(speech.moment),
        day=_with_zone(speech.day),
        full_moment=_full_moment(speech),
        clock=_clock(speech),
        local_input=_local_input,
        iso=lambda at: at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        ago=_ago(speech),
        duration=speech.duration,
        size=speech.size,
        number=speech.number,
    )
    return made


def _with_zone(write: Callable[[datetime, tzinfo, datetime], str]) -> Callable[[Context, datetime], str]:
    @pass_context
    def filtered(context: Context, at: datetime) -> str:
        return write(at, context["zone"], context["now"])

    return filtered


def _full_moment(speech: Speech) -> Callable[[Context, datetime], str]:
    @pass_context
    def filtered(context: Context, at: datetime) -> str:
        return speech.full_moment(at, context["zone"])

    return filtered


def _clock(speech: Speech) -> Callable[[Context, datetime], str]:
    @pass_context
    def filtered(context: Context, at: datetime) -> str:
        return speech.clock(at, context["zone"])

    return filtered


def _ago(speech: Speech) -> Callable[[Context, datetime], str]:
    @pass_context
    def filtered(context: Context, at: datetime) -> str:
        return speech.ago(at, context["now"])

    return filtered


@pass_context
def _local_input(context: Context, at: datetime | None) -> str:
    """What an <input type="datetime-local"> wants."""
    return at.astimezone(context["zone"]).strftime("%Y-%m-%dT%H:%M") if at else ""
