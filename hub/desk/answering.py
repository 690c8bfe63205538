"""Answering: the reply, the note, the forwarded message, the draft that is saved as it is typed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from aiohttp import web
from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from hub.access.accounts import read_account
from hub.actions import conversations, writing
from hub.actions.writing import Letter
from hub.composition import HUB
from hub.costs import is_paid
from hub.desk.body import Body, read_body
from hub.desk.doing import act, number_of, see
from hub.desk.names import Names
from hub.desk.pages import show, speech_of
from hub.desk.reading import clients, log
from hub.desk.uploads import keep_uploads
from hub.desk.visitor import who
from hub.errors import NotFound
from storage.events import Event
from storage.models import conversation, draft
from storage.unit import Unit

_BETWEEN_ADDRESSES = re.compile(r"[;,\n]+")


async def reply(request: web.Request) -> web.StreamResponse:
    """POST /desk/conversations/{id}/reply"""
    number, body = number_of(request), await read_body(request)
    letter = await read_letter(request, body)
    if _channel_of(request, letter.line) not in (None, "email"):
        letter = replace(letter, to=())  # the addresses above are for mails; other channels have one
    await act(request, lambda unit, setup, actor: writing.reply(unit, setup, number, actor, letter))
    if letter.close:
        return see("/desk", "replied")
    return see(f"/desk/conversations/{number}", "replied")


async def note(request: web.Request) -> web.StreamResponse:
    """POST /desk/conversations/{id}/note {text}"""
    number, body = number_of(request), await read_body(request)
    text = body.text("text")
    await act(request, lambda unit, setup, actor: conversations.note(unit, setup, number, actor, text))
    return see(f"/desk/conversations/{number}", "noted")


async def read_letter(request: web.Request, body: Body) -> Letter:
    """What was filled in, with the operator's signature under what goes out by mail."""
    files = (*body.numbers("attachment"), *await keep_uploads(request, body.files))
    line = body.optional("line")
    text = body.text("text").replace("\r\n", "\n")
    by_mail = _channel_of(request, line) in (None, "email")
    return Letter(
        text=await _sign(request, line, text) if text else text,
        subject=body.optional("subject") if by_mail else None,
        line=line,
        to=split_addresses(body.text("to")),
        cc=split_addresses(body.text("cc")) if by_mail else (),
        canned=body.optional("template"),
        attachments=files,
        close="answered" if body.text("then") == "close" else None,
    )


def _channel_of(request: web.Request, line: str | None) -> str | None:
    known = request.app[HUB].setup.current.lines.get(line or "")
    return known.channel if known is not None else None


async def _sign(request: web.Request, line: str | None, text: str) -> str:
    if _channel_of(request, line) != "email":
        return text
    key = who(request).key
    account = await request.app[HUB].store.read(lambda connection: read_account(connection, key))
    return f"{text}\n\n-- \n{account.signature.strip()}" if account.signature.strip() else text


def split_addresses(written: str) -> tuple[str, ...]:
    """Addresses with commas or semicolons between them."""
    return tuple(part.strip() for part in _BETWEEN_ADDRESSES.split(written) if part.strip())


async def show_forward(request: web.Request) -> web.StreamResponse:
    """GET /desk/interactions/{id}/forward"""
    number, names = number_of(request), Names(request.app[HUB].setup.current, who(request).language)

    def read(connection: Connection) -> dict[str, Any]:
        entry = log.read_entry(connection, number)
        if entry is None or entry.conversation_id is None:
            raise NotFound("There is nothing at this address.")
        return {"subject": f"Fwd: {entry.subject or ''}".strip(), "line": entry.line, "files": entry.files}

    return await show(
        request,
        "forward.html",
        read,
        action=f"/desk/interactions/{number}/forward",
        lines=names.sending_lines("email") or names.sending_lines(),
    )


