"""What one open page is told of calls: the whole piece of the page comes down the stream, so that it need not ask."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from aiohttp import web

from hub.actions.call_notes import CALL_BACK, REFUSED, open_note
from hub.call_parts import DIALLING, LIVE, RINGING, TALKING
from hub.composition import HUB
from hub.desk.pages import render, speech_of
from hub.desk.phone.live_calls import LIVE_CALLS
from hub.desk.phone.pop import WRAP_UP, Mine, Pop, read_mine, read_unfinished
from hub.desk.phone.pops import PICKED, POPS
from hub.desk.phone.words import dispositions, field_choices
from hub.desk.visitor import WHO
from hub.desk.vocabulary import Vocabulary
from storage.events import Event
from storage.unit import Unit

GONE = "gone"
ASKED = "asked"
"""He talks to a colleague about a call which is not his: nothing is typed, and nothing is to be done with."""
Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Shown:
    """How a page shows a call. `asked`: the fields that its form has; None while it has no form."""

    state: str
    client: int | None
    asked: tuple[str, ...] | None


_NOT_SHOWN = _Shown(GONE, None, None)


class CallStream:
    """The calls that one open page shows."""

    def __init__(self, request: web.Request) -> None:
        self._request = request
        self._hub = request.app[HUB]
        self._pops = request.app[POPS]
        self._operator = request[WHO].key
        self._shown: dict[int, _Shown] = {}

    async def begin(self) -> bytes:
        """All of them, instead of whatever the page shows."""
        self._shown.clear()
        live = await self._request.app[LIVE_CALLS].of(self._operator)
        unfinished = await self._hub.store.read(lambda connection: read_unfinished(connection, self._operator))
        messages = [await self._look(number, None) for number in dict.fromkeys((*unfinished, *live))]
        return _written({"whole": True, "calls": [one for one in messages if one["state"] != GONE]})

    async def hear(self, events: Sequence[Event]) -> AsyncIterator[bytes]:
        """What the page must show anew after these events, call by call, what rings first; nothing when they do not
        concern it."""
        wanted: dict[int, Event] = {}
        picked: set[int] = set()
        for event in events:
            for number in self._concerned(event):
                wanted[number] = event
                if event.what in PICKED:
                    picked.add(number)
        for number in sorted(wanted, key=lambda one: wanted[one].what != RINGING):
            cause = wanted[number]
            if self._only_rang(number, cause) and number not in picked:
                message = self._forget(number)
            else:
                message = await self._look(number, cause, picked=number in picked)
            yield _written({"calls": [message]})

    def concerns(self, event: Event) -> bool:
        """Whether the page must show something anew, at once. Every open page is asked of every event."""
        if event.subject == "interaction":
            return event.id in self._shown or self._is_on(event)
        return bool(self._shown) and bool(self._concerned(event))

    def _only_rang(self, number: int, cause: Event) -> bool:
        """It rang here and rings no more: the most usual thing when all telephones ring, and nothing is to be read."""
        was = self._shown.get(number, _NOT_SHOWN).state
        return was == RINGING and cause.phones is not None and not self._is_on(cause)

    def _is_on(self, event: Event) -> bool:
        """Whether the call rings or talks on his telephone; that of others is ruled out without taking them apart."""
        phones = event.phones or ""
        return self._operator in phones and self._operator in phones.split(",")

    def _concerned(self, event: Event) -> list[int]:
        if event.subject == "interaction":
            number = int(event.id)
            return [number] if self._is_on(event) or number in self._shown else []
        if event.subject == "client":
            return [number for number, shown in self._shown.items() if shown.client == event.client]
        return []

    async def _look(self, number: int, cause: Event | None, *, picked: bool = False) -> Message:
        """How a call is shown now. `picked`: somebody picked up, though it may have ended by now."""
        pop = await self._pops.read(number, cause)
        before = self._shown.get(number, _NOT_SHOWN)
        was = before.state
        if pop is None:
            return self._forget(number)
        part, mine = pop.parts.get(self._operator), None
        fresh = (part == TALKING or picked or was in LIVE) and was not in (TALKING, WRAP_UP)
        if fresh and pop.talked(self._operator):
            mine = await self._hub.store.write(lambda unit: _open_mine(unit, number, self._operator))
        elif part is None or (part == TALKING and not pop.is_asked(self._operator)):
            mine = await self._hub.store.read_at_once(lambda connection: read_mine(connection, number, self._operator))
        if part is None and (mine is None or not mine.open):
            return self._forget(number, pop if was == DIALLING else None)
        state = ASKED if part == TALKING and pop.is_asked(self._operator) else part or WRAP_UP
        asked = tuple(sorted(one.name for one in pop.asked)) if state in (TALKING, WRAP_UP) else before.asked
        self._shown[number] = _Shown(state, pop.row["client_id"], asked)
        return self._message(pop, state, mine, fresh=was != state, form=asked != before.asked)

    def _forget(self, number: int, pop: Pop | None = None) -> Message:
        self._shown.pop(number, None)
        message: Message = {"id": number, "state": GONE}
        if pop is not None:
            call, vocabulary = pop.row["call"] or {}, self._vocabulary()
            message["say"] = f"{pop.title}: {vocabulary('outcome', call.get('reason') or 'missed')}"
        return message

    def _message(self, pop: Pop, state: str, mine: Mine | None, *, fresh: bool, form: bool) -> Message:
        since = pop.since(self._operator)
        context = self._context(pop, state, since, mine)
        message: Message = {
            "id": pop.row["id"],
            "state": state,
            "since": since.isoformat(),
            "info": render(self._request, "_call.html", **context),
        }
        if form:  # else the page has it, with what was typed meanwhile
            message["form"] = render(self._request, "_call_form.html", **context)
            message["asked"] = self._shown[pop.row["id"]].asked
        if fresh and state in (RINGING, TALKING):
            message["say"] = f"{self._vocabulary()('call_state', state)}: {pop.title}"
        return message

    def _context(self, pop: Pop, state: str, since: datetime, mine: Mine | None) -> dict[str, Any]:
        setup, speech = self._hub.setup.current, speech_of(self._request)
        return {
            "pop": pop,
            "call": pop.row["call"],
            "row": pop.row,
            "card": pop.card,
            "state": state,
            "aside": pop.aside(self._operator),
            "since": since,
            "live": state in LIVE or state == ASKED,
            "note": mine.note if mine is not None else None,
            "dispositions": dispositions(setup, speech),
            "choices_of": lambda name: field_choices(setup, speech, name),
            "refused": REFUSED,
            "call_back": CALL_BACK,
        }

    def _vocabulary(self) -> Vocabulary:
        return Vocabulary(speech_of(self._request))


def _open_mine(unit: Unit, number: int, operator: str) -> Mine | None:
    open_note(unit, number, operator)
    return read_mine(unit.connection, number, operator)


def _written(message: Message) -> bytes:
    return b"event: calls\ndata: " + orjson.dumps(message) + b"\n\n"
