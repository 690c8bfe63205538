"""Touches as channels hand them in, alone or in one batch, and a store whose lane runs."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete

from channels.contract import Accepted
from channels.touch import Direction, Identity, Kind, Thread, Touch
from hub.arrival import Arrival
from hub.batch import Batch
from storage import models
from storage.unit import Unit
from tests.hub.office import IVAN, START, Office

Row = dict[str, Any]
_keys = itertools.count(1)


def mail(number: str, minute: float = 0, *, who: Identity = IVAN, answers: Sequence[str] = (), **more: Any) -> Touch:
    """A client's mail `<number@…>`, some minutes after the start."""
    given: Row = {
        "line": "support-mail",
        "event_key": f"k-{number}",
        "kind": Kind.MESSAGE,
        "direction": Direction.INBOUND,
        "at": at(minute),
        "party": (who,),
        "external_id": message_id(number),
        "same_as": f"same-{number}",
        "subject": "Вопрос",
        "text": f"text of {number}",
        "thread": Thread(answers=tuple(message_id(one) for one in answers)) if answers else None,
    }
    return Touch(**{**given, **more})


def sent(number: str, minute: float, *, answers: Sequence[str] = (), **more: Any) -> Touch:
    """An answer that was written in an ordinary mail program, found in Sent."""
    return mail(
        number, minute, answers=answers, **{"direction": Direction.OUTBOUND, "operator": "anna@office.example", **more}
    )


def form(text: str, minute: float = 0, *, who: Identity = IVAN, **more: Any) -> Touch:
    """A form that somebody sent; the same person and text have the same repeat key."""
    given: Row = {
        "line": "form:contact",
        "event_key": f"f{next(_keys)}",
        "kind": Kind.FORM,
        "direction": Direction.INBOUND,
        "at": at(minute),
        "party": (who,),
        "text": text,
        "fields": {"message": text},
        "repeat_key": f"{who}/{text}",
    }
    return Touch(**{**given, **more})


def call(number: str, phase: str, minute: float, who: Identity, **facts: Any) -> Touch:
    """One phase of a call."""
    direction = facts.pop("direction", Direction.INBOUND)
    return Touch(
        line="pbx",
        event_key=f"{number}-{phase}",
        kind=Kind.CALL,
        direction=direction,
        at=at(minute),
        party=(who,),
        external_id=number,
        phase=phase,
        call=facts,
    )


def at(minute: float) -> datetime:
    return START + timedelta(minutes=minute)


def message_id(number: str) -> str:
    return f"<{number}@example.org>"


def take_in(office: Office, *touches: Touch) -> list[Accepted]:
    """All in one batch, as the lane does it."""

    def work(unit: Unit) -> list[Accepted]:
        batch = Batch(unit, office.setup, [Arrival(touch) for touch in touches])
        batch.skip_what_was_seen()
        batch.find_what_it_belongs_to()
        batch.find_whose_it_is()
        batch.place_in_conversations()
        batch.judge()
        batch.write()
        return batch.answers()

    return office.store.write_now(work)


def talk_of(office: Office, accepted: Accepted) -> Row:
    """The conversation that a touch became part of."""
    assert accepted.interaction is not None
    return office.row(models.conversation, office.row(models.interaction, accepted.interaction)["conversation_id"])


def wipe(office: Office) -> None:
    """Everything that came in is gone; the set-up stays. Quicker than a fresh office for each example."""

    def work(unit: Unit) -> None:
        for table in reversed(models.metadata.sorted_tables):
            if table is not models.definition:
                unit.connection.execute(delete(table))

    office.store.write_now(work)
    office.clock.at = START


@asynccontextmanager
async def running(office: Office) -> AsyncIterator[Office]:
    """With the lane at work; it is stopped, but the store stays open for looking."""
    office.store.lane.start()
    try:
        yield office
    finally:
        office.store.lane.close()