async def forward(request: web.Request) -> web.StreamResponse:
    """POST /desk/interactions/{id}/forward: its files go along by themselves"""
    number, body = number_of(request), await read_body(request)
    letter = await read_letter(request, body)
    await act(request, lambda unit, setup, actor: writing.forward(unit, setup, number, actor, letter))
    entry = await request.app[HUB].store.read(lambda connection: log.read_entry(connection, number))
    return see(f"/desk/conversations/{entry.conversation_id}" if entry else "/desk", "forwarded")


async def save_draft(request: web.Request) -> web.StreamResponse:
    """POST /desk/conversations/{id}/draft: what is in the reply box now; `open` says that he still sits at it"""
    number, body = number_of(request), await read_body(request)
    kept = {
        "text": body.fields.get("text", "")[:200_000].replace("\r\n", "\n"),
        "subject": body.fields.get("subject"),
        "to": body.text("to"),
        "cc": body.text("cc"),
        "line": body.text("line"),
        "attachments": list(body.numbers("attachment")),
        "open": body.ticked("open"),
    }
    operator = who(request).key
    await request.app[HUB].store.write(lambda unit: _keep_draft(unit, number, operator, kept))
    return web.json_response({"saved": True})


def _keep_draft(unit: Unit, number: int, operator: str, kept: dict[str, Any]) -> None:
    """Tells the others when he sits down to write, has words there or gets up again; not at every letter."""
    chosen = (draft.c.conversation_id == number) & (draft.c.operator == operator)
    before = unit.connection.execute(draft.select().where(chosen)).first()
    insert_into = postgresql.insert if unit.dialect == "postgresql" else sqlite.insert
    values = {"conversation_id": number, "operator": operator, "body": kept, "saved_at": unit.now}
    row = insert_into(draft).values(values)
    again = {"body": row.excluded.body, "saved_at": row.excluded.saved_at}
    unit.connection.execute(row.on_conflict_do_update(index_elements=["conversation_id", "operator"], set_=again))
    if _sitting(before.body if before else {}) != _sitting(kept) and _exists(unit, number):
        unit.emit(Event("conversation", number, "writing", conversation=number, operator=operator))


def _sitting(body: Mapping[str, Any]) -> tuple[bool, bool]:
    return bool(body.get("open")), bool(body.get("open") and body.get("text", "").strip())


def _exists(unit: Unit, number: int) -> bool:
    return unit.connection.execute(conversation.select().where(conversation.c.id == number)).first() is not None


async def show_first_letter(request: web.Request) -> web.StreamResponse:
    """GET /desk/write[?client=]"""
    names = Names(request.app[HUB].setup.current, who(request).language)
    client = request.query.get("client", "")
    key = who(request).key

    def read(connection: Connection) -> dict[str, Any]:
        card = clients.read_card(connection, int(client)) if client.isdigit() else None
        to = next(iter(card.addresses("email")), "") if card else request.query.get("to", "")
        return {"card": card, "to": to, "signature": read_account(connection, key).signature}

    lines = names.sending_lines()
    return await show(
        request,
        "write.html",
        read,
        heading=speech_of(request).say("New message"),
        action="/desk/write",
        lines=lines,
        line=lines[0][0] if lines else "",
        subject="",
        text="",
        files=(),
        paid={key for key, _ in lines if is_paid(request.app[HUB].setup.current, key)},
    )


async def write_first(request: web.Request) -> web.StreamResponse:
    """POST /desk/write {line, to, cc, subject, text, client?}"""
    body = await read_body(request)
    letter, client = await read_letter(request, body), body.number("client")
    if client is not None and _channel_of(request, letter.line) != "email" and all("@" in one for one in letter.to):
        letter = replace(letter, to=())  # his mail address stood there when another line was chosen
    number, _ = await act(
        request, lambda unit, setup, actor: writing.write_first(unit, setup, actor, letter, client=client)
    )
    return see(f"/desk/conversations/{number}", "written")
