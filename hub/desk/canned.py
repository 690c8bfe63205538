"""Screen: templates — how they read, one filled in for a conversation, one written anew; and what a text costs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web
from sqlalchemy import Connection

from hub import canned
from hub.canned import Occasion, Words
from hub.composition import HUB
from hub.costs import measure
from hub.desk.body import Body, read_body
from hub.desk.clients import layout, next_page
from hub.desk.doing import act, number_of, see
from hub.desk.language import LANGUAGES, Speech
from hub.desk.pages import show, speech_of
from hub.desk.reading import conversations
from hub.desk.visitor import Visitor, require, who
from hub.errors import BadInput, NotFound
from hub.setup.blanks import FIELD, NAMES, blanks_of, fill
from hub.setup.definition import Definition, retire, write_definitions
from hub.setup.kinds import read_body as read_settings
from hub.setup.reading import KEY
from hub.setup.snapshot import SetUp
from hub.setup.templates import Template
from hub.setup.titles import say
from storage.unit import Unit

_LONGEST = 20_000


def choices(setup: SetUp, visitor: Visitor) -> list[tuple[str, str, str]]:
    """Templates of his teams and of everybody: (key, title, how it begins)."""
    mine = [
        (key, say(one.title, visitor.language, key), " ".join(one.words(visitor.language).split())[:90])
        for key, one in setup.templates.items()
        if one.team is None or one.team in visitor.teams or visitor.actor.may("supervisor")
    ]
    return sorted(mine, key=lambda each: each[1].casefold())


async def fill_in(request: web.Request) -> web.StreamResponse:
    """GET /desk/conversations/{id}/templates/{key}?line= : how it would read, for the script of the reply box"""
    number, hub, visitor = number_of(request), request.app[HUB], who(request)
    setup, key, line = hub.setup.current, request.match_info["key"], request.query.get("line")

    def read(connection: Connection) -> Words:
        return write_for(connection, setup, visitor, key, number, line, hub.store.now())

    words = await hub.store.read(read)
    said = {"text": words.text, "subject": words.subject, "missing": say_missing(speech_of(request), words.missing)}
    return web.json_response(said)


def write_for(
    connection: Connection, setup: SetUp, visitor: Visitor, key: str, conversation: int, line: str | None, now: Any
) -> Words:
    """A template for a conversation. Raises `NotFound`."""
    template, talk = setup.templates.get(key), conversations.read_talk(connection, conversation)
    if template is None or talk is None:
        raise NotFound("There is nothing at this address.")
    return canned.write(connection, setup, template, Occasion(line, talk.client_id, conversation, visitor.key), now)


def say_missing(speech: Speech, missing: tuple[str, ...]) -> str | None:
    """What the operator is told before he sends it."""
    if not missing:
        return None
    blanks = ", ".join(f"{{{{ {name} }}}}" for name in missing)
    return speech.say("Nothing is known for %(blanks)s: write it yourself.") % {"blanks": blanks}


async def tell_cost(request: web.Request) -> web.StreamResponse:
    """POST /desk/measure {line, text}"""
    body, setup = await read_body(request), request.app[HUB].setup.current
    text = body.fields.get("text", "")[:_LONGEST]
    return web.json_response({"cost": say_cost(speech_of(request), setup, body.text("line"), text)})


def say_cost(speech: Speech, setup: SetUp, line: str, text: str) -> str:
    """ "2 parts, 11 characters left"; nothing where texts cost nothing."""
    found = measure(setup, line, text)
    if found is None:
        return ""
    parts = speech.count("%(num)d part", "%(num)d parts", found.parts)
    told = [parts, speech.count("%(num)d character left", "%(num)d characters left", found.left)]
    if found.foreign is not None and found.parts:
        told.append(speech.say("“%(letter)s” makes parts of 70 instead of 160") % {"letter": found.foreign})
    return " · ".join(told)


async def show_templates(request: web.Request) -> web.StreamResponse:
    """GET /desk/templates[?language=]"""
    setup, visitor = request.app[HUB].setup.current, who(request)
    wanted = request.query.get("language", "")
    language = wanted if wanted in LANGUAGES else visitor.language
    shown = [
        {
            "key": key,
            "title": title,
            "one": setup.templates[key],
            "text": _sample(setup, setup.templates[key].words(language), language, visitor),
            "others": [
                (channel, _sample(setup, setup.templates[key].words(language, channel), language, visitor))
                for channel in setup.templates[key].channels
            ],
            "blanks": sorted({name for text in setup.templates[key].every_text() for name, _ in blanks_of(text)}),
        }
        for key, title, _ in choices(setup, visitor)
    ]
    return await show(request, "templates.html", templates=shown, wanted=language)


def _sample(setup: SetUp, text: str, language: str, visitor: Visitor) -> str:
    """As it would read for somebody: with the visitor's own name, and our company's."""
    known = setup.operators.get(visitor.key)
    values = {"operator": known.name if known else None, "company": setup.company.name, "conversation": "4711"}
    return fill(text, values).text


async def show_template_form(request: web.Request) -> web.StreamResponse:
    """GET /desk/templates/new and /desk/templates/{key}/edit"""
    require(request, "supervisor")
    setup, key = request.app[HUB].setup.current, request.match_info.get("key", "")
    if key and key not in setup.templates:
        raise NotFound("There is nothing at this address.")
    one = setup.templates.get(key)
    return await show(
        request,
        "template_edit.html",
        layout=layout(request),
        next=next_page(request, "/desk/templates"),
        key=key,
        one=one,
        title_in=lambda language: _in_language(one.title if one else "", language),
        text_in=lambda language: _in_language(one.text if one else "", language),
        blanks=[*NAMES, f"{FIELD}NAME"],
    )


def _in_language(title: str | dict[str, str], language: str) -> str:
    """One text for everybody stands under the first language."""
    return title.get(language, "") if isinstance(title, dict) else (title if language == LANGUAGES[0] else "")


async def save_template(request: web.Request) -> web.StreamResponse:
    """POST /desk/templates/new and /desk/templates/{key}/edit"""
    actor = require(request, "supervisor").actor
    body = await read_body(request)
    key = request.match_info.get("key") or body.text("key")
    known = request.app[HUB].setup.current.templates.get(key)
    if not KEY.fullmatch(key):
        raise BadInput("A key has latin letters, digits, - and _, at most 63.", field="key")
    if known is not None and "key" not in request.match_info:
        raise BadInput("There is a template with this key already.", field="key")
    wanted = _definition(key, known, body)
    await act(request, lambda unit, setup, _: write_definitions(unit, [wanted], str(actor)))
    await request.app[HUB].setup.refresh()
    return see("/desk/templates", "saved")


def _definition(key: str, known: Template | None, body: Body) -> Definition:
    """What was filled in, judged as a set-up file is; what the form does not show stays as it was."""
    kept: dict[str, Any] = known.model_dump(mode="json", exclude_defaults=True) if known else {}
    written = {**kept, "title": _texts(body, "title"), "text": _texts(body, "text"), "team": body.optional("team")}
    subject = body.optional("subject")
    if subject is not None or not isinstance(kept.get("subject"), dict):
        written["subject"] = subject
    settings = {name: value for name, value in written.items() if value not in (None, "", {})}
    _, faults = read_settings("template", settings)
    if faults:
        problem = faults[0][1]
        reason = f"{problem.key}: {problem.message}"
        raise BadInput("This template cannot be used: %(reason)s", field=problem.key, reason=reason)
    return Definition("template", key, settings)


def _texts(body: Body, name: str) -> dict[str, str]:
    return {
        language: body.text(f"{name}.{language}").replace("\r\n", "\n")
        for language in LANGUAGES
        if body.text(f"{name}.{language}")
    }


async def remove_template(request: web.Request) -> web.StreamResponse:
    """POST /desk/templates/{key}/remove"""
    actor, key = require(request, "supervisor").actor, request.match_info["key"]

    def work(unit: Unit, _setup: SetUp, _actor: Any) -> bool:
        return retire(unit, "template", key, str(actor))

    await act(request, work)
    await request.app[HUB].setup.refresh()
    return see("/desk/templates", "removed")


def prefill(
    connection: Connection, setup: SetUp, visitor: Visitor, query: Mapping[str, str], number: int, now: Any
) -> tuple[str, Words | None]:
    """What a person without scripts has picked: (key, words)."""
    key = query.get("template", "")
    if key not in setup.templates:
        return "", None
    return key, write_for(connection, setup, visitor, key, number, query.get("line"), now)
