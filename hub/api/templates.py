"""Templates: the words there are, and how one reads for a certain client."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection
from typing_extensions import TypedDict

from hub import canned
from hub.api.call import Call, operation
from hub.api.parameters import Number
from hub.api.values import Asked, Key
from hub.canned import Occasion
from hub.errors import NotFound
from hub.setup.blanks import blanks_of
from hub.setup.titles import say


class TemplateOut(TypedDict):
    """One template; `text` in the company's first language, `blanks` are what is filled in."""

    key: str
    title: str
    text: str
    team: str | None
    blanks: list[str]
    approved: str | None


class TemplatePage(TypedDict):
    """All templates, by key."""

    items: list[TemplateOut]
    next: None


class FilledOut(TypedDict):
    """How it reads. `missing` are blanks that nothing is known for: they still stand in the text."""

    text: str
    subject: str | None
    language: str
    missing: list[str]


class Occasioned(Asked):
    """For whom, and by which line (some channels have words of their own)."""

    conversation: Number | None = None
    client: Number | None = None
    line: Key | None = None
    language: Key | None = None


@operation("GET", "/templates", tag="conversations", summary="List templates", answer=TemplatePage)
async def list_templates(call: Call[Any, Any]) -> TemplatePage:
    """Those of the set-up that is in force."""
    first = call.setup.company.languages[0]
    items: list[TemplateOut] = [
        {
            "key": key,
            "title": say(one.title, first, key),
            "text": one.words(first),
            "team": one.team,
            "blanks": sorted({name for text in one.every_text() for name, _ in blanks_of(text)}),
            "approved": one.approved.name if one.approved else None,
        }
        for key, one in sorted(call.setup.templates.items())
    ]
    return {"items": items, "next": None}


@operation(
    "GET",
    "/templates/{key}",
    tag="conversations",
    summary="One template, filled in",
    query=Occasioned,
    answer=FilledOut,
    refusals=(404, 422),
)
async def fill_template(call: Call[Occasioned, Any]) -> FilledOut:
    """Nothing is sent: this is what `template` in a reply would say."""
    template, setup, asked = call.setup.templates.get(call.request.match_info["key"]), call.setup, call.query
    if template is None:
        raise NotFound("there is no template %(key)s", key=call.request.match_info["key"])
    occasion = Occasion(asked.line, asked.client, asked.conversation, call.actor.operator, asked.language)
    now = call.hub.store.now()

    def read(connection: Connection) -> canned.Words:
        return canned.write(connection, setup, template, occasion, now)

    words = await call.read(read)
    return {
        "text": words.text,
        "subject": words.subject,
        "language": words.language,
        "missing": list(words.missing),
    }
