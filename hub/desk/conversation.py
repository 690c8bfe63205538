"""Screen: one conversation, with its client and everything that is promised."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web
from sqlalchemy import Connection

from hub.access.accounts import read_account
from hub.actions.writing import subject_of_answer
from hub.composition import HUB, Hub
from hub.consents import standing
from hub.costs import is_paid
from hub.desk import canned
from hub.desk.doing import number_of
from hub.desk.language import Speech
from hub.desk.names import Names
from hub.desk.pages import show, speech_of
from hub.desk.read_marks import note_opened
from hub.desk.reading import clients, conversations, log, promises
from hub.desk.reading.clients import Card
from hub.desk.reading.log import Entry
from hub.desk.visitor import Visitor, who
from hub.errors import NotFound
from hub.ways import list_ways
from storage.repositories import consents, ratings

Query = Mapping[str, str]

PARTS = {"head": "_talk_head.html", "messages": "_talk.html", "side": "_side.html"}
_TIMELINE = 12
_HEADING = 80


async def show_conversation(request: web.Request) -> web.StreamResponse:
    """GET /desk/conversations/{id}"""
    number, visitor, hub = number_of(request), who(request), request.app[HUB]
    speech = speech_of(request)

    def read(connection: Connection) -> Mapping[str, Any]:
        return read_conversation(connection, hub, visitor, speech, number, request.query)

    if "part" not in request.query and request.method == "GET":
        await note_opened(request, number)
    return await show(
        request,
        "conversation.html",
        read,
        parts=PARTS,
        here=f"/desk/conversations/{number}",
        mode="note" if request.query.get("mode") == "note" else "reply",
        laters=_laters(hub.store.now(), visitor, speech),
    )


def read_conversation(
    connection: Connection, hub: Hub, visitor: Visitor, speech: Speech, number: int, query: Query
) -> Mapping[str, Any]:
    """Everything on the screen. Raises `NotFound`."""
    talk = conversations.read_talk(connection, number)
    card = clients.read_card(connection, talk.client_id) if talk else None
    if talk is None or card is None:
        raise NotFound("There is nothing at this address.")
    entries = log.read_entries(connection, number)
    asked = next((one for one in reversed(entries) if one.candidates), None)
    names = Names(hub.setup.current, visitor.language)
    writing = conversations.read_others_writing(connection, number, visitor.key, hub.store.now())
    return {
        "talk": talk,
        "card": card,
        "entries": entries,
        "asked": asked,
        "heading": _heading(talk.subject, entries, speech),
        "candidates": _candidates(connection, asked) if card.provisional else [],
        "gone": _is_gone(entries, card, hub.store.now()),
        "promises": promises.read_promises(connection, number, card.id),
        "tasks": promises.read_client_tasks(connection, card.id),
        "timeline": log.read_timeline(connection, card.id, _TIMELINE),
        "writing": [names.operator(key) for key in writing],
        **_answering(connection, hub, visitor, number, entries, card, query),
    }


def _heading(subject: str | None, entries: list[Entry], speech: Speech) -> str:
    """The subject, or how it began."""
    begun = next((" ".join(one.text.split()) for one in entries if one.text.strip()), "")
    return (
        subject or (f"{begun[:_HEADING].rstrip()}…" if len(begun) > _HEADING else begun) or speech.say("Conversation")
    )


def _answering(
    connection: Connection, hub: Hub, visitor: Visitor, number: int, entries: list[Entry], card: Card, query: Query
) -> dict[str, Any]:
    """What the reply box begins with: the ways to write, his address, the subject, the draft, a template."""
    setup, now = hub.setup.current, hub.store.now()
    last = next((one for one in reversed(entries) if one.direction == "inbound" and not one.automatic), None)
    ways = list_ways(connection, setup, card.id, now, {"line": last.line, "party": last.party} if last else None)
    draft = conversations.read_draft(connection, number, visitor.key)
    chosen = next((one for one in ways if one.open and one.line == draft.line), None)
    chosen = chosen or next((one for one in ways if one.open), None)
    mail = any(one.open and one.channel == "email" for one in ways)
    key, words = canned.prefill(connection, setup, visitor, query, number, now)
    return {
        "ways": ways,
        "way": chosen,
        "paid": {one.line for one in ways if is_paid(setup, one.line)},
        "can_reply": chosen is not None,
        "can_mail": mail,
        "by_email": chosen is not None and chosen.channel == "email",
        "to": _address(last, card) if mail else "",
        "subject": (words.subject if words else None) or (_subject(hub, entries, last) if mail else ""),
        "draft": draft,
        "text": "\n".join(filter(None, (draft.text, words.text))) if words else draft.text,
        "draft_files": log.read_files(connection, draft.attachments),
        "signature": read_account(connection, visitor.key).signature,
        "canned": canned.choices(setup, visitor),
        "canned_key": key,
        "missing": words.missing if words else (),
        "rating": ratings.find(connection, number),
        "wishes": standing(consents.find_all(connection, card.id)),
    }


def _subject(hub: Hub, entries: list[Entry], last: Entry | None) -> str:
    """ "Re: " and what was written about; a form has no subject but its title."""
    subject = next((one.subject for one in reversed(entries) if one.subject), None)
    if subject:
        return subject if subject.lower().startswith("re:") else f"Re: {subject}"
    language = last.origin.get("language") if last else None
    return subject_of_answer(hub.setup.current, last.line if last else "", language)


def _address(last: Entry | None, card: Card) -> str:
    written = [one["identity"] for one in (last.party if last else ()) if one["identity"].startswith("email:")]
    if written:
        return str(written[0]).removeprefix("email:")
    return next(iter(card.addresses("email")), "")


def _is_gone(entries: list[Entry], card: Card, now: datetime) -> bool:
    """Did he write in a live talk last, and has stopped following it?"""
    last = next((one for one in reversed(entries) if one.direction == "inbound"), None)
    written = {one["identity"] for one in last.party} if last else set()
    lefts = [one.here_until for one in card.identities if str(one) in written and one.here_until is not None]
    return bool(lefts) and max(lefts) <= now


def _candidates(connection: Connection, asked: Entry | None) -> list[tuple[clients.ClientRow, str]]:
    if asked is None:
        return []
    reasons = {int(one["client"]): str(one.get("reason", "")) for one in asked.candidates}
    return [(one, reasons[one.id]) for one in clients.read_some(connection, reasons)]


def _laters(now: datetime, visitor: Visitor, speech: Speech) -> list[tuple[str, datetime]]:
    """Quick choices for "later", in the visitor's own day."""
    local = now.astimezone(visitor.zone)
    tomorrow = (local + timedelta(days=1)).replace(hour=9, minute=0, second=0, microsecond=0)
    monday = (local + timedelta(days=7 - local.weekday())).replace(hour=9, minute=0, second=0, microsecond=0)
    in_an_hour = (local + timedelta(hours=1)).replace(second=0, microsecond=0)
    found = [(speech.say("In an hour"), in_an_hour), (speech.say("Tomorrow morning"), tomorrow)]
    if monday.date() != tomorrow.date():
        found.append((speech.say("On Monday"), monday))
    return found
