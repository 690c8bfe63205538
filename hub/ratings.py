""" "How did we do?": asked once, after a conversation was closed as answered, where the client wrote last."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from channels.touch import Identity
from hub.canned import Occasion, Words, write_automatic
from hub.errors import Refused
from hub.outbound import Outgoing, write_down
from hub.setup.lines import Line, trait_of
from hub.setup.snapshot import SetUp
from hub.setup.titles import say
from hub.ways import read_party, schemes_of
from storage import models
from storage.repositories import jobs
from storage.repositories import ratings as rows
from storage.unit import Unit

MOST = 5
_SOON = timedelta(seconds=5)
_NUMBERS = {
    "ru": "Ответьте числом от 1 до 5, где 5 — отлично.",
    "uk": "Дайте відповідь числом від 1 до 5, де 5 — чудово.",
    "pl": "Odpowiedz liczbą od 1 do 5, gdzie 5 to doskonale.",
    "en": "Please answer with a number from 1 to 5, 5 being excellent.",
}


class NotYet(Exception):
    """An answer is still on its way: the question comes after it."""


def propose(unit: Unit, setup: SetUp, conversation: int) -> None:
    """After it was closed as answered: a job asks, if any line asks at all."""
    if any(line.rate for line in setup.lines.values()):
        jobs.add(unit, "rate", {"conversation": conversation}, unit.now + _SOON)


def ask(unit: Unit, setup: SetUp, number: int) -> int | None:
    """Write the question down; answers its delivery, None when none is due. Raises `NotYet`."""
    last = rows.last_heard(unit.connection, number)
    line = setup.lines.get(last["line"]) if last is not None else None
    if last is None or line is None or not line.rate or not line.sends:
        return None
    if (last["state"], last["closed_why"]) != ("solved", "answered") or rows.find(unit.connection, number) is not None:
        return None
    if _is_on_its_way(unit, number):
        raise NotYet
    fits = [one for one in read_party(last["party"]) if not one.odd and one.scheme in schemes_of(line.channel)]
    occasion = Occasion(last["line"], last["client_id"], number, last["owner"])
    words = write_automatic(unit.connection, setup, line.rate, occasion, unit.now)
    if not fits or words is None:
        return None
    try:
        asked, delivery = write_down(unit, setup, _question(number, last, line, fits[0], words))
    except Refused:  # he wants to hear nothing, or may not be written to freely any more
        return None
    values = {
        "conversation_id": number,
        "client_id": last["client_id"],
        "line": last["line"],
        "operator": last["owner"],
        "team": last["team"],
        "asked_at": unit.now,
        "asked_id": asked,
        "most": MOST,
    }
    rows.ask(unit, values)
    return delivery


def _question(number: int, last: Any, line: Line, to: Identity, words: Words) -> Outgoing:
    buttons = trait_of(line.channel, "BUTTONS", False)
    stars = [{"text": f"{score} ★", "value": f"rate:{score}"} for score in range(1, MOST + 1)]
    subject = words.subject or last["subject"] or ""
    return Outgoing(
        line=last["line"],
        client=last["client_id"],
        conversation=number,
        to=(to,),
        text=words.text if buttons else f"{words.text}\n{say(_NUMBERS, words.language)}",
        operator=None,
        subject=(subject if subject.lower().startswith("re:") else f"Re: {subject}") if subject else None,
        automatic=True,
        options={"buttons": stars} if buttons else {},
        template=words.approved,
    )


def _is_on_its_way(unit: Unit, number: int) -> bool:
    table = models.delivery.c
    query = select(table.id).where(table.conversation_id == number, table.state == "pending")
    return unit.connection.execute(query.limit(1)).first() is not None
