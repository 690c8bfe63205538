"""What a touch says of the client's wishes, before the regulations look at it: STOP and START, the boxes he ticked in
a form, the rating of a conversation."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from channels.touch import Direction, Kind, Touch
from hub import consents
from hub.arrival import Arrival
from hub.consents import ALL, GIVEN, REFUSED
from storage import models
from storage.events import Event
from storage.repositories import consents as rows
from storage.repositories import intake as intake_rows
from storage.repositories import ratings
from storage.unit import Unit

Row = dict[str, Any]

OPTED_OUT, OPTED_OUT_OF, RATING = "opted_out", "opted_out_of", "rating"
ANSWER_WITHIN = timedelta(days=7)
"""So long a bare number is the answer to "how did we do?", and not a message."""

_NUMBER = re.compile(r"\s*(10|[1-9])(?:\s*(?:/|из|з|of|na)\s*(?:10|[1-9]))?[\s.!★⭐]*", re.ASCII)
_LONGEST_QUOTE = 2000


def hear(unit: Unit, arrivals: Iterable[Arrival]) -> None:
    """Write down what fresh touches say. Clients and conversations are known by now."""
    known = [one for one in arrivals if one.row["client_id"] is not None]
    said: list[Row] = []
    for one in known:
        touch = one.touch
        if one.grows or one.again or touch.direction is not Direction.INBOUND:
            continue
        said += _words(unit, one)
        if touch.kind is Kind.FORM:
            said += _ticked(one)
    consents.write(unit, said)
    for client in {one["client_id"] for one in said}:
        unit.emit(Event("client", client, "consents", client=client))
    _rate(unit, known)


def _words(unit: Unit, arrival: Arrival) -> list[Row]:
    """STOP is always noted; START only when there is something to lift: it is no consent to anything else.

    A messenger's own switch may be for mailings alone (`OPTED_OUT_OF`).
    """
    touch, row = arrival.touch, arrival.row
    stop = touch.fields.get(OPTED_OUT)
    if not isinstance(stop, bool):
        return []
    purpose = touch.fields.get(OPTED_OUT_OF)
    purpose = purpose if purpose in consents.PURPOSES else ALL
    identity = next((str(one) for one in touch.party if not one.odd), None)
    if not stop:
        said = rows.find_all(unit.connection, row["client_id"], [identity] if identity else ())
        last = consents.last_word(said, purpose, row["channel"])
        if last is None or not last.refused:
            return []
    source = "message" if touch.automatic is None else "channel"
    found = _row(arrival, row["channel"], purpose, REFUSED if stop else GIVEN, source, touch.at)
    said_so = touch.text or "; ".join(touch.remarks)
    return [{**found, "identity": identity, "text": said_so[:_LONGEST_QUOTE] or None}]


def hand_on(unit: Unit, interactions: Sequence[int], was: int, chosen: int) -> None:
    """What these touches say of wishes was said by another client than it seemed."""
    table, rated = models.consent, models.rating
    mine = (table.c.client_id == was, table.c.interaction_id.in_(interactions))
    if unit.connection.execute(update(table).where(*mine).values(client_id=chosen)).rowcount:
        for client in (was, chosen):
            consents.keep(unit, client)
    answered = (rated.c.client_id == was, rated.c.rated_id.in_(interactions))
    unit.connection.execute(update(rated).where(*answered).values(client_id=chosen))


def note_refusal(unit: Unit, delivery: int, reason: str, purpose: str | None = None) -> None:
    """A channel was told while sending that he wants to hear nothing from us there (or nothing of one purpose)."""
    table, written = models.delivery, models.interaction
    query = (
        select(written.c.client_id, written.c.channel, table.c.line, table.c.interaction_id, table.c.options)
        .join_from(table, written, written.c.id == table.c.interaction_id)
        .where(table.c.id == delivery)
    )
    found = unit.connection.execute(query).one()
    refused = {
        "client_id": found.client_id,
        "identity": found.options.get("to"),
        "channel": found.channel,
        "purpose": purpose if purpose in consents.PURPOSES else ALL,
        "state": REFUSED,
        "source": "channel",
        "by": found.line,
        "reason": reason,
        "interaction_id": found.interaction_id,
        "at": unit.now,
    }
    consents.write(unit, [refused])
    unit.emit(Event("client", found.client_id, "consents", client=found.client_id))


def _ticked(arrival: Arrival) -> list[Row]:
    """The very words he agreed to, their version and when; one row per channel that the box is about."""
    found = []
    for one in arrival.touch.origin.get("consent") or ():
        at = datetime.fromisoformat(one["at"]) if isinstance(one.get("at"), str) else arrival.touch.at
        for channel in one.get("channels") or (ALL,):
            row = _row(arrival, channel, one.get("purpose") or consents.SERVICE, GIVEN, "form", at)
            found.append({**row, "text": one.get("text"), "version": one.get("version")})
    return found


def _row(arrival: Arrival, channel: str, purpose: str, state: str, source: str, at: datetime) -> Row:
    return {
        "client_id": arrival.row["client_id"],
        "channel": channel,
        "purpose": purpose,
        "state": state,
        "source": source,
        "by": arrival.touch.line,
        "interaction_id": arrival.row["id"],
        "at": at,
    }


def read_number(text: str) -> int | None:
    """A score written as a bare number ("5", "4/5", "4 из 5"); None for anything that says more."""
    found = _NUMBER.fullmatch(text) if len(text) <= 20 else None
    return int(found[1]) if found else None


def recognise(unit: Unit, arrivals: Sequence[Arrival]) -> dict[int, int]:
    """Bare numbers that answer "how did we do?" become notes of their conversations: interaction -> conversation."""
    asked = [one for one in arrivals if _may_rate(one.touch) and one.row.get("client_id") is not None]
    if not asked:
        return {}
    since = min(one.touch.at for one in asked) - ANSWER_WITHIN
    waiting = ratings.find_open(unit.connection, {one.row["client_id"] for one in asked}, since)
    found: dict[int, int] = {}
    for one in asked:
        question = waiting.get((one.row["client_id"], one.touch.line))
        score = read_number(one.touch.text)
        if question is None or score is None or score > question.most or one.touch.at < question.asked_at:
            continue
        fields = {**one.touch.fields, RATING: score}
        one.touch = replace(one.touch, kind=Kind.NOTE, fields=fields)
        one.row |= {"kind": Kind.NOTE.value, "fields": fields}
        found[one.row["id"]] = question.conversation_id
    return found


def _may_rate(touch: Touch) -> bool:
    return (
        touch.kind is Kind.MESSAGE
        and touch.direction is Direction.INBOUND
        and touch.automatic is None
        and not touch.attachments
        and read_number(touch.text) is not None
    )


def _rate(unit: Unit, arrivals: Sequence[Arrival]) -> None:
    """The last answer counts; one to a question that was never asked stays a note in the log."""
    notes = [one for one in arrivals if one.touch.kind is Kind.NOTE and one.row["conversation_id"]]
    scores = [one for one in notes if type(one.touch.fields.get(RATING)) is int]
    numbers = {one.row["conversation_id"] for one in scores}
    talks = intake_rows.find_conversations(unit, numbers)
    for one in scores:
        number, score = one.row["conversation_id"], one.touch.fields[RATING]
        found = ratings.find(unit.connection, number)
        if found is None or not 1 <= score <= found.most:
            continue
        owner = talks[number]["owner"] if number in talks else found.operator
        ratings.answer(unit, found, score, one.touch.at, one.row["id"], owner)
        unit.emit(Event("conversation", number, "rated", conversation=number, client=found.client_id, operator=owner))
